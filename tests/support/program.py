"""Runs the real program the way a user does, for the tests in tests/pipeline and tests/faults."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = os.environ.get("PROXYTUNE_PROGRAM", "build/proxytune")
MPIEXEC = os.environ.get("PROXYTUNE_MPIEXEC", "mpiexec")

TINY_STUDY = """\
name: tiny
seed: 3
data:
  internal: data/siteA/dataset.json
  external: data/siteB/dataset.json
  validation_cases: 2
preprocessing:
  spacing: [3, 3, 3]
  pad_to: [16, 16, 16]
similarity: {cube: 12, tile: 2}
networks:
  - {name: full, channels: 4, levels: 2, residual_units: 2}
  - {name: proxy, channels: 2, levels: 2, residual_units: 1}
training:
  epochs: 2
  validate_every: 1
  patches_per_case: 1
  patch: [16, 16, 16]
  window: [16, 16, 16]
arms:
  - {name: all_full}
  - {name: mi_crop_full, data: proxy, budget: 4}
  - {name: random_proxy, data: random, budget: 4, network: proxy}
reference: all_full
sweep:
  optimizers: [adam, novograd]
  learning_rates: [0.001]
  repeats: 2
search:
  arms: [all_full, mi_crop_full]
  trials: 4
  concurrency: 2
final_training: {repeats: 1}
output: {folder: OUT}
"""


def mpi_command(ranks):
    # Tests run more ranks than cores, and as root in containers.
    command = [MPIEXEC, "-n", str(ranks)]
    version = subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True).stdout
    if "Open MPI" in version or "OpenRTE" in version:
        command[1:1] = ["--oversubscribe", "--bind-to", "none"]
        if os.geteuid() == 0:
            command[1:1] = ["--allow-run-as-root"]
    return command


class Run:
    def __init__(self, process):
        self.code = process.returncode
        self.output = process.stdout
        self.errors = process.stderr
        self.text = process.stdout + process.stderr


def run(*arguments, ranks=1, cwd=None, timeout=240):
    process = subprocess.run(
        mpi_command(ranks) + [PROGRAM, *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=timeout)
    return Run(process)


def start(*arguments, ranks=1, cwd=None):
    """In a process group of its own, so that a test can kill launcher and ranks together."""
    return subprocess.Popen(
        mpi_command(ranks) + [PROGRAM, *map(str, arguments)],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def ranks_of(launcher):
    """Process ids of the program's ranks under this launcher."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            name = os.readlink(entry / "exe")
        except OSError:
            continue
        if int(fields[1]) == launcher.pid and Path(name).name == Path(PROGRAM).name:
            found.append(int(entry.name))
    return sorted(found)


def kill_all(launcher):
    """SIGKILL to every rank and to the launcher at once, as a node that loses power does."""
    for pid in ranks_of(launcher) + [launcher.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    launcher.wait()


def differences(first, second):
    """What h5diff finds between two results files outside /execution."""
    tool = shutil.which("h5diff")
    if tool is None:
        raise unittest.SkipTest("h5diff is not installed")
    process = subprocess.run(
        [tool, "--exclude-path", "/execution", str(first), str(second)], capture_output=True, text=True)
    return process.stdout + process.stderr if process.returncode != 0 else ""


def segment_events(segment):
    """What one rank of one launch noted."""
    # What follows the last line end was torn by a kill.
    return [json.loads(line.split(" ", 1)[1]) for line in segment.read_text().split("\n")[1:-1]]


def journal_events(folder):
    """Every event of a study's journal, by segment and line."""
    return [event for segment in sorted((Path(folder) / "journal").glob("*.journal")) for event in segment_events(segment)]


def finished_trials(folder):
    """Their keys, in a study's own journal."""
    return [event["key"] for event in journal_events(folder) if event["kind"] == "finished" and event["stage"] == "trial"]


def wait_for_finished(launcher, folder, count, stage="trial", limit=120, kind="finished"):
    """Returns True once the journal of a running study holds `count` finished pieces (or other events of a kind), False
    if it ended before.

    By events instead of by seconds: the whole study takes half a second on one machine and ten on another."""
    deadline = time.time() + limit
    words = f'"{kind}"'.encode(), f'"{stage}"'.encode()
    while launcher.poll() is None and time.time() < deadline:
        lines = b"".join(segment.read_bytes() for segment in (Path(folder) / "journal").glob("*.journal")).splitlines()
        if sum(all(word in line for word in words) for line in lines) >= count:
            return launcher.poll() is None
        time.sleep(0.002)
    return False


class ProgramTest(unittest.TestCase):
    """A scratch folder with six internal and two external phantoms, made once a class."""

    phantom_options = ("--set", "internal_cases=6", "--set", "external_cases=2")

    @classmethod
    def setUpClass(cls):
        cls.scratch = Path(tempfile.mkdtemp(prefix="proxytune_test_"))
        made = run("phantom", cls.scratch / "data", *cls.phantom_options)
        assert made.code == 0, made.text

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch, ignore_errors=True)

    @classmethod
    def run_reference(cls, text, ranks=2):
        """The same study, undisturbed, in the folder `cls.reference`; what it said."""
        cls.reference = cls.scratch / "reference"
        path = cls.scratch / "reference.yaml"
        path.write_text(text.replace("OUT", str(cls.reference)))
        result = run("run", path, ranks=ranks)
        assert result.code == 0, result.text
        return result

    def study(self, name, text=TINY_STUDY):
        """Writes a study file whose output folder is `name`; returns file and folder."""
        folder = self.scratch / name
        path = self.scratch / f"{name}.yaml"
        path.write_text(text.replace("OUT", str(folder)))
        return path, folder

    def done(self, result):
        self.assertEqual(result.code, 0, result.text)
        return result


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])


__all__ = ["ProgramTest", "TINY_STUDY", "differences", "finished_trials", "journal_events", "kill_all", "main", "ranks_of", "run",
           "segment_events", "start", "time", "signal", "wait_for_finished"]
