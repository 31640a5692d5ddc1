"""Prints tests/reference/patches_reference.h: where MONAI cuts patches and how it shifts them, for tests/training.

PYTHONPATH=.deps/libtorch:.deps/peers python3 tests/reference/patches_reference.py > tests/reference/patches_reference.h
Made with torch 2.11.0 and MONAI 1.6.1.

Crops: RandCropByPosNegLabel is run once for each coin and each centre that it can draw, so the probability of every
start is exact. Shifts: 4000 patches through RandShiftIntensity, kept as the share that was shifted and the quantiles of the offsets.
"""
import collections

import monai
import numpy as np
import torch
from monai.transforms import RandCropByPosNegLabel, RandShiftIntensity

CASES = [  # name, extent, patch (z, y, x), foreground ratio, background where the image is positive, labelled voxels
    ("anywhere", (5, 6, 8), (3, 4, 5), 0.5, False, "some"),
    ("positive", (6, 5, 7), (2, 3, 4), 0.3, True, "some"),
    ("as_large_as_the_image", (4, 7, 6), (4, 6, 6), 0.75, False, "some"),
    ("foreground_only", (5, 5, 9), (2, 5, 3), 1.0, False, "some"),
    ("nothing_labelled", (4, 6, 5), (3, 2, 2), 0.8, True, "none"),
    ("everything_labelled", (5, 4, 6), (2, 3, 5), 0.2, False, "all"),
]


def label_of(extent, labelled):
    i = np.arange(int(np.prod(extent)))
    chosen = {"some": i * 31 % 97 < 9, "none": i < 0, "all": i >= 0}[labelled]
    return torch.from_numpy(chosen.astype(np.float32)).reshape(1, *extent)


def image_of(extent):
    """Two channels, each positive in about an eighth of the voxels."""
    i = np.arange(2 * int(np.prod(extent)))
    return torch.from_numpy((i * 7919 % 1009 - 880).astype(np.float32)).reshape(2, *extent)


class Given:
    """Stands in for the transform's random numbers: a coin and the centre's place in its list."""

    def __init__(self, coin, index):
        self.coin, self.index, self.choices = coin, index, 0

    def rand(self):
        return self.coin

    def randint(self, choices):
        self.choices = choices
        return self.index


def starts(name, extent, patch, ratio, positive, labelled):
    """Probability of each start."""
    label, image = label_of(extent, labelled), image_of(extent)
    crop = RandCropByPosNegLabel(patch, pos=ratio, neg=1 - ratio, num_samples=1)
    numbered = torch.arange(int(np.prod(extent)), dtype=torch.float64).reshape(1, *extent)
    found = collections.Counter()
    for coin, weight in ((0.0, ratio), (np.nextafter(1.0, 0), 1 - ratio)):
        choices, index = 1, 0
        while weight > 0 and index < choices:
            crop.R = Given(coin, index)
            cut = crop(numbered, label=label, image=image if positive else None)[0]
            choices = crop.R.choices
            assert cut.shape[1:] == patch, name
            found[int(cut.flatten()[0])] += weight / choices
            index += 1
    assert abs(sum(found.values()) - 1) < 1e-12
    return [(*map(int, np.unravel_index(first, extent)), probability) for first, probability in sorted(found.items())]


def shifts(count=4000, offset=0.25, probability=0.4):
    shift = RandShiftIntensity(offsets=offset, prob=probability)
    shift.set_random_state(seed=0)
    zeros = torch.zeros(1, 2, 2, 2)
    drawn = np.array([shift(zeros).flatten()[0].item() for _ in range(count)])
    shifted = drawn[drawn != 0]
    return len(shifted) / count, np.quantile(shifted, np.linspace(0, 1, 21))


def numbers(values):
    return "{" + ", ".join(f"{float(value):.9g}" for value in values) + "}"


def floats(values):
    return "{" + ", ".join(f"{float(value):.8e}F" for value in values) + "}"


def main():
    print("// Made by patches_reference.py with torch %s and MONAI %s: do not edit." % (torch.__version__, monai.__version__))
    print("#pragma once\n\n#include <array>\n#include <string>\n#include <vector>\n\nnamespace proxytune::reference {\n")
    print("struct Start {\n  std::array<int, 3> zyx;\n  double probability;\n};")
    print("struct CropCase {\n  std::string name;\n  std::array<int, 3> extent, patch;  // z, y, x\n  double foreground_ratio;\n"
          "  bool positive_background;\n  std::string labelled;\n  std::vector<Start> starts;\n};\n\n// clang-format off")
    print("inline const std::vector<CropCase> crop_cases = {")
    for case in CASES:
        name, extent, patch, ratio, positive, labelled = case
        print(f'    {{"{name}", {numbers(extent)}, {numbers(patch)}, {ratio}, {str(positive).lower()}, "{labelled}", {{')
        for z, y, x, probability in starts(*case):
            print(f"        {{{{{z}, {y}, {x}}}, {probability:.12g}}},")
        print("    }},")
    print("};\n")
    share, quantiles = shifts()
    print(f"// Of 4000 patches, offset 0.25, probability 0.4.\ninline constexpr double shifted_share = {share};")
    print(f"inline constexpr std::array<double, {len(quantiles)}> shift_quantiles{numbers(quantiles)};\n")
    image = torch.tensor([0.0, -1.5, 0.9375, 1.0, 0.1, 1e-3, 255.0, -0.06], dtype=torch.float32)
    print(f"// What a patch is shifted to.\ninline constexpr std::array<float, {len(image)}> unshifted{floats(image)};")
    print("struct Shifted {\n  double offset;\n  std::array<float, %d> voxels;\n};" % len(image))
    print("inline constexpr std::array<Shifted, 3> shifted_patches{{")
    for seed in range(3):
        shift = RandShiftIntensity(offsets=0.1, prob=1.0)
        shift.set_random_state(seed=seed)
        result = shift(image.reshape(1, 2, 2, 2)).flatten()
        print(f"    {{{shift._offset!r}, {floats(result)}}},")
    print("}};\n// clang-format on\n\n}  // namespace proxytune::reference")


if __name__ == "__main__":
    main()
