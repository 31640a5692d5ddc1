#!/usr/bin/env python3
"""What bfloat16 costs in Dice: the same hippocampus trainings at f32 and at bf16, in pairs of equal seeds.

usage: tools/benchmark.sh bfloat16 TASK04_HIPPOCAMPUS [--seeds 5] [--epochs 40] [--output out/bfloat16] [--set KEY=VALUE]...
The study is configs/hippocampus/baseline.yaml, full network and 5-level proxy. Prints means, the 95 % interval of the mean
paired difference (bf16 minus f32) of either network and of both, and seconds a trial; writes trials_EPOCHS.csv. Started
again, it goes on.
"""

import argparse
from pathlib import Path

import numpy
import scipy.stats

from against_monai import NETWORKS, TRIAL, mean_and_interval, train_ours, write

PRECISIONS = ("f32", "bf16")


def report(trials):
    def values(precision, network, name):
        rows = sorted((row for row in trials if row[:2] == [precision, network]), key=lambda row: row[2])
        return numpy.array([row[TRIAL.index(name)] for row in rows], dtype=float)

    for name in ("external_dice", "validation_dice"):
        differences = []
        for network in NETWORKS:
            exact, rounded = (values(precision, network, name) for precision in PRECISIONS)
            differences.append(rounded - exact)
            print(f"DICE network={network} score={name} pairs={len(exact)} bf16={rounded.mean():.5f} f32={exact.mean():.5f}")
        for network, some in zip((*NETWORKS, "both"), (*differences, numpy.concatenate(differences))):
            interval = mean_and_interval(scipy.stats.ttest_1samp(some, 0), some.mean())
            print(f"DIFFERENCE network={network} score={name} samples=paired_by_seed pairs={len(some)} {interval}")
    for network in NETWORKS:
        exact, rounded = (values(precision, network, "seconds").mean() for precision in PRECISIONS)
        print(f"RATIO name=hippocampus_seconds_{network} peer=f32 ours={rounded:.4g} theirs={exact:.4g} unit=s/trial "
              f"ratio={exact / rounded:.2f}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data", type=Path, help="folder of Task04_Hippocampus with its two dataset_group files")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("out/bfloat16"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the study")
    return parser.parse_args()


def main():
    arguments = parse()
    trials = []
    for precision in PRECISIONS:
        of_this = argparse.Namespace(data=arguments.data, output=arguments.output / precision,
                                     set=[*arguments.set, f"compute.precision={precision}"])
        of_this.output.mkdir(parents=True, exist_ok=True)
        rows, _ = train_ours(arguments.program, arguments.seeds, arguments.epochs, of_this)
        trials += [[precision, *row[1:]] for row in rows]
    write(arguments.output / f"trials_{arguments.epochs}.csv", ["precision", *TRIAL[1:]], trials)
    report(trials)


if __name__ == "__main__":
    main()
