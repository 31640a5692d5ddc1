#!/usr/bin/env python3
"""One training step against the same step in PyTorch (the same LibTorch), one thread each, milliseconds a patch.

usage: tools/benchmark.sh training_step [--rounds N] [--precision auto|f32|bf16] [CASE]...
       CASE: NETWORK_PATCH, e.g. proxy5_96 (default, with full_96), proxy3_32, full_128x128x48
A step is forward, Dice loss, backward and Adam of a batch of 4 patches. The peers are `monai`, its tutorial's script
(NCDHW, float32), and `stock_best`, the fastest setting of stock operations (channels-last, bfloat16 autocast). All take
turns, N times (default 3); each figure is the fastest step. The peers get the allocator settings that our program
gives itself. Our precision is that of compute.precision, by default auto.
"""

import argparse
import contextlib
import ctypes
import subprocess
import time

import torch
from monai.losses import DiceLoss
from monai.networks.nets import UNet

NETWORKS = {"full": (16, 5, 2), "proxy5": (4, 5, 1), "proxy4": (4, 4, 1), "proxy3": (4, 3, 1)}
BATCH = 4


def keep_memory():
    """As proxytune's src/training/numerics.cpp: no memory goes back to the system between steps."""
    libc = ctypes.CDLL("libc.so.6")
    for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 64 << 20)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
        libc.mallopt(option, value)


def stock_step(network, patch, best):
    channels, levels, units = NETWORKS[network]
    model = UNet(3, 1, 2, [channels << i for i in range(levels)], [2] * (levels - 1), num_res_units=units)
    loss = DiceLoss(to_onehot_y=True, softmax=True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    x, y, z = patch
    images = torch.rand(BATCH, 1, z, y, x)
    labels = (torch.arange(images.numel()) // 5 % 2).reshape(images.shape)
    precision = contextlib.nullcontext()
    if best:
        model = model.to(memory_format=torch.channels_last_3d)
        # contiguous(channels_last_3d) leaves one channel as it is, and with it the slow layout.
        images = images.as_strided(images.shape, (z * y * x, 1, y * x, x, 1))
        precision = torch.autocast("cpu", torch.bfloat16)

    def step():
        optimizer.zero_grad()
        with precision:
            logits = model(images)
        loss(logits.float(), labels).backward()
        optimizer.step()

    return step


def fastest(step, steps):
    step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def extents(text):
    numbers = [int(number) for number in text.split("x")]
    return numbers * 3 if len(numbers) == 1 else numbers


def compare(program, case, rounds, precision):
    network, _, patch_text = case.partition("_")
    patch = extents(patch_text)
    voxels = patch[0] * patch[1] * patch[2]
    steps = max(2, round(2 * 96**3 / voxels))
    command = [program, *map(str, (*NETWORKS[network], *patch, BATCH, steps, precision))]
    ours = []
    peers = {"monai": [], "stock_best": []}
    for _ in range(rounds):
        ours.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        for peer, seconds in peers.items():
            seconds.append(fastest(stock_step(network, patch, peer == "stock_best"), steps))
    a = min(ours) * 1e3 / BATCH
    for peer, seconds in peers.items():
        b = min(seconds) * 1e3 / BATCH
        print(f"RATIO name={case} peer={peer} ours={a:.4g} theirs={b:.4g} unit=ms/patch ratio={b / a:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("cases", nargs="*", default=["proxy5_96", "full_96"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="auto")
    given = parser.parse_intermixed_args()
    keep_memory()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    for case in given.cases:
        compare(given.program, case, given.rounds, given.precision)


if __name__ == "__main__":
    main()
