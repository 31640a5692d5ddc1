#!/usr/bin/env python3
"""A training step shared by ranks against the same step on one rank, and what the reduction of the gradients takes.

usage: tools/benchmark.sh team [--rounds N] [--ranks R] [CASE]...
       CASE: NETWORK_EDGE_BATCH, default full_96_8 and full_32_8
Per case one rank, R ranks (default 2) by either reduction, and R programs of one rank each that share nothing, at once,
which is what the machine allows; all take turns, N times (default 2). Then a PROJECTION, and no measurement, for 8 to 512
devices with one and with four patches each (the table, and build/team.png): a step is the patches' time, two agreements,
the reduction, and the optimizer, by
    ordered   (R - 1) messages and 2 (R - 1) / R of the gradients' bytes in, and as many out,
    fastest   2 log2 R messages and 2 (R - 1) / R of the bytes
for devices whose patch of 96^3 takes 20 to 100 ms (full network), links of 10 to 50 GB/s a device and 3 to 20 us a message.
"""

import argparse
import math
import re
import subprocess
import sys

NETWORKS = {"full": (16, 5, 2), "proxy5": (4, 5, 1)}
LAUNCHER = ["mpiexec", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n"]
DEVICES = (8, 16, 32, 64, 128, 256, 512)


def figures(text):
    return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.e+-]+)", text)}


def command(program, case, ranks, reduction):
    network, edge, batch = case.split("_")
    steps = 2 if int(edge) > 64 else 20
    arguments = [*NETWORKS[network], edge, 1 if int(edge) > 64 else 2, batch, steps, "auto", reduction]
    return [*LAUNCHER, str(ranks), program, *map(str, arguments)]


def at_once(commands):
    running = [subprocess.Popen(one, stdout=subprocess.PIPE, text=True) for one in commands]
    outputs = [one.communicate()[0] for one in running]
    if any(one.returncode for one in running):
        sys.exit("team: a program failed")
    return max((figures(output) for output in outputs), key=lambda found: found["step"])


def least(found, key):
    return min(one[key] for one in found)


def compare(program, case, ranks, rounds):
    found = {"one": [], "ordered": [], "fastest": [], "apart": []}
    for _ in range(rounds):
        found["one"].append(at_once([command(program, case, 1, "ordered")]))
        for reduction in ("ordered", "fastest"):
            found[reduction].append(at_once([command(program, case, ranks, reduction)]))
        found["apart"].append(at_once([command(program, case, 1, "ordered")] * ranks))
    one = least(found["one"], "step")
    for name in ("ordered", "fastest"):
        step = least(found[name], "step")
        share = least(found[name], "reduction") / step
        print(f"RATIO name={case} peer=one_rank ours={step:.4g} theirs={one:.4g} unit=s/step ratio={one / step:.2f} "
              f"ranks={ranks} reduction={name} reduction_share={share:.3f} agreement_us={1e6 * least(found[name], 'agreement'):.0f}")
    apart = least(found["apart"], "step")
    print(f"RATIO name={case} peer=programs_that_share_nothing ours={least(found['fastest'], 'step') * ranks:.4g} theirs={apart:.4g} "
          f"unit=s/step_of_a_rank ratio={apart / least(found['fastest'], 'step') / ranks:.2f} ceiling={ranks * one / apart:.2f}", flush=True)


def efficiency(devices, patches, patch, bandwidth, latency, reduction, bytes_of_gradients):
    compute = patches * patch
    moved = 2 * (devices - 1) / devices * bytes_of_gradients / bandwidth
    messages = 2 * (devices - 1) if reduction == "ordered" else 2 * math.log2(devices)
    agreement = 2 * 2 * math.log2(devices) * latency
    return compute / (compute + moved + messages * latency + agreement)


def project():
    size = 4 * 4.8e6
    print("PROJECTION: share of a step in computing, worst and best of the ranges")
    rows = {}
    for patches in (1, 4):
        for reduction in ("fastest", "ordered"):
            rows[patches, reduction] = []
            for devices in DEVICES:
                worst = efficiency(devices, patches, 0.02, 10e9, 20e-6, reduction, size)
                best = efficiency(devices, patches, 0.1, 50e9, 3e-6, reduction, size)
                rows[patches, reduction].append((worst, best))
            text = "  ".join(f"{devices}: {worst:.2f}-{best:.2f}" for devices, (worst, best) in zip(DEVICES, rows[patches, reduction]))
            print(f"{patches} patches a device, {reduction}: {text}")
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no picture", file=sys.stderr)
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, patches in zip(axes, (1, 4)):
        for reduction, colour in (("fastest", "tab:blue"), ("ordered", "tab:orange")):
            low, high = zip(*rows[patches, reduction])
            axis.fill_between(DEVICES, low, high, color=colour, alpha=0.3, label=reduction)
        axis.set_xscale("log", base=2)
        axis.set_xticks(DEVICES, DEVICES)
        axis.set_ylim(0, 1)
        axis.set_title(f"{patches} patch{'es' if patches > 1 else ''} of 96^3 a device")
        axis.set_xlabel("devices")
    axes[0].set_ylabel("share of a step in computing")
    axes[0].legend(loc="lower left")
    figure.suptitle("Projection, not measured: full network, ranges of devices and links")
    figure.tight_layout()
    figure.savefig("build/team.png", dpi=110)
    print("build/team.png")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("cases", nargs="*", default=["full_96_8", "full_32_8"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ranks", type=int, default=2)
    given = parser.parse_intermixed_args()
    for case in given.cases:
        compare(given.program, case, given.ranks, given.rounds)
    project()


if __name__ == "__main__":
    main()
