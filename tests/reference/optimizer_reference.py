"""Writes optimizer_reference.h: parameters after each of 10 steps on given gradients.

Run with torch and MONAI on the path:  python3 optimizer_reference.py > optimizer_reference.h
The numbers in the header were made with torch 2.11.0 and MONAI 1.6.1.
"""

import torch
from monai.optimizers import Novograd

SIZES = (5, 1, 7, 36)  # tensors, the last longer than two vectors; the second has a gradient of exactly zero in two steps
COUNT = sum(SIZES)


def start(i):
    return ((i * 7) % 11 - 5) / 8


def gradient(step, i):
    if i == 5 and step in (0, 9):
        return 0.0
    return ((i * 5 + step * 3) % 13 - 6) / 16 * 10.0 ** (i % 3 - 1)


def run(make):
    values = torch.tensor([start(i) for i in range(COUNT)], dtype=torch.float32)
    tensors = [torch.nn.Parameter(part.clone()) for part in values.split(SIZES)]
    optimizer = make(tensors)
    rows = []
    for step in range(10):
        gradients = torch.tensor([gradient(step, i) for i in range(COUNT)], dtype=torch.float32)
        for tensor, part in zip(tensors, gradients.split(SIZES)):
            tensor.grad = part.clone()
        optimizer.step()
        rows.append(torch.cat([tensor.detach() for tensor in tensors]).tolist())
    return rows


OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.01),
    "novograd": lambda p: Novograd(p, lr=0.01),
    "adam_with_decay": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.3),
    "rmsprop_with_decay": lambda p: torch.optim.RMSprop(p, lr=0.01, weight_decay=0.3),
    "adamax_with_decay": lambda p: torch.optim.Adamax(p, lr=0.01, weight_decay=0.3),
    "novograd_with_decay": lambda p: Novograd(p, lr=0.01, weight_decay=0.3),
}

print("// Made by optimizer_reference.py with torch %s: do not edit." % torch.__version__)
print("#pragma once\n\nnamespace proxytune::reference {\n")
for name, make in OPTIMIZERS.items():
    print("inline constexpr float %s[10][%d] = {" % (name, COUNT))
    for row in run(make):
        print("    {%s}," % ", ".join("%.8eF" % value for value in row))
    print("};")
print("\n}  // namespace proxytune::reference")
