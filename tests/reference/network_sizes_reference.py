"""Prints tests/reference/network_sizes_reference.h: MONAI's numbers of every size of network for tests/network.

PYTHONPATH=.deps/libtorch:.deps/peers python3 tests/reference/network_sizes_reference.py > tests/reference/network_sizes_reference.h
Made with torch 2.11.0 and MONAI 1.6.1 in float64, from weights and images that float32 holds exactly.

Both sides make them of `noise`. Convolutions and their biases have PyTorch's default bounds, slopes 0.25 +- 0.1, batch
norm's weights 1 +- 0.2 and biases +- 0.2, images and the loss's coefficients +- 1; the loss is the sum of coefficients times
logits. What rounding moves across PReLU's kink changes the gradient of all that lies below by 1e-4 of the largest and more,
in MONAI as in ours, so the seed is the first for which nothing comes closer to the kink than 1e-5.
A tensor is kept as its norm, its products with two rows of noise, and three of its elements. The comment above a case
says how far MONAI's own float32 gradients are from these, in units of the network's largest.
"""
import copy

import numpy as np
import torch
from monai.networks.nets import UNet

SIZES = {"full": (16, 5, 2, 1), "proxy_five": (4, 5, 1, 2), "proxy_four": (4, 4, 1, 2), "proxy_three": (4, 3, 1, 2)}
EXTENT = (32, 16, 48)  # z, y, x
MARGIN = 1e-5
IMAGE, COEFFICIENTS, FIRST_ROW = 1000, 1001, 2000  # rows of noise beside those of the parameters


def noise(count, seed, row):
    """Uniform in [-1, 1): splitmix64 of the element's number."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed * 4096 + row) * np.uint64(0xD1342543DE82EF95)
        z = z + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return torch.from_numpy((z >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1)


def rounded(values, shape):
    return values.float().double().reshape(shape)


def fill(network, seed):
    bound = 0.0
    for row, (name, parameter) in enumerate(network.named_parameters()):
        values = noise(parameter.numel(), seed, row)
        if name.endswith("A.weight"):
            values = 0.25 + 0.1 * values
        elif name.endswith("N.weight"):
            values = 1 + 0.2 * values
        elif name.endswith("N.bias"):
            values = 0.2 * values
        else:
            if parameter.dim() == 5:  # its bias comes next and has the same bound
                bound = 1 / (parameter.shape[1] * parameter[0, 0].numel()) ** 0.5
            values = bound * values
        parameter.data.copy_(rounded(values, parameter.shape))


def make(size, norm, seed):
    channels, levels, units, _ = SIZES[size]
    network = UNet(3, 1, 2, [channels << i for i in range(levels)], [2] * (levels - 1), num_res_units=units, norm=norm)
    network.double()
    fill(network, seed)
    return network


def image_of(size, seed):
    batch = SIZES[size][3]
    return rounded(noise(batch * int(np.prod(EXTENT)), seed, IMAGE), (batch, 1, *EXTENT))


def nearest_to_the_kink(network, image):
    nearest = [1.0]

    def look(_, inputs):
        nearest[0] = min(nearest[0], inputs[0].abs().min().item())

    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, torch.nn.PReLU):
            module.register_forward_pre_hook(look)
    with torch.no_grad():
        network(image)
    return nearest[0]


def first_seed(size, norm):
    return next(seed for seed in range(10000) if nearest_to_the_kink(make(size, norm, seed), image_of(size, seed)) > MARGIN)


def step(network, image, seed, kind):
    """Logits, gradients, then batch norm's running moments."""
    network = copy.deepcopy(network).to(kind)
    logits = network(image.to(kind))
    coefficients = rounded(noise(logits.numel(), seed, COEFFICIENTS), logits.shape)
    (logits * coefficients.to(kind)).sum().backward()
    gradients = [(name, parameter.grad) for name, parameter in network.named_parameters()]
    moments = [(name, buffer) for name, buffer in network.named_buffers() if "running" in name]
    return [("logits", logits.detach())], gradients, moments


def numbers(tensor):
    flat = tensor.reshape(-1)
    rows = [(flat * noise(flat.numel(), 0, FIRST_ROW + row)).sum() for row in range(2)]
    kept = [flat.norm(), *rows, flat[0], flat[flat.numel() // 2], flat[-1]]
    return ", ".join(f"{value.item():.13g}" for value in kept)


def main():
    torch.set_num_threads(1)
    print("#pragma once\n\n// Written by network_sizes_reference.py; do not edit.\n#include <string>\n#include <vector>\n")
    print("namespace proxytune::network::reference {\n")
    print("struct Summary {\n  std::string name;  // parameter, running moment or \"logits\"\n"
          "  double norm, first_row, second_row, first, middle, last;\n};")
    print("struct SizedCase {\n  std::string name;\n  int channels, levels, units;\n  bool batch_norm;\n"
          "  int seed, batch, z, y, x;\n  std::vector<Summary> summaries;\n};\n")
    print("// clang-format off\ninline const std::vector<SizedCase> sized_cases = {")
    for norm in ("instance", "batch"):
        for size, (channels, levels, units, batch) in SIZES.items():
            seed = first_seed(size, norm)
            network, image = make(size, norm, seed), image_of(size, seed)
            exact, single = (step(network, image, seed, kind) for kind in (torch.float64, torch.float32))
            largest = max(gradient.abs().max().item() for _, gradient in exact[1])
            error = max((a - b).abs().max().item() for (_, a), (_, b) in zip(exact[1], single[1])) / largest
            print(f"    // MONAI's float32 gradients: {error:.1e}")
            print(f'    {{"{size}_{norm}", {channels}, {levels}, {units}, {str(norm == "batch").lower()}, {seed}, {batch}, '
                  f'{", ".join(map(str, EXTENT))}, {{')
            for name, tensor in sum(exact, []):
                print(f'        {{"{name}", {numbers(tensor)}}},')
            print("    }},")
    print("};\n// clang-format on\n\n}  // namespace proxytune::network::reference")


if __name__ == "__main__":
    main()
