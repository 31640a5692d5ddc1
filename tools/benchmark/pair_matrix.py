#!/usr/bin/env python3
"""The pair matrix: one pair, ours against what others compute a pair with, one thread each; and whole matrices.

usage: tools/benchmark.sh pair-matrix [EDGE [ROUNDS]]
       tools/benchmark.sh pair-matrix gpu [EDGE [ROUNDS]]                         the same on a GPU, where there is one
       tools/benchmark.sh pair-matrix matrix DATASET.json CUBE MEMORY RANKS...    label crops, both measures
       tools/benchmark.sh pair-matrix grow CUBE MEMORY N...                       N generated volumes, one rank
MEMORY is similarity.memory in MiB; RANKS may be 1+1, two programs of one rank at once, which share nothing: what more than
one core gives on this machine. A matrix is computed by the program itself, on each number of ranks in turn; its time
is what `rank` prints, its memory the greatest resident set of a rank less that of the program without a matrix.
Volumes of EDGE^3 voxels (default 96): smooth patterns before a background of zeros, and noise. Ours and the peers take turns, ROUNDS times (default 3); each figure is the
fastest call. Ours is a pair within a tile of 8 x 8, its images prepared, as the matrix has them; on a GPU 64 x 64. There
the peers are one core with our own kernels, and MONAI and torch.bincount on the same GPU; bytes a second are those of a
pair's two images, whether they come from memory or from a cache, beside a copy within the GPU's memory.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

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


def noise(edge, seed):
    return numpy.random.default_rng(seed).random((edge, edge, edge), dtype=numpy.float32)


def peers(edge, kind):
    """What is timed beside each metric: name, call, calls a round."""
    one, other = kind(edge, 0), kind(edge, 1)
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


STUDY = """\
name: pairs
data: {{internal: {internal}, validation_cases: 1, labels: {labels}}}
preprocessing: {{spacing: {spacing}, pad_to: [16, 16, 16]}}
similarity: {{cube: {cube}, memory: {memory}}}
networks: [{{name: full, channels: 4, levels: 2, residual_units: 1}}]
training: {{patch: [16, 16, 16], window: [16, 16, 16]}}
arms:
  - {{name: all, data: all}}
  - {{name: mi, data: proxy, metric: mutual_information, crop: label, budget: 4}}
  - {{name: ncc, data: proxy, metric: normalized_cross_correlation, crop: label, budget: 4}}
reference: all
output: {{folder: {output}}}
"""


class Peak:
    """Runs a command and follows the greatest resident set of the program's processes, in MiB. It looks seldom and at few
    processes, since it takes its time from one of the ranks."""

    def __init__(self, command):
        self.mebibytes = 0.0
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
            while process.poll() is None:
                self.look(process.pid)
                time.sleep(0.1)
            output.seek(0)
            self.text = output.read()
        if process.returncode != 0:
            sys.exit(f"{command}: exit code {process.returncode}\n{self.text}")

    def look(self, launcher):
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) < launcher:
                continue
            try:
                text = Path("/proc", name, "status").read_text()
            except OSError:
                continue
            # What the volumes' mapped file takes is the page cache's and not counted.
            found = re.search(r"Name:\tproxytune\n.*RssAnon:\s*(\d+) kB", text, re.S)
            if found:
                self.mebibytes = max(self.mebibytes, int(found[1]) / 1024)


def matrices(proxytune, dataset, cube, memory, ranks, folder):
    """Prints one line a measure; preprocessing is done beforehand."""
    labels = sorted(int(value) for value in json.loads(Path(dataset).read_text())["labels"])
    study = Path(folder) / "pairs.yaml"
    output = Path(folder) / "study"
    study.write_text(STUDY.format(internal=dataset, labels={value: min(value, 1) for value in labels}, cube=cube,
                                  memory=memory, spacing="[1, 1, 1]", output=output))
    launcher = ["mpiexec", "--oversubscribe", "--bind-to", "none", *(["--allow-run-as-root"] if os.geteuid() == 0 else [])]
    before = Peak([*launcher, "-n", "2", proxytune, "preprocess", str(study)]).mebibytes
    shutil.rmtree(output / "pairs", ignore_errors=True)
    peak = Peak([*launcher, "-n", str(ranks), proxytune, "rank", str(study)])
    for measure, n, seconds in re.findall(r"rank: (\w+): (\d+) x \d+ volumes, ([\d.]+) s", peak.text):
        pairs = int(n) * (int(n) + 1) / 2
        print(f"MATRIX name={measure}_{cube} volumes={n} ranks={ranks} seconds={seconds} "
              f"us_per_pair_and_rank={float(seconds) * ranks / pairs * 1e6:.1f} "
              f"peak_MiB={peak.mebibytes:.0f} preprocess_MiB={before:.0f} memory_MiB={memory}", flush=True)


def whole_matrices(proxytune, dataset, cube, memory, *ranks):
    def one(number):
        with tempfile.TemporaryDirectory() as folder:
            matrices(proxytune, Path(dataset).resolve(), int(cube), int(memory), number, folder)

    for numbers in ranks:
        at_once = [threading.Thread(target=one, args=(int(number),)) for number in numbers.split("+")]
        for thread in at_once:
            thread.start()
        for thread in at_once:
            thread.join()


def growing(proxytune, cube, memory, *sizes):
    for size in map(int, sizes):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([proxytune, "phantom", f"{folder}/data", "--set", f"internal_cases={size}", "--set", "external_cases=1"],
                           check=True, capture_output=True)
            matrices(proxytune, f"{folder}/data/siteA/dataset.json", int(cube), int(memory), 1, folder)


def fastest_on_gpu(call, calls):
    call()

    def finished():
        call()
        torch.cuda.synchronize()

    torch.cuda.synchronize()
    return fastest(finished, calls)


def copy_on_gpu(rounds):
    """Bytes a second, read and written, of a copy within the GPU's memory."""
    memory = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(memory)
    return 2 * memory.numel() / min(fastest_on_gpu(lambda: target.copy_(memory), 10) for _ in range(rounds))


