#!/usr/bin/env python3
"""Lets /usr/bin/python3 import the CUDA build of torch where there is no GPU: tools/setup.sh --peers calls it.

usage: tools/stand_in_cuda.py SITE_PACKAGES

The wheel's Python part is linked against cuDNN, cuBLAS, NCCL and their like, 1.6 GB that a machine without a GPU never
calls but that its loader asks for. In place of each that is missing, this puts a library of the same name whose
functions end the process, into nvidia/cu13/lib, where the wheel looks. The C++ part of proxytune links none of them.
"""

import pathlib
import re
import subprocess
import sys
import tempfile


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(site_packages):
    site_packages = pathlib.Path(site_packages)
    target = site_packages / "nvidia" / "cu13" / "lib"
    libraries = sorted((site_packages / "torch" / "lib").glob("*.so*"))
    present = {library.name for library in [*libraries, *target.iterdir()]}
    system = {line.split()[0]: line.split()[-1] for line in output_of("/sbin/ldconfig", "-p").splitlines()[1:]}
    functions = {}  # missing library -> version -> names
    without_version, found_in_system = set(), set()
    for library in libraries:
        headers = output_of("objdump", "-p", str(library))
        for name in set(re.findall(r"^ *NEEDED +(\S+)$", headers, flags=re.M)) - present:
            if name in system:
                found_in_system.add(system[name])
            else:
                functions.setdefault(name, {})
        home = {}
        for block in re.finditer(r"^  required from (\S+):\n((?:    .*\n)*)", headers, flags=re.M):
            for line in block[2].splitlines():
                home[line.split()[-1]] = block[1]
        for line in output_of("nm", "-D", "--undefined-only", str(library)).splitlines():
            symbol, _, version = line.split()[-1].partition("@")
            if home.get(version) in functions:
                functions[home[version]].setdefault(version, set()).add(symbol)
            elif not version and re.match(r"cu|nv|nccl", symbol):
                without_version.add(symbol)
    if not functions:
        return
    # A symbol without a version may be in any of them: each has it.
    for library in [*libraries, *target.glob("*.so*"), *found_in_system]:
        without_version -= {line.split()[-1] for line in output_of("nm", "-D", "--defined-only", str(library)).splitlines()}
    for versions in functions.values():
        versions[""] = without_version
    with tempfile.TemporaryDirectory() as folder:
        for name, versions in functions.items():
            source, script = pathlib.Path(folder, "source.c"), pathlib.Path(folder, "versions")
            source.write_text("".join(f"void {f}(void) {{ __builtin_trap(); }}\n" for v in versions.values() for f in sorted(v)))
            script.write_text("".join(f"{v} {{ {' '.join(f + ';' for f in sorted(fs))} }};\n" for v, fs in versions.items() if v))
            options = [f"-Wl,--version-script={script}"] if any(versions) else []
            command = ["gcc", "-shared", "-fPIC", "-w", "-o", target / name, source, f"-Wl,-soname,{name}", *options]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
