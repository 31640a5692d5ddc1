#!/usr/bin/env python3
"""Runs clang-tidy on the sources of compile_commands.json that clang can read; tools/lint.sh calls it.

usage: tools/run_clang_tidy.py BUILD_FOLDER [--tests] [--fix] [FILE]...

Sources that reach ITK or LibTorch are left to GCC's warnings: clang 14 cannot read those libraries' headers in
C++20. A source that passed is not run again while it, the project's headers it reaches, its flags, .clang-tidy and
clang-tidy are the same (BUILD_FOLDER/lint/). Exit code 1 if a source has a finding.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

import check_layers

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNREADABLE = {"ITK", "LibTorch", "CUDA", "NCCL"}


def flags_of(entry):
    """Include folders, definitions and the language level: what clang needs, none of GCC's own options."""
    words = shlex.split(entry["command"]) if "command" in entry else entry["arguments"]
    flags, index = [], 1
    while index < len(words):
        word = words[index]
        if word in {"-I", "-isystem", "-D", "-iquote"}:
            flags += [word, words[index + 1]]
            index += 1
        elif word.startswith(("-I", "-D", "-isystem", "-iquote", "-std=")):
            flags.append(word)
        index += 1
    return flags


def include_folders(flags):
    folders = []
    for index, flag in enumerate(flags):
        if flag in {"-I", "-isystem", "-iquote"}:
            folders.append(flags[index + 1])
        elif flag.startswith("-I"):
            folders.append(flag[2:])
    return [pathlib.Path(folder) for folder in folders if pathlib.Path(folder).is_relative_to(ROOT)]


def closure(source, folders):
    """The project's files that a source reaches, and the names of the foreign families among its includes."""
    files, families, waiting = set(), set(), [source]
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files.add(file)
        for include in check_layers.read_includes(file):
            places = [file.parent, *folders] if include.quoted else folders
            found = next((place / include.header for place in places if (place / include.header).is_file()), None)
            if found is not None and found.resolve().is_relative_to(ROOT):
                waiting.append(found.resolve())
            elif (family := check_layers.family_of(include.header)) is not None:
                families.add(family.name)
    return files, families


def digest(files, flags, version):
    key = hashlib.sha256(json.dumps([flags, version]).encode())
    for file in [ROOT / ".clang-tidy", *sorted(files)]:
        key.update(file.read_bytes())
        key.update(b"\0")
    return key.hexdigest()


def run_one(source, flags, fix):
    command = ["clang-tidy", "--quiet", *(["--fix"] if fix else []), str(source), "--", *flags, "-Wno-everything"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    notes = [line for line in done.stderr.splitlines() if "warnings generated" not in line and "Suppressed" not in line]
    return done.returncode, done.stdout + ("\n".join(notes) + "\n" if done.returncode and notes else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--tests", action="store_true", help="the tests' sources as well")
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="only these sources")
    chosen = parser.parse_args()
    begin = time.monotonic()
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    passed = chosen.build / "lint"
    passed.mkdir(parents=True, exist_ok=True)
    only = {file.resolve() for file in chosen.files}
    folders_wanted = ["src", "jobs"] + (["tests"] if chosen.tests else [])

    work, fresh, left = [], 0, 0
    for entry in json.loads((chosen.build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        wanted = source in only if only else any(source.is_relative_to(ROOT / folder) for folder in folders_wanted)
        if not wanted or source.suffix != ".cpp" or not source.is_file():
            continue
        flags = flags_of(entry)
        files, families = closure(source, include_folders(flags))
        if families & UNREADABLE:
            left += 1
            continue
        key = digest(files, flags, version)
        if (passed / key).exists() and not chosen.fix:
            fresh += 1
        else:
            work.append((len(files), source, flags, key))
    work.sort(reverse=True, key=lambda piece: piece[0])

    failures = 0
    # Two sources that one fix would touch through a shared header must not be fixed at once.
    with concurrent.futures.ThreadPoolExecutor(1 if chosen.fix else os.cpu_count()) as pool:
        runs = {pool.submit(run_one, source, flags, chosen.fix): (source, key) for _, source, flags, key in work}
        for run in concurrent.futures.as_completed(runs):
            code, text = run.result()
            source, key = runs[run]
            if code == 0:
                (passed / key).touch()
            else:
                failures += 1
                print(f"{source.relative_to(ROOT)}:\n{text}", flush=True)
    print(
        f"clang-tidy: {len(work)} sources read in {time.monotonic() - begin:.0f} s, {fresh} unchanged, "
        f"{left} left to GCC (ITK, LibTorch, CUDA), {failures} with findings"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
