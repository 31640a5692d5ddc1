#!/usr/bin/env python3
"""Searches for hyper-parameters compared: the program's controllers, random points, and Optuna's TPE beside them.

usage: tools/benchmark.sh search [developed|judged|concurrency|early_stopping] [SEEDS [METHOD...]]
developed, judged (default): 50 trials, one open at a time, on the surfaces of that kind in search_surfaces.h, judged with the
table of real trials (hippocampus_trials.csv) if it is there. Controllers are improved by the developed ones; the judged ones are
for the figures in docs/search.md. concurrency: 64 trials on all surfaces with 1 to 64 open, on as many devices and on fewer; the
speed-up in simulated time, over 4000 draws of how long trials last, whatever they try: as long as those of the table, or,
without it, as long as each other but for 6 per cent (standard deviation).
early_stopping: 48 trials of the table of real trials, 16 open, with and without successive halving and the median rule, by the
program's own search; epochs trained, regret, and how many epochs the search without them needs for the same mean regret.
Regret: how far the trial with the highest reward lies below the surface's best, both without the noise. SEEDS (default 200)
searches of each; means with 95 % intervals. TPE: TPESampler() as it comes, but for its seed. Curves: build/search_KIND.csv.
"""

import csv
import math
import subprocess
import sys
from multiprocessing import Pool, cpu_count
from pathlib import Path

TABLE = Path(__file__).with_name("hippocampus_trials.csv")
METHODS = ("reinforcement", "bayesian", "random", "low_discrepancy", "tpe")
TRIALS = 50


