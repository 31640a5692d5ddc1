#!/usr/bin/env python3
"""Numbers that the tests of `similarity`, `analysis` and `core` hold ours against.

Needs numpy, scipy, torch and monai; writes similarity_reference.txt beside itself, one "name value" a
line. Volumes come from the integer formula of texture(), which tests/similarity repeats.
"""
import pathlib

import numpy as np
import scipy.stats
import torch
from monai.losses import LocalNormalizedCrossCorrelationLoss

SHAPE = (14, 13, 12)
lines = []


def keep(name, value):
    lines.append(f"{name} {float(value):.17g}")


def texture(seed, shape=SHAPE):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    codes = (i * 7919 + seed * 104729 + (i * i % 1009) * (31 + seed)) % 1000
    return (codes / 1000.0).astype(np.float32).reshape(shape)


def blend(one, other):
    return (one * np.float32(0.75) + other * np.float32(0.25)).astype(np.float32)


def mutual_information(one, other, bins):
    joint = np.histogram2d(one.ravel().astype(np.float64), other.ravel().astype(np.float64), bins)[0]
    p = joint / joint.sum()
    outer = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    some = p > 0
    return float((p[some] * np.log(p[some] / outer[some])).sum())


def monai_ncc(one, other, window):
    loss = LocalNormalizedCrossCorrelationLoss(spatial_dims=3, kernel_size=window, kernel_type="rectangular")
    tensors = [torch.from_numpy(v).double()[None, None] for v in (one, other)]
    return -loss(*tensors).item()


a, c = texture(1), texture(2)
b = blend(a, c)
for bins in (16, 64):
    keep(f"mutual_information_{bins}", mutual_information(a, b, bins))
keep("entropy_64", mutual_information(a, a, 64))
for window in (5, 9):
    keep(f"ncc_{window}", monai_ncc(a, b, window))
keep("ncc_9_unrelated", monai_ncc(a, c, 9))
flat, half = np.array(a, copy=True), np.array(b, copy=True)
flat[:7] = 0.0
half[:7] = np.float32(0.9)
keep("ncc_5_half_flat", monai_ncc(flat, half, 5))
for edge in (16, 24):
    keep(f"ncc_9_constant_{edge}", monai_ncc(np.ones((edge,) * 3, np.float32), np.full((edge,) * 3, 0.9, np.float32), 9))

small = texture(3, (3, 4, 5))
large = torch.nn.functional.interpolate(
    torch.from_numpy(small).double()[None, None], size=(4, 7, 3), mode="trilinear", align_corners=False
)[0, 0].numpy()
for index, value in enumerate(large.ravel()):
    keep(f"resize_{index}", value)

x = np.array([0.81, 0.79, 0.85, 0.62, 0.79, 0.91, 0.44, 0.88])
y = np.array([0.71, 0.74, 0.80, 0.60, 0.66, 0.83, 0.60, 0.85])
pearson = scipy.stats.pearsonr(x, y)
interval = pearson.confidence_interval(0.95)
keep("pearson", pearson.statistic)
keep("pearson_low", interval.low)
keep("pearson_high", interval.high)
keep("spearman", scipy.stats.spearmanr(x, y).statistic)
keep("kendall", scipy.stats.kendalltau(x, y).statistic)
keep("shleifer", scipy.stats.linregress(x, y).rvalue ** 2)
for freedom in (1, 4, 7, 30):
    keep(f"student_{freedom}", scipy.stats.t.ppf(0.975, freedom))
difference = scipy.stats.ttest_rel(x, y).confidence_interval(0.95)
keep("difference_low", difference.low)
keep("difference_high", difference.high)

pathlib.Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")