def peers_on_gpu(edge, kind):
    """By metric: name, call."""
    one, other = (torch.from_numpy(kind(edge, seed)).cuda() for seed in (0, 1))
    loss = LocalNormalizedCrossCorrelationLoss(spatial_dims=3, kernel_size=9, kernel_type="rectangular")
    rows, columns = (((image.flatten() - image.min()) / (image.max() - image.min()) * 64).long().clamp(max=63) for image in (one, other))

    def ncc():
        with torch.no_grad():
            loss(one[None, None], other[None, None])

    return {"normalized_cross_correlation": ("monai_local_ncc_9_on_gpu", ncc),
            "mutual_information": ("torch_bincount_on_gpu", lambda: torch.bincount(rows * 64 + columns, minlength=4096))}


def on_gpu(program, edge=96, rounds=3):
    device = subprocess.run([program, "gpu"], capture_output=True, text=True, check=True).stdout.strip()
    if device == "none":
        print("pair-matrix gpu: there is no GPU here that this program was built for, so nothing was measured.")
        return
    if not torch.cuda.is_available():
        sys.exit("pair-matrix gpu: this Python's torch sees no GPU, so there is no peer: run tools/setup.sh --cuda")
    edge, rounds = int(edge), int(rounds)
    copied = copy_on_gpu(rounds)
    torch.cuda.empty_cache()
    short = {"normalized_cross_correlation": "ncc", "mutual_information": "mi"}
    for kind in (pattern, noise):
        for metric, (peer, call) in peers_on_gpu(edge, kind).items():
            ours, cores, theirs, figures = [], [], [], {}
            for _ in range(rounds):
                figures = run(program, "gpu", metric, kind.__name__, edge, 64, 5)
                ours.append(float(figures["pair"]))
                cores.append(float(run(program, metric, kind.__name__, edge, 8, 5)["pair"]))
                theirs.append(fastest_on_gpu(call, 20))
            name, pair = f"{short[metric]}_gpu_{edge}", min(ours)
            for other, seconds in (("our_core", min(cores)), (peer, min(theirs))):
                print(f"RATIO name={name} images={kind.__name__} peer={other} ours={pair * 1e3:.4g} theirs={seconds * 1e3:.4g} "
                      f"unit=ms/pair ratio={seconds / pair:.1f}", flush=True)
            speed = float(figures["bytes"]) / pair
            print(f"PAIR name={name} images={kind.__name__} device={device.replace(' ', '_')} ms={pair * 1e3:.4g} "
                  f"alone_ms={float(figures['alone']) * 1e3:.4g} prepare_ms={float(figures['prepare']) * 1e3:.4g} "
                  f"Gvoxel_pairs_per_s={edge ** 3 / pair / 1e9:.1f} GB_per_s={speed / 1e9:.0f} copy_GB_per_s={copied / 1e9:.0f} "
                  f"per_cent_of_copy={100 * speed / copied:.0f}", flush=True)


def main(program, edge=96, rounds=3, *more):
    proxytune = str(Path(program).parents[2] / "proxytune")
    if edge == "gpu":
        return on_gpu(program, *([] if rounds == 3 else [rounds]), *more)
    if edge == "matrix":
        return whole_matrices(proxytune, rounds, *more)
    if edge == "grow":
        return growing(proxytune, rounds, *more)
    torch.set_num_threads(1)
    edge, rounds = int(edge), int(rounds)
    short = {"normalized_cross_correlation": "ncc", "mutual_information": "mi"}
    copied = max(float(run(program, "copy", 256, 5)["bytes_a_second"]) for _ in range(rounds))
    jobs = [(metric, kind, others) for kind in (pattern, noise) for metric, others in peers(edge, kind).items()]
    for metric, kind, others in jobs:
        ours, figures, theirs = [], {}, {name: [] for name, _, _ in others}
        for _ in range(rounds):
            figures = run(program, metric, kind.__name__, edge, 8, 5)
            ours.append((float(figures["pair"]), float(figures["alone"]), float(figures["prepare"])))
            for name, call, calls in others:
                theirs[name].append(fastest(call, calls))
        pair, alone, prepare = (min(values) for values in zip(*ours))
        for name, seconds in theirs.items():
            print(f"RATIO name={short[metric]}_{edge} images={kind.__name__} peer={name} ours={pair * 1e3:.4g} theirs={min(seconds) * 1e3:.4g} "
                  f"unit=ms/pair ratio={min(seconds) / pair:.1f}", flush=True)
        print(f"PAIR name={short[metric]}_{edge} images={kind.__name__} set={figures['set']} ms={pair * 1e3:.4g} alone_ms={alone * 1e3:.4g} "
              f"prepare_ms={prepare * 1e3:.4g} Mvoxel_pairs_per_s={edge ** 3 / pair / 1e6:.0f} "
              f"GB_per_s={float(figures['bytes']) / pair / 1e9:.1f} copy_GB_per_s={copied / 1e9:.1f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