def surfaces(program):
    lines = subprocess.run([program, TABLE, "list"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [(words[0], words[1], float(words[2]), [int(word) for word in words[4:]]) for words in map(str.split, lines)]


def ours(job):
    """[wall seconds, busy seconds, regret after each trial], one a seed."""
    program, surface, method, trials, concurrency, devices, first, last = job
    command = [program, TABLE, "run", surface, method, *map(str, (trials, concurrency, devices, first, last))]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [[float(word) for word in line.split()] for line in lines]


def tpe(job):
    """The same of Optuna's, no times."""
    program, surface, choices, first, last = job
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    runs = []
    with subprocess.Popen([program, TABLE, "evaluate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for seed in range(first, last):
            study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
            curve, best, regret = [0.0, 0.0], -math.inf, math.nan
            for index in range(TRIALS):
                trial = study.ask()
                point = [(trial.suggest_categorical(f"x{i}", list(range(count))) + 0.5) / count if count else trial.suggest_float(f"x{i}", 0, 1)
                         for i, count in enumerate(choices)]
                process.stdin.write(" ".join([surface, str(seed), str(index), *map(repr, point)]) + "\n")
                process.stdin.flush()
                here, reward = map(float, process.stdout.readline().split())
                study.tell(trial, reward)
                if reward > best:
                    best, regret = reward, here
                curve.append(regret)
            runs.append(curve)
        process.stdin.close()
    return runs


def mean_and_interval(values):
    """Mean and half of its 95 % interval."""
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1))
    return mean, 1.96 * spread / math.sqrt(len(values))


def in_parts(pool, function, job, seeds):
    part = min(25, math.ceil(seeds / cpu_count()))
    parts = [(*job, first, min(first + part, seeds)) for first in range(0, seeds, part)]
    return [run for runs in pool.map(function, parts) for run in runs]


def geometric_mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def compare(program, pool, kind, seeds, methods):
    rows, means, worse = [], {method: [] for method in methods}, {method: [] for method in methods}
    print(f"Regret after {TRIALS} trials, x 1000, {seeds} seeds; in brackets the paired difference from random, - is better")
    for name, its_kind, noise, choices in surfaces(program):
        if its_kind != kind:
            continue
        curves = {method: in_parts(pool, tpe, (program, name, choices), seeds) if method == "tpe"
                  else in_parts(pool, ours, (program, name, method, TRIALS, 1, 1), seeds) for method in methods}
        print(f"{name} ({len(choices)} dimensions, noise {noise:g})")
        for method in methods:
            last = [curve[-1] for curve in curves[method]]
            mean, half = mean_and_interval(last)
            gap, gap_half = mean_and_interval([one - other[-1] for one, other in zip(last, curves.get("random", curves[method]))])
            means[method].append(mean)
            if gap - gap_half > 0:
                worse[method].append(name)
            median = sorted(last)[len(last) // 2]
            print(f"  {method:16} mean {1000 * mean:7.2f} +- {1000 * half:5.2f}  median {1000 * median:7.2f}  "
                  f"[{1000 * gap:+7.2f} +- {1000 * gap_half:5.2f}]", flush=True)
            for index in range(TRIALS):
                rows.append([name, method, index + 1, *(f"{value:.6g}" for value in mean_and_interval([curve[2 + index] for curve in curves[method]]))])
    print("Mean over the surfaces; geometric mean of the surfaces' ratios to another's regret")
    for method in methods:
        line = f"  {method:16} {1000 * sum(means[method]) / len(means[method]):7.2f}"
        for peer in ("random", "tpe"):
            if peer in methods:
                line += f"  {geometric_mean([one / other for one, other in zip(means[method], means[peer])]):5.2f} x {peer}'s"
        print(line + (f"  worse than random on {', '.join(worse[method])}" if worse[method] else ""))
    write(kind, ["surface", "method", "trials", "regret", "half_interval"], rows)


# What lies closer together than this share of the noise between two trainings of the same trial counts as equal: a search
# that finds the best of four choices under every seed has no regret, of which no ratio could be taken.
EQUAL = 0.1
DURATIONS = 4000  # draws


def speed_up(program, name, open_trials, devices):
    """Of so many devices at work on a search, and half of its 95 % interval."""
    runs = ours((program, name, "random", 64, open_trials, devices, 0, DURATIONS))
    walls = sum(wall for wall, *_ in runs)
    ratio = sum(busy for _, busy, *_ in runs) / walls
    _, half = mean_and_interval([busy - ratio * wall for wall, busy, *_ in runs])
    return ratio, half * len(runs) / walls


def concurrency(program, pool, seeds, methods):
    rows = []
    print(f"64 trials, {seeds} seeds: geometric mean over the surfaces of regret relative to the sequential search, regrets below "
          f"{EQUAL} of the noise counting as that much; the mean regret over the surfaces likewise; speed-up and share of the "
          "devices at work, simulated")
    names = [(name, kind, EQUAL * noise) for name, kind, noise, _ in surfaces(program)]
    for method in methods:
        if method == "tpe":
            continue
        alone = {}
        for devices, open_trials in ((1, 1), (4, 4), (4, 8), (16, 16), (16, 28), (16, 32), (32, 64), (64, 64)):
            ratios, regrets = {"developed": [], "judged": []}, []
            for name, kind, least in names:
                runs = in_parts(pool, ours, (program, name, method, 64, open_trials, devices), seeds)
                mean, _ = mean_and_interval([run[-1] for run in runs])
                ratios[kind].append(max(mean, least) / max(alone.setdefault(name, mean), least))
                regrets.append(mean)
            ratio, of_means = geometric_mean(sum(ratios.values(), [])), sum(regrets) / sum(alone.values())
            judged = geometric_mean(ratios["judged"])
            speed, half = speed_up(program, names[0][0], open_trials, devices)
            figures = (ratio, judged, of_means, speed, speed / devices)
            rows.append([method, devices, open_trials, *(f"{figure:.4f}" for figure in figures)])
            print(f"  {method:16} devices {devices:3d} open {open_trials:3d}  "
                  f"regret x {ratio:5.2f} (judged x {judged:5.2f}, mean x {of_means:5.2f})  "
                  f"speed-up {speed:6.2f} +- {half:4.2f}, at work {100 * speed / devices:5.1f} %", flush=True)
    write("concurrency", ["method", "devices", "open", "regret_ratio", "judged_regret_ratio", "mean_regret_ratio", "speed_up",
                          "at_work"], rows)


STOPPED_TRIALS, OPEN = 48, 16
RULES = ("none", "halving:2:4,10", "halving:2:2,4,10", "halving:3:2,6", "halving:4:4", "median:2:5", "median:4:5")


def stopped(job):
    """[(epochs so far, regret so far) after each trial], one a seed."""
    program, method, rule, first, last = job
    command = [program, TABLE, "stop", method, *map(str, (STOPPED_TRIALS, OPEN, rule, first, last))]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [list(zip(*[iter(map(float, line.split()))] * 2)) for line in lines]


def epochs_for(runs, regret):
    """Mean epochs after which a search's mean regret is first no larger; nothing if it never is."""
    for trial in range(STOPPED_TRIALS):
        if sum(run[trial][1] for run in runs) <= regret * len(runs):
            return sum(run[trial][0] for run in runs) / len(runs)
    return None


def early_stopping(program, pool, seeds, methods):
    rows = []
    print(f"{STOPPED_TRIALS} real trials of 20 epochs, {OPEN} open, {seeds} seeds. Regret x 1000, in brackets the paired difference from the "
          "search that stops none; epochs, and how many times more that one trains, in all and until its mean regret is as small")
    for method in methods:
        if method == "tpe":
            continue
        plain = in_parts(pool, stopped, (program, method, "none"), seeds)
        for rule in RULES:
            runs = plain if rule == "none" else in_parts(pool, stopped, (program, method, rule), seeds)
            mean, half = mean_and_interval([run[-1][1] for run in runs])
            gap, gap_half = mean_and_interval([run[-1][1] - other[-1][1] for run, other in zip(runs, plain)])
            epochs, all_epochs = (sum(run[-1][0] for run in these) / seeds for these in (runs, plain))
            equal = epochs_for(plain, mean)
            until = f"{equal / epochs:4.2f}" if equal else f"over {all_epochs / epochs:4.2f}"
            print(f"  {method:16} {rule:18} {1000 * mean:6.2f} +- {1000 * half:4.2f} [{1000 * gap:+6.2f} +- {1000 * gap_half:4.2f}]  "
                  f"epochs {epochs:6.1f}  {all_epochs / epochs:4.2f} x in all  {until} x until as small", flush=True)
            for trial in range(STOPPED_TRIALS):
                rows.append([method, rule, trial + 1, f"{sum(run[trial][0] for run in runs) / seeds:.6g}",
                             f"{sum(run[trial][1] for run in runs) / seeds:.6g}"])
    write("early_stopping", ["method", "rule", "trials", "epochs", "regret"], rows)


def write(kind, header, rows):
    path = Path("build", f"search_{kind}.csv")
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(f"curves: {path}")


def main(program, kind="judged", seeds="200", *methods):
    if kind not in ("developed", "judged", "concurrency", "early_stopping"):
        sys.exit(__doc__.strip())
    if not TABLE.exists():
        print(f"{TABLE} is not there: synthetic surfaces only, durations made up", file=sys.stderr)
        if kind == "early_stopping":
            sys.exit(1)
    with Pool() as pool:
        if kind == "early_stopping":
            early_stopping(program, pool, int(seeds), methods or METHODS)
        elif kind == "concurrency":
            concurrency(program, pool, int(seeds), methods or METHODS)
        else:
            compare(program, pool, kind, int(seeds), methods or METHODS)


if __name__ == "__main__":
    main(*sys.argv[1:])
