#!/usr/bin/env python3
"""Handing out trials: what it costs here, and what the same code would do on many devices.

usage: tools/benchmark.sh scheduler [TRIALS [STUDY_FOLDER]]
Runs TRIALS (default 8000) empty trials through 4 ranks, their lines synced to this folder's disk. Then a discrete-event
simulation, a PROJECTION and no measurement: the program's own schedule decides, what a decision takes is measured while
it does and counts in the simulated time, a message takes what it took here, and trials last as long as those of
STUDY_FOLDER's journal, drawn with replacement; expected is the mean of those with its network and number of cases. The
default is a sweep over networks whose trials last 600, 240 and 60 s, 6 per cent more or less (standard deviation).
The table, and build/scheduler.png.
"""

import json
import math
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DEVICES = (16, 64, 512, 4096)
TRIALS = (112, 2688, 100000)


def figures(text):
    return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.e+-]+)", text)}


def empty_trials(program, ranks, trials):
    launcher = ["mpiexec", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    with tempfile.TemporaryDirectory(dir="build") as folder:
        output = subprocess.run([*launcher, program, "empty", folder, str(trials)], capture_output=True, text=True, check=True)
    return figures(output.stdout)


def trials_of(study):
    """(seconds, expected) of the finished trials in a study's journal."""
    specifications, groups = {}, {}
    for segment in sorted(Path(study, "journal").glob("*.journal")):
        for line in segment.read_text().splitlines():
            event = json.loads(line[9:])
            if event.get("stage") != "trial":
                continue
            if event["kind"] == "started":
                what = event["data"]
                specifications[event["key"]] = (what["network"], len(what["training_cases"]), len(what["validation_cases"]))
            if event["kind"] == "finished":
                groups.setdefault(specifications.get(event["key"]), []).append(event["data"]["seconds"])
    if not groups:
        sys.exit(f"scheduler: {study}/journal holds no finished trial")
    return [(seconds, sum(group) / len(group)) for group in groups.values() for seconds in group]


def picture(rows, path):
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no picture", file=sys.stderr)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    for trials in TRIALS:
        points = [(devices, 100 * efficiency) for devices, count, efficiency in rows if count == trials]
        axes.plot(*zip(*points), marker="o", label=f"{trials:,} trials")
    axes.axhline(95, color="grey", linewidth=0.8, linestyle="--")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("devices")
    axes.set_ylabel("devices at work, per cent")
    axes.set_ylim(0, 103)
    axes.set_title("Projection: the program's schedule, simulated")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    print(f"picture: {path}")


def main(program, trials=8000, study=None):
    best = max((empty_trials(program, 4, int(trials)) for _ in range(3)), key=lambda one: one["trials_per_second"])
    print(f"EMPTY ranks=4 trials={int(trials)} trials_per_second={best['trials_per_second']:.0f}")
    # Of an empty trial nothing but its way there and back, and two lines in a file, is left.
    message = 4 / best["trials_per_second"] / 2
    numbers = random.Random(1)
    made = [(expected * math.exp(0.06 * numbers.gauss(0, 1)), expected) for expected in (600, 240, 60) for _ in range(3000)]
    known = trials_of(study) if study else made
    seconds = [one for one, _ in known]
    rows = []
    print(f"PROJECTION, no measurement. A message takes {message * 1e6:.0f} us; trials last {min(seconds):.3g} to {max(seconds):.3g} s, "
          f"on average {sum(seconds) / len(seconds):.3g} s")
    print(f"{'devices':>8} {'trials':>7} {'trials/device':>14} {'efficiency':>11} {'hours':>8} {'us/decision':>12}")
    for count in TRIALS:
        lasting = "\n".join("%.6f %.6f" % numbers.choice(known) for _ in range(count))
        for devices in DEVICES:
            with tempfile.TemporaryDirectory() as folder:
                output = subprocess.run([program, "simulate", str(devices), str(message), folder], input=lasting,
                                        capture_output=True, text=True, check=True)
            one = figures(output.stdout)
            rows.append((devices, count, one["efficiency"]))
            print(f"{devices:8d} {count:7d} {count / devices:14.1f} {100 * one['efficiency']:10.1f}% {one['hours']:8.2f} {one['us_a_decision']:12.1f}")
    picture(rows, "build/scheduler.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
