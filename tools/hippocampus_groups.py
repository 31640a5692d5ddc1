#!/usr/bin/env python3
"""Divides the Decathlon's Task04_Hippocampus into the two acquisition groups that configs/hippocampus names.

usage: tools/hippocampus_groups.py TASK04_HIPPOCAMPUS_FOLDER

The set mixes images stored as 32-bit floats with fewer, smoother ones stored as 8-bit integers, which are taken for two
acquisitions: group A and group B. Writes dataset_groupA.json and dataset_groupB.json
beside the folder's dataset.json, which stays as it is. Overwrites nothing.
"""

import gzip
import json
import struct
import sys
import zlib
from pathlib import Path

HEADER_SIZE = 348
# NIfTI-1 codes of stored types.
GROUPS = {16: "A", 2: "B"}
STORED_AS = {"A": "32-bit floats", "B": "8-bit integers"}


def stored_type(path):
    """NIfTI-1's code of the voxels of a .nii or .nii.gz file."""
    opened = gzip.open if path.name.endswith(".gz") else open
    try:
        with opened(path, "rb") as file:
            header = file.read(HEADER_SIZE)
    except (OSError, EOFError, zlib.error) as error:
        sys.exit(f"{path} cannot be read: {error}")
    for order in "<>":
        if len(header) == HEADER_SIZE and struct.unpack_from(order + "i", header)[0] == HEADER_SIZE:
            return struct.unpack_from(order + "h", header, 70)[0]
    sys.exit(f"{path} is no NIfTI-1 image; give the folder of the Decathlon's Task04_Hippocampus")


def divide(folder, entries):
    """The training entries by group, in the order of their images."""
    groups = {"A": [], "B": []}
    for entry in sorted(entries, key=lambda entry: entry["image"]):
        code = stored_type(folder / entry["image"])
        if code not in GROUPS:
            sys.exit(f"{folder / entry['image']} is stored as NIfTI type {code}, which is neither group's: "
                     "are these the Decathlon's own files?")
        groups[GROUPS[code]].append({"image": entry["image"], "label": entry["label"]})
    for name, members in groups.items():
        if not members:
            sys.exit(f"{folder} has no image stored as {STORED_AS[name]}: are these the Decathlon's own files?")
    return groups


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    folder = Path(sys.argv[1])
    try:
        dataset = json.loads((folder / "dataset.json").read_text())
        groups = divide(folder, dataset["training"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{folder / 'dataset.json'} is no Decathlon dataset.json: {error!r}")
    files = {name: folder / f"dataset_group{name}.json" for name in groups}
    for file in files.values():
        if file.exists():
            sys.exit(f"{file} exists; remove it to have it made again")
    for name, members in groups.items():
        about = f"{dataset.get('description', '')} Group {name}: stored as {STORED_AS[name]}.".strip()
        content = {**dataset, "description": about, "numTraining": len(members), "training": members, "numTest": 0, "test": []}
        files[name].write_text(json.dumps(content, indent=1) + "\n")
        print(f"{files[name]}: {len(members)} cases")


if __name__ == "__main__":
    main()
