#!/usr/bin/env python3
"""MONAI's training script and ours on the same hippocampus split: Dice, loss curves, time of whole trials. One thread each.

usage: tools/benchmark.sh against-monai TASK04_HIPPOCAMPUS [--seeds 5] [--epochs 40] [--output out/against_monai]
                                        [--set KEY=VALUE]...
The split, networks and settings are those of configs/hippocampus/baseline.yaml; --set changes ours (compute.precision=f32).
MONAI's script is its tutorial's: transforms and CacheDataset of its own, UNet, DiceLoss, Adam, a validation by sliding
windows every 4 epochs, whose best weights are scored on the external cases. It gets the allocator settings and flushed
denormals that our program gives itself. Each round trains the next seed of both networks, MONAI's and then ours.
Writes trials.csv, curves.csv and curves.png into the output folder; started again, it keeps the trials that are there.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import time
from pathlib import Path

import h5py
import matplotlib
import numpy
import scipy.stats
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor
from monai.inferers import sliding_window_inference
from monai.losses import DiceLoss
from monai.metrics import DiceMetric
from monai.networks.nets import UNet
from monai.networks.utils import one_hot
from monai.transforms import (Compose, MapLabelValued, MapTransform, NormalizeIntensityd, RandCropByPosNegLabeld,
                              RandShiftIntensityd, Spacingd, SpatialPadd)
from monai.utils import set_determinism

from training_step import keep_memory

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402

STUDY = Path("configs/hippocampus/baseline.yaml")
NETWORKS = {"full": (16, 2), "proxy5": (4, 1)}  # channels of the first level, residual units
PATCH = (32, 32, 32)
VALIDATE_EVERY = 4
TRIAL = ["library", "network", "seed", "external_dice", "validation_dice", "best_epoch", "seconds", "training_seconds",
         "validation_seconds"]
CURVE = ["library", "network", "seed", "epoch", "loss", "validation_dice"]
KEYS = ["image", "label"]
# Only the sweep is compared; a whole run, which writes the results, also searches and trains: the least of it.
LITTLE_ELSE = ["reference=all_proxy5", "search.arms=[all_proxy5]", "search.trials=1", "final_training={network: proxy5, repeats: 1}"]


class ReadNifti(MapTransform):
    """Volumes with their affine; those stored otherwise than along R, A, S are refused, so that Orientation, which needs
    nibabel, would have nothing to do."""

    types = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2"}

    def __call__(self, case):
        return {key: self.read(case[key]) for key in self.keys}

    def read(self, path):
        with gzip.open(path) as file:
            data = file.read()
        order = "<" if data[:4] == b"\x5c\x01\0\0" else ">"

        def field(kind, count, at):
            return numpy.frombuffer(data, numpy.dtype(kind).newbyteorder(order), count, at)

        shape = field("i2", 3, 42)
        kind = numpy.dtype(self.types[int(field("i2", 1, 70)[0])]).newbyteorder(order)
        voxels = numpy.frombuffer(data, kind, int(shape.prod(dtype=int)), int(field("f4", 1, 108)[0]))
        slope, intercept = field("f4", 2, 112)
        values = voxels.reshape(shape, order="F").astype(numpy.float32)
        if slope != 0:
            values = values * slope + intercept
        affine = numpy.eye(4)
        affine[:3] = field("f4", 12, 280).reshape(3, 4)
        axes = affine[:3, :3]
        if field("i2", 1, 254)[0] == 0 or (axes != numpy.diag(axes.diagonal())).any() or (axes.diagonal() <= 0).any():
            raise SystemExit(f"{path} is not stored along R, A, S: reorient it first")
        return MetaTensor(torch.from_numpy(values.copy())[None], affine=torch.from_numpy(affine))


def cases_of(folder):
    """Training, validation and external cases."""

    def entries(name, count):
        listed = json.loads((folder / name).read_text())["training"][:count]
        return {Path(one["image"]).name.split(".")[0]: {key: folder / one[key] for key in KEYS} for one in listed}

    internal = entries("dataset_groupA.json", 36)
    split = json.loads((STUDY.parent / "fixed_split.json").read_text())[0]
    chosen = [[internal[case] for case in split[use]] for use in ("training", "validation")]
    return *chosen, list(entries("dataset_groupB.json", 30).values())


def cached(cases, random=()):
    return CacheDataset(cases, Compose([
        ReadNifti(KEYS),
        Spacingd(KEYS, pixdim=(1, 1, 1), mode=("bilinear", "nearest")),
        MapLabelValued("label", orig_labels=[0, 1, 2], target_labels=[0, 1, 1]),
        NormalizeIntensityd("image", nonzero=True, channel_wise=True),
        SpatialPadd(KEYS, PATCH),
        *random,
    ]), progress=False)


def score(network, loader):
    metric = DiceMetric(include_background=False)
    network.eval()
    with torch.no_grad():
        for case in loader:
            logits = sliding_window_inference(case["image"], PATCH, 4, network, overlap=0.25)
            metric(one_hot(logits.argmax(1, keepdim=True), 2), one_hot(case["label"], 2))
    return metric.aggregate().item()


def train_monais(name, seed, epochs, cases):
    """A row of the trials and rows of the curves."""
    set_determinism(seed)
    training, validation, external = cases
    training = cached(training, [
        RandCropByPosNegLabeld(KEYS, label_key="label", spatial_size=PATCH, pos=1, neg=1, num_samples=4),
        RandShiftIntensityd("image", offsets=0.1, prob=0.5),
    ])
    loader = DataLoader(training, batch_size=2, shuffle=True)
    validation, external = (DataLoader(cached(some), batch_size=1) for some in (validation, external))
    channels, units = NETWORKS[name]
    network = UNet(3, 1, 2, [channels << level for level in range(5)], (2, 2, 2, 2), num_res_units=units, norm="instance")
    loss_function = DiceLoss(to_onehot_y=True, softmax=True)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    curve, best, seconds = [], (-1.0, -1, None), {"training": 0.0, "validation": 0.0}
    for epoch in range(epochs):
        start = time.perf_counter()
        network.train()
        losses = []
        for batch in loader:
            optimizer.zero_grad()
            loss = loss_function(network(batch["image"]), batch["label"])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        trained = time.perf_counter()
        dice = float("nan")
        if (epoch + 1) % VALIDATE_EVERY == 0 or epoch + 1 == epochs:
            dice = score(network, validation)
            if dice > best[0]:
                best = dice, epoch, {key: value.clone() for key, value in network.state_dict().items()}
        seconds["training"] += trained - start
        seconds["validation"] += time.perf_counter() - trained
        curve.append(["monai", name, seed, epoch, numpy.mean(losses), dice])
    network.load_state_dict(best[2])
    return ["monai", name, seed, score(network, external), *best[:2], sum(seconds.values()), *seconds.values()], curve


def train_ours(program, seeds, epochs, arguments):
    """Trains up to so many seeds of both networks; rows of all their trials and curves."""
    folder = arguments.output.resolve() / f"ours_{epochs}"
    # One at a time, as the peer's.
    settings = ["compute.trials_per_device=1", f"sweep.repeats={seeds}", f"training.epochs={epochs}",
                f"output.folder={folder}", *LITTLE_ELSE, *arguments.set]
    command = [program, "run", str(STUDY)]
    for setting in settings:
        command += ["--set", setting]
    environment = dict(os.environ, PROXYTUNE_DATA=str(arguments.data.resolve().parent))
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    with h5py.File(folder / "results.h5") as file:
        table = {key: file["trials/sweep"][key][:] for key in file["trials/sweep"]}
        curves = {key: file["curves/sweep_arrays"][key][:] for key in ("loss", "validation_dice")}
        order = [key.decode() for key in file["curves/sweep/trial"][:]]
        costs = {key: file["execution/trials"][key][:] for key in file["execution/trials"]}
    costs["seconds"] -= costs["external_seconds"]  # MONAI's are without them too
    trials, rows = [], []
    cost_row = {key.decode(): i for i, key in enumerate(costs["trial"])}
    for i, key in enumerate(table["trial"]):
        which = ["ours", table["arms"][i].decode().removeprefix("all_"), int(table["repeat"][i])]
        cost = cost_row[key.decode()]
        trials.append([*which, table["external_dice"][i], table["validation_dice"][i], int(table["best_epoch"][i]),
                       *(costs[column][cost] for column in ("seconds", "training_seconds", "validation_seconds"))])
        values = zip(*(curves[column][order.index(key.decode())] for column in ("loss", "validation_dice")))
        rows += [[*which, epoch, *pair] for epoch, pair in enumerate(values)]
    return trials, rows


def read(path, kinds):
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return [[kind(value) for kind, value in zip(kinds, row)] for row in list(csv.reader(file))[1:]]


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def column(trials, library, network, name):
    """By seed."""
    chosen = sorted((row for row in trials if row[:2] == [library, network]), key=lambda row: row[2])
    return numpy.array([row[TRIAL.index(name)] for row in chosen], dtype=float)


def mean_and_interval(result, mean):
    interval = result.confidence_interval(0.95)
    return f"difference={mean:.5f} low={interval.low:.5f} high={interval.high:.5f}"


def welch(one, other):
    """95 % interval of the difference of the means of two independent samples."""
    parts = [sample.var(ddof=1) / len(sample) for sample in (one, other)]
    freedom = sum(parts) ** 2 / sum(part**2 / (len(sample) - 1) for part, sample in zip(parts, (one, other)))
    half = scipy.stats.t.ppf(0.975, freedom) * sum(parts) ** 0.5
    mean = one.mean() - other.mean()
    return f"difference={mean:.5f} low={mean - half:.5f} high={mean + half:.5f}"


def report(trials):
    for network in NETWORKS:
        for name in ("external_dice", "validation_dice"):
            ours, theirs = (column(trials, library, network, name) for library in ("ours", "monai"))
            print(f"DICE network={network} score={name} seeds={len(ours)} ours={ours.mean():.5f} sd={ours.std(ddof=1):.5f} "
                  f"monai={theirs.mean():.5f} sd={theirs.std(ddof=1):.5f}" if len(ours) > 1 else
                  f"DICE network={network} score={name} seeds=1 ours={ours[0]:.5f} monai={theirs[0]:.5f}")
            if len(ours) > 1:
                print(f"DIFFERENCE network={network} score={name} samples=independent {welch(ours, theirs)}")
                paired = scipy.stats.ttest_rel(ours, theirs)
                print(f"DIFFERENCE network={network} score={name} samples=paired_by_seed "
                      f"{mean_and_interval(paired, (ours - theirs).mean())}")
        for name in ("seconds", "training_seconds", "validation_seconds"):
            ours, theirs = (column(trials, library, network, name).mean() for library in ("ours", "monai"))
            print(f"RATIO name=hippocampus_{name}_{network} peer=monai_script ours={ours:.4g} theirs={theirs:.4g} "
                  f"unit=s/trial ratio={theirs / ours:.2f}")


def draw(curves, path):
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2), sharey=True)
    for axis, network in zip(axes, NETWORKS):
        for library, colour in (("monai", "tab:orange"), ("ours", "tab:blue")):
            rows = [row for row in curves if row[:2] == [library, network]]
            seeds = sorted({row[2] for row in rows})
            loss = numpy.array([[row[4] for row in sorted(rows, key=lambda row: row[3]) if row[2] == seed] for seed in seeds])
            epochs = numpy.arange(1, loss.shape[1] + 1)
            axis.plot(epochs, loss.mean(0), color=colour, label=f"{library}, mean of {len(seeds)} seeds")
            axis.fill_between(epochs, loss.min(0), loss.max(0), color=colour, alpha=0.25, linewidth=0)
        axis.set(title=f"{network} network", xlabel="epoch")
        axis.legend()
    axes[0].set_ylabel("training loss (Dice), bands: least to greatest")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data", type=Path, help="folder of Task04_Hippocampus with its two dataset_group files")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("out/against_monai"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of our study")
    return parser.parse_args()


def main():
    arguments = parse()
    keep_memory()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    files = {name: arguments.output / f"{name}_{arguments.epochs}.csv" for name in ("trials", "curves")}
    monais = {"trials": [row for row in read(files["trials"], [str, str, int, *[float] * 2, int, *[float] * 3]) if row[0] == "monai"],
              "curves": [row for row in read(files["curves"], [str, str, int, int, float, float]) if row[0] == "monai"]}
    cases = cases_of(arguments.data)
    for seed in range(arguments.seeds):
        for network in NETWORKS:
            if any(row[:3] == ["monai", network, seed] for row in monais["trials"]):
                continue
            trial, curve = train_monais(network, seed, arguments.epochs, cases)
            monais["trials"].append(trial)
            monais["curves"] += curve
            for name, header in (("trials", TRIAL), ("curves", CURVE)):
                write(files[name], header, monais[name])
        trials, curves = train_ours(arguments.program, seed + 1, arguments.epochs, arguments)
        trials, curves = monais["trials"] + trials, monais["curves"] + curves
        for name, header, rows in (("trials", TRIAL, trials), ("curves", CURVE, curves)):
            write(files[name], header, rows)
        print(f"seed {seed}: done", flush=True)
    used = [[row for row in rows if row[2] < arguments.seeds] for rows in (trials, curves)]
    report(used[0])
    draw(used[1], arguments.output / f"curves_{arguments.epochs}.png")


if __name__ == "__main__":
    main()
