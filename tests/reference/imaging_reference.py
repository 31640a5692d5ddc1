#!/usr/bin/env python3
"""Numbers of MONAI 1.6.1 (torch 2.11.0) that tests/imaging/monai_test.cpp compares with.

    # needs torch, MONAI and nibabel
    python3 tests/reference/imaging_reference.py > tests/reference/imaging_reference.inc

Every volume is made of the formula in `pattern`, which the C++ test repeats.
"""
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import (CropForeground, NormalizeIntensity, Orientation, ScaleIntensityRange, Spacing,
                              SpatialPad)

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def pattern(x, y, z, channels=1, zeros=True):
    """(channel, x, y, z), MONAI's order; counted with x fastest, as in the file."""
    i = np.arange(channels * x * y * z, dtype=np.int64).reshape(channels, z, y, x)
    values = ((i * 7919 + 13) % 1009) / 64.0 - 5.0
    if zeros:
        values[i % 7 == 0] = 0
    else:
        values += 1.0 / 128.0  # never 0: whether resampling gives exactly 0 again is a matter of round-off
    return torch.tensor(values.astype(np.float32).transpose(0, 3, 2, 1).copy())


def label_pattern(x, y, z):
    i = np.arange(x * y * z, dtype=np.int64).reshape(1, z, y, x)
    return torch.tensor(((i * 31 + 7) % 251).astype(np.float32).transpose(0, 3, 2, 1).copy())


def affine(spacing, origin, direction):
    """RAS affine of an LPS geometry."""
    m = np.eye(4)
    m[:3, :3] = np.array(direction) @ np.diag(spacing)
    m[:3, 3] = origin
    return LPS_TO_RAS @ m


IDENTITY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
# columns: directions of stored x, y, z in LPS
TURNED = [[0, 0, -1], [1, 0, 0], [0, 1, 0]]
ANGLE = np.deg2rad(12.0)
OBLIQUE = [[float(np.cos(ANGLE)), float(-np.sin(ANGLE)), 0], [float(np.sin(ANGLE)), float(np.cos(ANGLE)), 0], [0, 0, 1]]


def numbers(values):
    def one(value):
        if isinstance(value, (int, np.integer)):
            return str(value)
        return f"{float(value):.9g}"
    return "{" + ", ".join(one(v) for v in values) + "}"


def flat(tensor):
    """Our order: channel, z, y, x."""
    return [float(v) for v in np.asarray(tensor).transpose(0, 3, 2, 1).ravel()]


def grid(result):
    m = LPS_TO_RAS @ np.asarray(result.affine, dtype=np.float64)
    spacing = np.linalg.norm(m[:3, :3], axis=0)
    return list(spacing), list(m[:3, 3]), [list(row) for row in m[:3, :3] / spacing]


def emit(kind, name, shape_in, channels, geometry, parameters, result):
    spacing, origin, direction = geometry
    g = grid(result) if isinstance(result, MetaTensor) else (spacing, origin, direction)
    print(f'{{"{kind}", "{name}", {numbers(shape_in)}, {channels},')
    print(f" {numbers(spacing)}, {numbers(origin)}, {numbers([v for r in direction for v in r])},")
    print(f" {parameters},")
    print(f" {numbers(list(result.shape[1:]))}, {numbers(g[0])}, {numbers(g[1])}, {numbers([v for r in g[2] for v in r])},")
    print(f" {numbers(flat(result))}}},")


def tensor(data, geometry):
    return MetaTensor(data, affine=torch.tensor(affine(*geometry), dtype=torch.float64))


print("// Made by tests/reference/imaging_reference.py; do not edit. One case: kind, parameter text, shape x y z,")
print("// channels, spacing, origin, direction, numbers, then the result: shape, spacing, origin, direction, voxels.")

for name, direction in (("identity", IDENTITY), ("turned", TURNED), ("oblique", OBLIQUE)):
    for codes in ("RAS", "LPS", "PIR"):
        geometry = ([1.5, 2.0, 2.5], [10.0, -20.0, 30.0], direction)
        out = Orientation(axcodes=codes, labels=(("L", "R"), ("P", "A"), ("I", "S")))(tensor(pattern(3, 4, 2), geometry))
        emit("orient", codes, (3, 4, 2), 1, geometry, "{}", out)

