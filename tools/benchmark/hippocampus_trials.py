#!/usr/bin/env python3
"""Trains every point of a grid on hippocampus proxies and keeps what came of it: tools/benchmark/hippocampus_trials.csv.

usage: tools/benchmark/hippocampus_trials.py PROGRAM DATA FOLDER [RANKS]
PROGRAM is the built proxytune, DATA the folder that holds Task04_Hippocampus (with the two groups' files, see
tools/hippocampus_groups.py), FOLDER takes the studies, which go on where they were killed. 8 learning rates x 4
probabilities of an intensity shift x 4 optimizers, each from 4 random starts on one split (configs/hippocampus/
fixed_split.json: 24 training, 12 validation cases), network proxy5, 20 epochs validated every 2; some 30 minutes on a core.
"""

import csv
import math
import os
import subprocess
import sys
from pathlib import Path

import h5py

RATES = [float(f"{2e-4 * 100 ** (step / 7):.3g}") for step in range(8)]
PROBABILITIES = [0.0, 0.33, 0.67, 1.0]
STUDY = """\
name: hippocampus_trials_{name}
seed: 0
data:
  internal: ${{PROXYTUNE_DATA}}/Task04_Hippocampus/dataset_groupA.json
  external: ${{PROXYTUNE_DATA}}/Task04_Hippocampus/dataset_groupB.json
  labels: {{0: 0, 1: 1, 2: 1}}
  cases: 36
  external_cases: 30
  splits: {splits}
preprocessing: {{orientation: RAS, spacing: [1, 1, 1], intensity: nonzero_zscore, pad_to: [32, 32, 32]}}
networks:
  - {{name: proxy5, channels: 4, levels: 5, residual_units: 1, norm: instance}}
training:
  epochs: 20
  validate_every: 2
  cases_per_step: 2
  patches_per_case: 2
  patch: [32, 32, 32]
  window: [32, 32, 32]
  windows_per_step: 8
arms:
  - {{name: all_proxy5, data: all, network: proxy5}}
reference: all_proxy5
sweep: {{optimizers: [adam, rmsprop, adamax, novograd], learning_rates: {rates}, repeats: 4, shift_probability: {probability}}}
# A results file wants these stages too: a trial each.
search: {{method: random, trials: 1, concurrency: 1}}
final_training: {{network: proxy5, repeats: 1}}
output: {{folder: {folder}}}
"""


def run(program, study, ranks):
    launcher = [] if ranks == 1 else ["mpiexec", "--allow-run-as-root", "--bind-to", "none", "-n", str(ranks)]
    subprocess.run([*launcher, program, "run", study], check=True)


def rows_of(results):
    with h5py.File(results) as file:
        table = {name: column[:] for name, column in file["trials/sweep"].items()}
        curves = {key.decode(): row for key, row in zip(file["curves/sweep/trial"][:], file["curves/sweep_arrays/validation_dice"][:])}
        seconds = dict(zip(file["execution/trials/trial"][:], file["execution/trials/seconds"][:]))
    for i, key in enumerate(table["trial"]):
        curve = [f"{dice:.4f}" for dice in curves[key.decode()] if not math.isnan(dice)]
        yield [f"{table['learning_rate'][i]:g}", f"{table['shift_probability'][i]:g}", table["optimizer"][i].decode(), table["repeat"][i],
               table["status"][i].decode(), f"{table['external_dice'][i]:.4f}", f"{seconds[key]:.2f}", " ".join(curve)]


def main(program, data, folder, ranks="1"):
    program, folder = Path(program).resolve(), Path(folder).resolve()
    here = Path(__file__).resolve().parent
    os.environ["PROXYTUNE_DATA"] = str(Path(data).resolve())
    rows = []
    for probability in PROBABILITIES:
        name = f"shift{round(100 * probability)}"
        study = folder / f"{name}.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        study.write_text(STUDY.format(name=name, rates=RATES, probability=probability, folder=folder / name,
                                      splits=here.parents[1] / "configs/hippocampus/fixed_split.json"))
        run(program, study, int(ranks))
        rows += rows_of(folder / name / "results.h5")
    with open(here / "hippocampus_trials.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["learning_rate", "shift_probability", "optimizer", "repeat", "status", "external_dice", "seconds", "validation_dice"])
        writer.writerows(rows)
    print(f"{len(rows)} trials in {here / 'hippocampus_trials.csv'}")


if __name__ == "__main__":
    if not 4 <= len(sys.argv) <= 5:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
