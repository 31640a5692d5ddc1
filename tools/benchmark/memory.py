#!/usr/bin/env python3
"""Peak memory of a trial: what `check` predicts beside what a trial of two epochs takes, for every network of the shipped studies.

usage: tools/benchmark.sh memory [STUDY.yaml...]
Six made cases, cubes that patches and windows fit into; each measurement is a process of its own, in f32.
"""

import re
import subprocess
import sys
from pathlib import Path


def extents(text, name, otherwise):
    found = re.search(rf"^  {name}: \[(\d+), (\d+), (\d+)\]", text, re.M)
    return list(found.groups()) if found else otherwise


def main():
    program, *studies = sys.argv[1:]
    for study in studies or sorted(Path("configs").glob("*/*.yaml")):
        text = Path(study).read_text()
        patch = extents(text, "patch", ["96"] * 3)
        window = extents(text, "window", ["96"] * 3)
        edge = str(max(map(int, patch + window)) + 16)
        line = r"name: (\w+), channels: (\d+), levels: (\d+), residual_units: (\d+)(?:, norm: (\w+))?"
        for name, channels, levels, units, norm in re.findall(line, text):
            words = [channels, levels, units, norm or "instance", *patch, *window, "2", edge, "f32"]
            predicted, trained = (float(subprocess.check_output([program, what, *words])) for what in ("predicted", "trained"))
            print(f"RATIO name=memory_{Path(study).parent.name}_{Path(study).stem}_{name} peer=trial ours={predicted:.1f} "
                  f"theirs={trained:.1f} unit=MiB ratio={trained / predicted:.2f}", flush=True)


if __name__ == "__main__":
    main()