# (dim, in, out) along x; y and z carry other cases at once. The first six are half-to-even cases.
SPACINGS = [((6, 8, 10), (1, 1, 1), (2, 2, 2)), ((4, 7, 3), (1, 2.5, 2.5), (2, 2, 2)),
            ((5, 4, 3), (0.785, 0.785, 7.5), (1.5, 1.5, 2.0)), ((11, 4, 4), (1, 1, 1), (1.5, 0.7, 1.0)),
            ((9, 5, 6), (0.5009, 1.0, 3.0), (0.5, 0, 1.3)), ((7, 6, 5), (1.2, 1.2, 1.5), (1, 1, 1)),
            ((8, 9, 4), (1, 1, 1), (0.5, 0.25, 0.75)), ((13, 3, 2), (1, 1, 1), (3, 1, 1)),
            ((2, 3, 4), (1, 1, 1), (4, 9, 1.0005)), ((12, 2, 2), (0.8, 1, 1), (1.6, 1, 1))]
for direction in (IDENTITY, TURNED):
    for size, spacing, wanted in SPACINGS:
        geometry = ([float(s) for s in spacing], [5.0, 6.0, -7.0], direction)
        out = Spacing(pixdim=wanted, mode="bilinear")(tensor(pattern(*size), geometry))
        emit("spacing", "linear", size, 1, geometry, numbers([float(w) for w in wanted]), out)
        out = Spacing(pixdim=wanted, mode="nearest")(tensor(label_pattern(*size), geometry))
        emit("spacing_label", "nearest", size, 1, geometry, numbers([float(w) for w in wanted]), out)

PLAIN = ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], IDENTITY)
emit("window", "", (5, 3, 2), 2, PLAIN, "{-2.5, 6.25}", ScaleIntensityRange(-2.5, 6.25, 0.0, 1.0, clip=True)(tensor(pattern(5, 3, 2, 2), PLAIN)))
emit("window", "", (4, 3, 3), 1, PLAIN, "{-57.0, 164.0}", ScaleIntensityRange(-57, 164, 0.0, 1.0, clip=True)(tensor(pattern(4, 3, 3), PLAIN)))
emit("zscore", "", (5, 4, 3), 2, PLAIN, "{}", NormalizeIntensity(nonzero=True, channel_wise=True)(tensor(pattern(5, 4, 3, 2), PLAIN)))

empty = pattern(5, 4, 3, 2)
empty[1] = 0
emit("zscore", "second_channel_empty", (5, 4, 3), 2, PLAIN, "{}", NormalizeIntensity(nonzero=True, channel_wise=True)(tensor(empty, PLAIN)))

inside = pattern(6, 7, 5)
for a in range(6):
    for b in range(7):
        for c in range(5):
            if not (1 <= a <= 3 and 2 <= b <= 5 and c >= 3):
                inside[0, a, b, c] = -abs(inside[0, a, b, c])
emit("foreground", "", (6, 7, 5), 1, ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], TURNED), "{}",
     CropForeground(allow_smaller=True)(tensor(inside, ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], TURNED))))
# Two channels with one positive voxel each: the box holds both.
apart = -abs(pattern(6, 7, 5, 2))
apart[0, 4, 2, 3] = apart[1, 1, 5, 1] = 0.5
emit("foreground", "two_channels", (6, 7, 5), 2, ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], TURNED), "{}",
     CropForeground(allow_smaller=True)(tensor(apart, ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], TURNED))))

for wanted in ((8, 8, 8), (3, 7, 2), (9, 4, 5)):
    geometry = ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], TURNED)
    emit("pad", "", (5, 4, 3), 2, geometry, numbers(wanted), SpatialPad(wanted)(tensor(pattern(5, 4, 3, 2), geometry)))

for wanted in ((8, 8, 8), (3, 2, 6), (5, 4, 3), (1, 9, 4)):
    resized = torch.nn.functional.interpolate(pattern(5, 4, 3, 2)[None].double(), size=wanted, mode="trilinear", align_corners=False)[0]
    emit("resize", "", (5, 4, 3), 2, PLAIN, numbers(wanted), resized)

# Whole pipelines: orientation and spacing in both orders on an axis that is flipped.
for order in ("orient_first", "spacing_first"):
    geometry = ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], IDENTITY)
    image = tensor(pattern(11, 4, 3, zeros=False), geometry)
    turn = Orientation(axcodes="RAS", labels=(("L", "R"), ("P", "A"), ("I", "S")))
    space = Spacing(pixdim=(1.5, 0.8, 1.0), mode="bilinear")
    image = space(turn(image)) if order == "orient_first" else turn(space(image))
    image = NormalizeIntensity(nonzero=True, channel_wise=True)(image)
    emit("pipeline", order, (11, 4, 3), 1, geometry, "{1.5, 0.8, 1.0}", SpatialPad((10, 10, 4))(image))
