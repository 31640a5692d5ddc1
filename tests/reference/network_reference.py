"""Prints tests/reference/network_reference.h: MONAI's numbers for tests/network.

PYTHONPATH=.deps/libtorch:.deps/peers python3 tests/reference/network_reference.py > tests/reference/network_reference.h
Made with torch 2.11.0 and MONAI 1.6.1, everything in float64.

Weights, input and the loss's coefficients are sin(first + step * i) with i counting elements in C order, so both
sides compute them: parameter p (counting in state_dict order, buffers skipped) has 0.2 * sin(p + 0.7 * i), slopes 0.25 +
0.05 * sin(p), batch norm's weights 1 + that; input sin(0.37 * i); loss = sum(logits * sin(0.11 * i)).
"""
import torch
from monai.networks.nets import UNet

CASES = [  # name, in, out, channels, levels, res units, norm, batch, extent (z, y, x)
    ("instance_three", 1, 2, 4, 3, 1, "instance", 2, (8, 12, 16)),
    ("instance_two_units", 2, 3, 3, 3, 2, "instance", 1, (8, 8, 12)),
    ("batch_three", 1, 3, 4, 3, 2, "batch", 2, (8, 8, 4)),
    ("instance_five", 1, 2, 4, 5, 1, "instance", 1, (16, 16, 32)),
]


def wave(count, first, step):
    return torch.sin(first + step * torch.arange(count, dtype=torch.float64))


def fill(network):
    for p, (name, parameter) in enumerate(network.named_parameters()):
        values = 0.2 * wave(parameter.numel(), p, 0.7).reshape(parameter.shape)
        if name.endswith("A.weight"):
            values = 0.25 + 0.25 * values
        elif name.endswith("N.weight"):
            values = 1 + values
        parameter.data.copy_(values)


def main():
    print("#pragma once\n\n// Written by network_reference.py; do not edit.\n#include <string>\n#include <vector>\n")
    print("namespace proxytune::network::reference {\n")
    print("struct Sample {\n  std::string name;  // parameter, or \"logits\"\n  double sum, norm, first, middle, last;\n};")
    print("struct Case {\n  std::string name;\n  int in, out, channels, levels, units;\n  bool batch_norm;\n  int batch, z, y, x;\n"
          "  std::vector<Sample> samples;  // logits, gradients, then batch norm's running moments\n};\n")
    print("// clang-format off\ninline const std::vector<Case> cases = {")
    for name, cin, cout, c, levels, units, norm, batch, extent in CASES:
        network = UNet(3, cin, cout, [c << i for i in range(levels)], [2] * (levels - 1), num_res_units=units, norm=norm).double()
        fill(network)
        image = wave(batch * cin * extent[0] * extent[1] * extent[2], 0, 0.37).reshape(batch, cin, *extent)
        logits = network(image)
        (logits * wave(logits.numel(), 0, 0.11).reshape(logits.shape)).sum().backward()
        samples = [("logits", logits.detach())]
        samples += [(k, p.grad) for k, p in network.named_parameters()]
        samples += [(k, b) for k, b in network.named_buffers() if b.dtype == torch.float64]
        print(f'    {{"{name}", {cin}, {cout}, {c}, {levels}, {units}, {str(norm == "batch").lower()}, {batch}, '
              f'{extent[0]}, {extent[1]}, {extent[2]}, {{')
        for key, tensor in samples:
            flat = tensor.reshape(-1)
            numbers = [flat.sum(), flat.norm(), flat[0], flat[flat.numel() // 2], flat[-1]]
            print(f'        {{"{key}", ' + ", ".join(f"{v.item():.17g}" for v in numbers) + "},")
        print("    }},")
    print("};\n// clang-format on\n\n}  // namespace proxytune::network::reference")


if __name__ == "__main__":
    main()
