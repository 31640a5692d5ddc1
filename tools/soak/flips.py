"""A flipped bit anywhere in what a study keeps, COUNT times: journal, cache, pair matrices, checkpoints, results, weights and
the small files beside them; then the same command again (`verify` for results, `predict` for weights). It must give the
results of the study that nobody touched, or refuse with a sentence; never other results, never a crash.

SOAK name=flips count=N same=S refused=R wrong=0 crashed=0
"""

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))
from program import PROGRAM, ProgramTest, TINY_STUDY, differences, kill_all, run, start, wait_for_finished  # noqa: E402

STUDY = TINY_STUDY.replace("optimizers: [adam, novograd]", "optimizers: [adam]").replace("  repeats: 2", "  repeats: 1").replace(
    "arms: [all_full, mi_crop_full]", "arms: [all_full]").replace("trials: 4", "trials: 2")
KINDS = {
    "journal": "journal/*.journal",
    "cache": "cache/*",
    "pairs": "pairs/*",
    "checkpoints": "checkpoints/**/*",
    "fields": "*.json",
    "results": "results.h5",
    "weights": "weights/*.pt",
}


def flip(file, dice):
    data = bytearray(file.read_bytes())
    place = dice.randrange(len(data))
    bit = dice.randrange(8)
    data[place] ^= 1 << bit
    file.write_bytes(data)
    return f"bit {bit} of byte {place} of {len(data)}"


def alone(*arguments):
    """One rank, without a launcher: it starts in half the time. Its exit code and all it says."""
    process = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=300)
    return process.returncode, (process.stdout + process.stderr).decode(errors="replace")


class Soak:
    def __init__(self):
        self.scratch = ProgramTest.scratch
        self.image = next((self.scratch / "data/siteB").rglob("*.nii*"))
        self.counts = Counter()
        # What is kept while a study runs, and when it is done.
        self.states = {}
        for state in ("half", "done"):
            folder = self.scratch / state
            path = self.study_of(folder)
            if state == "half":
                self.run_half(path, folder)
            else:
                result = run("run", path, ranks=2)
                assert result.code == 0, result.text
                self.mask = self.predicted(path, self.scratch / "masks")[2]
            self.states[state] = folder

    def run_half(self, path, folder):
        """A killed study with finished trials and at least one that has a checkpoint and the one before."""
        for _ in range(20):
            launcher = start("run", path, "--set", "compute.checkpoint_interval=1e-6", ranks=2)
            if not wait_for_finished(launcher, folder, 2):
                sys.exit("flips: the study ended too early: " + launcher.communicate()[0])
            while launcher.poll() is None and not list((folder / "checkpoints").glob("*.previous")):
                time.sleep(0.001)
            kill_all(launcher)
            launcher.stdout.close()
            if list((folder / "checkpoints").glob("*.previous")):
                return
            shutil.rmtree(folder)
        sys.exit("flips: no kill met a trial with a checkpoint")

    def study_of(self, folder):
        path = self.scratch / f"{folder.name}.yaml"
        path.write_text(STUDY.replace("OUT", str(folder)))
        return path

    def predicted(self, path, output):
        shutil.rmtree(output, ignore_errors=True)
        code, text = alone("predict", path, "--input", self.image, "--output", output, "--arm", "all_full")
        masks = sorted(output.rglob("*.nii*")) if output.exists() else []
        return code, text, masks[0].read_bytes() if masks else b""

    def outcome(self, kind, path, folder):
        """same, refused, wrong or crashed; and what the program said."""
        if kind == "results":
            code, text = alone("verify", folder / "results.h5")
            same = code == 0 and not differences(self.states["done"] / "results.h5", folder / "results.h5")
        elif kind == "weights":
            code, text, mask = self.predicted(path, self.scratch / "flipped_masks")
            same = code == 0 and mask == self.mask
        else:
            code, text = alone("run", path)
            same = code == 0 and not differences(self.states["done"] / "results.h5", folder / "results.h5")
        if code == 0:
            return ("same" if same else "wrong"), text
        # 2, 3, 4: a sentence about the study, the data or the system. Anything else is a bug or a signal.
        return ("refused" if code in (2, 3, 4) and "bug" not in text else "crashed"), f"code {code}\n{text}"

    def once(self, number, dice):
        state = dice.choice(("half", "done"))
        folder = self.scratch / "flipped"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.states[state], folder)
        path = self.study_of(folder)
        files = {kind: [file for file in sorted(folder.glob(pattern)) if file.is_file() and file.stat().st_size > 0]
                 for kind, pattern in KINDS.items()}
        if state == "half":
            files["weights"] = []
        kind = dice.choice([kind for kind in KINDS if files[kind]])
        file = dice.choice(files[kind])
        what = flip(file, dice)
        outcome, text = self.outcome(kind, path, folder)
        self.counts[outcome] += 1
        self.counts[kind, outcome] += 1
        if outcome in ("wrong", "crashed"):
            kept = self.scratch.parent / f"proxytune_flip_{number}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder, kept)
            print(f"{number}: {outcome.upper()}: {state}, {file.relative_to(folder)}, {what}, kept in {kept}\n{text}", flush=True)
        elif number % 50 == 0:
            print(f"{number}: {state}, {file.relative_to(folder)}, {what}: {outcome}", flush=True)


def main(count):
    ProgramTest.setUpClass()
    soak = Soak()
    dice = random.Random(2021)
    for number in range(count):
        soak.once(number, dice)
    for kind in KINDS:
        print(f"{kind}: " + ", ".join(f"{outcome} {soak.counts[kind, outcome]}" for outcome in ("same", "refused", "wrong", "crashed")))
    ProgramTest.tearDownClass()
    counts = soak.counts
    print(f"SOAK name=flips count={count} same={counts['same']} refused={counts['refused']} wrong={counts['wrong']} "
          f"crashed={counts['crashed']}")
    return 1 if counts["wrong"] or counts["crashed"] or not counts["refused"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
