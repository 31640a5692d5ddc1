#!/usr/bin/env python3
"""One pair of the pair matrix, ours against what others compute a pair with, one thread each.

usage: tools/benchmark.sh pair_matrix [EDGE [ROUNDS]]
Volumes of EDGE^3 voxels (default 96). Ours and the peers take turns, ROUNDS times (default 3); each figure is the
fastest call. Ours is a pair within a tile of 8 x 8, its images prepared, as the matrix has them.
"""

import subprocess
import sys
import time

import numpy
import torch
from monai.losses import LocalNormalizedCrossCorrelationLoss


def pattern(edge, seed):
    """As pair_matrix.cpp's."""
    random = numpy.random.default_rng(seed)
    z, y, x = numpy.meshgrid(*3 * [numpy.arange(edge)], indexing="ij")
    phase = 6 * random.random()
    value = (0.5 + 0.3 * numpy.sin(0.1 * x + phase) * numpy.cos(0.13 * y) + 0.1 * numpy.sin(0.07 * z + phase)
             + 0.05 * random.random(x.shape))
    radius = numpy.sqrt(sum((axis - edge / 2) ** 2 for axis in (x, y, z))) / edge
    return numpy.where(radius < 0.5, value, 0).astype(numpy.float32)


def fastest(call, calls):
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def peers(edge):
    """What is timed beside each metric: name, call, calls a round."""
    one, other = pattern(edge, 0), pattern(edge, 1)
    loss = LocalNormalizedCrossCorrelationLoss(spatial_dims=3, kernel_size=9, kernel_type="rectangular")
    tensors = [torch.from_numpy(image)[None, None] for image in (one, other)]

    def ncc():
        with torch.no_grad():
            loss(*tensors)

    def codes(image):
        bins = (image.ravel() - image.min()) / (image.max() - image.min()) * 64
        return numpy.minimum(bins.astype(numpy.int64), 63)

    def information(joint):
        joint = joint / joint.sum()
        product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        cells = joint > 0
        return (joint[cells] * numpy.log(joint[cells] / product[cells])).sum()

    rows, columns = codes(one), codes(other)
    mi = [
        ("numpy_histogram2d", lambda: information(numpy.histogram2d(one.ravel(), other.ravel(), 64)[0]), 3),
        ("numpy_bincount", lambda: information(numpy.bincount(rows * 64 + columns, minlength=4096).reshape(64, 64)), 10),
    ]
    try:
        from sklearn.metrics import mutual_info_score
    except ImportError:
        print("sklearn is not installed: left out", file=sys.stderr)
    else:
        mi.append(("sklearn_mutual_info_score", lambda: mutual_info_score(rows, columns), 3))
    # The index of two codes made beforehand as well: the count alone.
    index = rows * 64 + columns
    mi.append(("numpy_bincount_of_ready_index", lambda: numpy.bincount(index, minlength=4096), 10))
    return {"normalized_cross_correlation": [("monai_local_ncc_9", ncc, 5)], "mutual_information": mi}


def run(program, *arguments):
    output = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    return dict(word.split("=") for word in output.split())


def main(program, edge=96, rounds=3):
    torch.set_num_threads(1)
    edge, rounds = int(edge), int(rounds)
    short = {"normalized_cross_correlation": "ncc", "mutual_information": "mi"}
    copied = max(float(run(program, "copy", 256, 5)["bytes_a_second"]) for _ in range(rounds))
    for metric, others in peers(edge).items():
        ours, figures, theirs = [], {}, {name: [] for name, _, _ in others}
        for _ in range(rounds):
            figures = run(program, metric, edge, 8, 5)
            ours.append((float(figures["pair"]), float(figures["alone"]), float(figures["prepare"])))
            for name, call, calls in others:
                theirs[name].append(fastest(call, calls))
        pair, alone, prepare = (min(values) for values in zip(*ours))
        for name, seconds in theirs.items():
            print(f"RATIO name={short[metric]}_{edge} peer={name} ours={pair * 1e3:.4g} theirs={min(seconds) * 1e3:.4g} "
                  f"unit=ms/pair ratio={min(seconds) / pair:.1f}", flush=True)
        print(f"PAIR name={short[metric]}_{edge} set={figures['set']} ms={pair * 1e3:.4g} alone_ms={alone * 1e3:.4g} "
              f"prepare_ms={prepare * 1e3:.4g} Mvoxel_pairs_per_s={edge ** 3 / pair / 1e6:.0f} "
              f"GB_per_s={float(figures['bytes']) / pair / 1e9:.1f} copy_GB_per_s={copied / 1e9:.1f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
