"""Prints tests/reference/inference_reference.h: MONAI's sliding windows and Dice metric, for tests/training.

PYTHONPATH=.deps/libtorch:.deps/peers python3 tests/reference/inference_reference.py > tests/reference/inference_reference.h
Made with torch 2.11.0 and MONAI 1.6.1.

The network of the windows is `logits_of`: what it says of a voxel depends on the voxel, on where it lies in the window and on
the window's mean, so windows of other places, weights or padding give other classes. Nowhere are the two largest
of a voxel's summed logits closer than 2e-4, so rounding cannot change a class.
"""
import monai
import numpy as np
import torch
from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers import sliding_window_inference
from monai.inferers.utils import _get_scan_interval
from monai.metrics import DiceMetric

EXTENT = (7, 10, 9)  # z, y, x
WINDOWS = [(4, 5, 3), (12, 4, 8), (7, 10, 9), (10, 13, 16)]  # the last is larger than the image
CLASSES = 3


def image():
    i = np.arange(2 * int(np.prod(EXTENT)))
    return torch.from_numpy(((i * 7919 + 13) % 1009 / 504.5 - 1).astype(np.float32)).reshape(1, 2, *EXTENT)


def logits_of(windows):
    count, _, *extent = windows.shape
    place = torch.arange(int(np.prod(extent))).reshape(1, *extent)
    mean = windows[:, 0].mean((1, 2, 3), keepdim=True)
    classes = []
    for c in range(CLASSES):
        wave = ((place * 37 + c * 11) % 17) / 8 - 1
        classes.append((c - 1) * windows[:, 0] + (1 - c * c % 3) * windows[:, 1] + wave + 8 * (c - 1) * mean)
    return torch.stack(classes, 1)


def window_cases():
    for window in WINDOWS:
        for overlap in (0.0, 0.25, 0.5):
            for mode in ("constant", "gaussian"):
                logits = sliding_window_inference(image(), window, 3, logits_of, overlap=overlap, mode=mode)
                largest = logits[0].topk(2, 0).values
                margin = (largest[0] - largest[1]).min().item()
                assert margin > 2e-4, (window, overlap, mode, margin)
                classes = "".join(map(str, logits[0].argmax(0).flatten().tolist()))
                lines = "\n".join(f'     "{classes[i:i + 90]}"' for i in range(0, len(classes), 90))
                print(f"    {{{numbers(window)}, {overlap}, {str(mode == 'gaussian').lower()},\n{lines}}},")


def label(case, shift):
    """60 voxels of classes 0 to 3."""
    v = np.arange(60)
    return ((v * v + v // 3 + shift * (v % 5 == 0) + case * v) % 4).astype(np.int64)


def dice_pairs():
    """Truth and prediction: ordinary ones; truth without class 2, predicted or not; a class never predicted; nothing at all."""
    for case in range(3):
        yield label(case, 0), label(case, case + 1)
    without = np.where(label(4, 0) == 2, 0, label(4, 0))
    yield without, label(4, 1)
    yield without, np.where(label(4, 1) == 2, 1, label(4, 1))
    yield label(5, 0), np.where(label(5, 1) == 3, 0, label(5, 1))
    yield np.zeros(60, np.int64), np.zeros(60, np.int64)


def numbers(values):
    return "{" + ", ".join("nan" if value != value else f"{float(value):.9g}" for value in values) + "}"


def dice_cases():
    metric = DiceMetric(include_background=False, reduction="none")
    pairs = list(dice_pairs())
    for truth, prediction in pairs:
        one_hot = [torch.nn.functional.one_hot(torch.from_numpy(v), 4).T.reshape(1, 4, 60, 1, 1) for v in (prediction, truth)]
        metric(*one_hot)
    scores = metric.aggregate()
    for (truth, prediction), dice in zip(pairs, scores.tolist()):
        print(f'    {{"{"".join(map(str, truth))}",\n     "{"".join(map(str, prediction))}",\n     {numbers(dice)}}},')
    return metric.aggregate("mean_batch").tolist()


def start_cases():
    for length, window, overlap in ((20, 8, 0.25), (321, 160, 0.25), (200, 160, 0.25), (400, 160, 0.8), (500, 160, 0.9),
                                    (160, 160, 0.5), (100, 160, 0.25), (5, 2, 0.9), (96, 32, 0.0), (97, 32, 0.5)):
        padded = max(length, window)
        step = _get_scan_interval((padded,), (window,), 1, (overlap,))
        starts = [one[0].start for one in dense_patch_slices((padded,), (window,), step)]
        print(f"    {{{length}, {window}, {overlap}, {{{', '.join(map(str, starts))}}}}},")


def main():
    print("// Made by inference_reference.py with torch %s and MONAI %s: do not edit." % (torch.__version__, monai.__version__))
    print("#pragma once\n\n#include <array>\n#include <limits>\n#include <string>\n#include <vector>\n\nnamespace proxytune::reference {\n")
    print("inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();")
    print("struct Starts {\n  int image, window;\n  double overlap;\n  std::vector<int> starts;\n};")
    print("struct WindowCase {\n  std::array<int, 3> window;  // z, y, x\n  double overlap;\n  bool gaussian;\n  std::string classes;\n};")
    print("struct DiceCase {\n  std::string truth, prediction;\n  std::vector<double> dice;  // of classes 1 to 3\n};")
    print("\n// clang-format off\ninline const std::vector<Starts> window_starts = {")
    start_cases()
    print("};\n\n// Of a window of 8 x 6 x 5 voxels.\ninline const std::vector<float> gaussian_weights = {")
    weights = compute_importance_map((8, 6, 5), mode="gaussian", sigma_scale=0.125)
    weights = weights.clamp(min=max(weights.min().item(), 1e-3)).flatten().tolist()  # as sliding_window_inference does
    for i in range(0, len(weights), 10):
        print("    %s," % ", ".join(f"{w:.8e}F" for w in weights[i : i + 10]))
    print("};\n")
    print("inline constexpr std::array<int, 3> window_extent{%s};\ninline const std::vector<WindowCase> window_cases = {"
          % ", ".join(map(str, EXTENT)))
    window_cases()
    print("};\n\ninline const std::vector<DiceCase> dice_cases = {")
    means = dice_cases()
    print(f"}};\n// Means over the cases, of each class.\ninline const std::vector<double> dice_means = {numbers(means)};")
    print("// clang-format on\n\n}  // namespace proxytune::reference")


if __name__ == "__main__":
    main()
