"""Prints tests/reference/initialisation_reference.h: how MONAI's networks are initialised, for tests/network.

PYTHONPATH=.deps/libtorch:.deps/peers python3 tests/reference/initialisation_reference.py > tests/reference/initialisation_reference.h
Made with torch 2.11.0 and MONAI 1.6.1.

Of each parameter of a fresh network: the bound of a uniform distribution about 0, or the constant that it is set to.
Bounds are PyTorch's, from the fans of the layer; 40 networks (4 of the full size) are held to them here, by their largest value and by
the distance of their distribution from the uniform one.
"""
import torch
from monai.networks.nets import UNet

SIZES = {"full": (16, 5, 2), "proxy_five": (4, 5, 1), "proxy_four": (4, 4, 1), "proxy_three": (4, 3, 1)}


def make(channels, levels, units):
    return UNet(3, 1, 2, [channels << i for i in range(levels)], [2] * (levels - 1), num_res_units=units, norm="batch")


def bounds_of(network):
    """Of the parameters of convolutions, by name."""
    bounds = {}
    for name, module in network.named_modules():
        if isinstance(module, (torch.nn.Conv3d, torch.nn.ConvTranspose3d)):
            fan_in, _ = torch.nn.init._calculate_fan_in_and_fan_out(module.weight)
            bounds[name + ".weight"] = bounds[name + ".bias"] = fan_in**-0.5
    return bounds


def hold_to_uniform(name, values, bound):
    """The largest of n values, and Kolmogorov and Smirnov's distance."""
    values = (values.sort().values.double() / bound + 1) / 2
    n = len(values)
    assert 0 <= values[0] and values[-1] <= 1, name
    empirical = torch.arange(n, dtype=torch.float64) / n
    distance = max((values - empirical).max().item(), (empirical + 1 / n - values).max().item())
    assert distance < 2.2 / n**0.5, (name, distance * n**0.5)


def main():
    torch.manual_seed(0)
    print("#pragma once\n\n// Written by initialisation_reference.py; do not edit.\n#include <string>\n#include <vector>\n")
    print("namespace proxytune::network::reference {\n")
    print("struct Initial {\n  std::string name;\n  bool uniform;  // in +-value; otherwise all are this value\n  double value;\n};")
    print("struct InitialNetwork {\n  std::string name;\n  int channels, levels, units;\n  std::vector<Initial> parameters;  // batch norm\n};\n")
    print("// clang-format off\ninline const std::vector<InitialNetwork> initial_networks = {")
    for size, numbers in SIZES.items():
        networks = [make(*numbers) for _ in range(4 if size == "full" else 40)]
        bounds = bounds_of(networks[0])
        print(f'    {{"{size}", {", ".join(map(str, numbers))}, {{')
        for name, _ in networks[0].named_parameters():
            values = torch.cat([dict(network.named_parameters())[name].detach().flatten() for network in networks])
            if name in bounds:
                hold_to_uniform(name, values, bounds[name])
                print(f'        {{"{name}", true, {bounds[name]:.9g}}},')
            else:
                assert (values == values[0]).all(), name
                print(f'        {{"{name}", false, {values[0].item():.9g}}},')
        print("    }},")
    print("};\n// clang-format on\n\n}  // namespace proxytune::network::reference")


if __name__ == "__main__":
    main()
