"""Writes loss_reference.h: MONAI's Dice and Dice + cross-entropy losses and their gradients.

Run with torch and MONAI on the path:  python3 loss_reference.py > loss_reference.h
The numbers in the header were made with torch 2.11.0 and MONAI 1.6.1, in double.
"""

import monai
import torch
from monai.losses import DiceCELoss, DiceLoss

BATCH, EDGE = 2, (3, 2, 4)
VOXELS = 24


def logit(n, v, c):
    return ((n * 17 + v * 7 + c * 5) % 19 - 9) / 4


def label(n, v, classes):
    # The second patch has background only.
    return 0 if n == 1 else (v * v + v // 3) % classes


def run(loss, classes):
    logits = torch.tensor(
        [[[logit(n, v, c) for v in range(VOXELS)] for c in range(classes)] for n in range(BATCH)],
        dtype=torch.float64,
    ).reshape(BATCH, classes, *EDGE)
    logits.requires_grad_(True)
    labels = torch.tensor(
        [[label(n, v, classes) for v in range(VOXELS)] for n in range(BATCH)]
    ).reshape(BATCH, 1, *EDGE)
    value = loss(logits, labels)
    value.backward()
    gradient = logits.grad.reshape(BATCH, classes, VOXELS).permute(0, 2, 1).flatten()
    return value.item(), gradient.tolist()


print("// Made by loss_reference.py with torch %s and MONAI %s: do not edit." % (torch.__version__, monai.__version__))
print("#pragma once\n\nnamespace proxytune::reference {\n")
for name, kind in (("dice", DiceLoss), ("dice_ce", DiceCELoss)):
    for classes in (2, 4):
        value, gradient = run(kind(to_onehot_y=True, softmax=True), classes)
        print("inline constexpr double %s_%d = %.15e;" % (name, classes, value))
        print("inline constexpr double %s_%d_gradient[] = {" % (name, classes))
        for i in range(0, len(gradient), 4):
            print("    %s," % ", ".join("%.12e" % g for g in gradient[i : i + 4]))
        print("};")
print("\n}  // namespace proxytune::reference")
