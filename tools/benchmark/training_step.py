#!/usr/bin/env python3
"""One training step, ours against MONAI's script (NCDHW, float32, the same LibTorch), one thread each.

usage: tools/benchmark.sh training_step [ROUNDS]
A step is forward, Dice loss, backward and Adam. Ours and MONAI's take turns, ROUNDS times (default 3); each figure is
the fastest step. MONAI gets the same allocator settings as our program gives itself.
"""

import ctypes
import subprocess
import sys
import time

import torch
from monai.losses import DiceLoss
from monai.networks.nets import UNet

NETWORKS = {"proxy": (4, 5, 1), "full": (16, 5, 2)}
PATCHES = [(32, 8, 5), (96, 4, 2)]  # edge, batch, steps a round


def keep_memory():
    """As proxytune's src/training/numerics.cpp: no memory goes back to the system between steps."""
    libc = ctypes.CDLL("libc.so.6")
    for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 64 << 20)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
        libc.mallopt(option, value)


def monais_step(size, edge, batch):
    channels, levels, units = size
    network = UNet(3, 1, 2, [channels << i for i in range(levels)], [2] * (levels - 1), num_res_units=units)
    loss = DiceLoss(to_onehot_y=True, softmax=True)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    images = torch.rand(batch, 1, edge, edge, edge)
    labels = (torch.arange(images.numel()) // 5 % 2).reshape(images.shape)

    def step():
        optimizer.zero_grad()
        loss(network(images), labels).backward()
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


def main(program, rounds=3):
    keep_memory()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    for edge, batch, steps in PATCHES:
        for name, size in NETWORKS.items():
            ours, theirs = [], []
            for _ in range(int(rounds)):
                command = [program, *map(str, (*size, edge, batch, steps))]
                ours.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
                theirs.append(fastest(monais_step(size, edge, batch), steps))
            a, b = min(ours), min(theirs)
            print(
                f"RATIO name=training_step_{name}_{edge} peer=monai_ncdhw_f32 ours={a:.4g} theirs={b:.4g} "
                f"unit=s/step ratio={b / a:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
