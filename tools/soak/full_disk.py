"""A disk that is full at some moment of a study, COUNT times: the study's folder lies on a small file system of its own
(tmpfs), which is filled up to a few random kilobytes when a random event is in the journal, before the pair matrix or
before the results, or is too small from the beginning. The job must end with code 4 and one sentence that names the file; with room again the same command must give
the uninterrupted results and repeat no finished trial. It takes the right to mount; without, it says so and does nothing.

SOAK name=full_disk count=N full=F pairs=P results=R (how often those were what did not fit) lost=0 repeated=0 different=0 unclear=0 failed=0
"""

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))
from program import ProgramTest, TINY_STUDY, differences, finished_trials, run, start, wait_for_finished  # noqa: E402

STUDY = TINY_STUDY.replace("epochs: 2\n  validate_every: 1", "epochs: 20\n  validate_every: 10").replace(
    "repeats: 2", "repeats: 1").replace("trials: 4", "trials: 2")
# Checkpoints at every step meet a full disk first; without them the others do.
CHECKPOINTS = ("--set", "compute.checkpoint_interval=1e-6")
# (event, its stage): how many of them there are at most before the disk is filled.
MOMENTS = ((("finished", "tile"), 8), (("started", "trial"), 11), (("checkpoint", "trial"), 60), (("finished", "trial"), 11))
ENDINGS = ("No space left on device", "did not all end one step within")


class Disk:
    """A small file system, mounted at a folder."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.mounted = os.geteuid() == 0 and self.mount("size=64m")

    def mount(self, options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], capture_output=True).returncode == 0

    def resize(self, kilobytes):
        return self.mount(f"remount,size={kilobytes}k")

    def used(self):
        status = os.statvfs(self.folder)
        return (status.f_blocks - status.f_bfree) * status.f_frsize // 1024

    def leave(self, kilobytes):
        """So much room and no more."""
        # Refused where the study wrote more meanwhile.
        while not self.resize(self.used() + kilobytes):
            pass

    def close(self):
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


def complaints(text):
    """What the job ended with: its lines that name what the system refused."""
    return sorted({re.sub(r"^.*?rank \d+: ", "", line) for line in text.splitlines() if any(ending in line for ending in ENDINGS)})


class Soak:
    def __init__(self):
        self.scratch = ProgramTest.scratch
        ProgramTest.run_reference(STUDY)
        self.reference = ProgramTest.reference
        self.trials = set(finished_trials(self.reference))
        self.whole = sum(file.stat().st_size for file in self.reference.rglob("*") if file.is_file()) // 1024
        self.sums = dict.fromkeys(("full", "pairs", "results", "lost", "repeated", "different", "unclear", "failed"), 0)

    def fill_in_the_midst(self, disk, path, folder, more, ranks, dice):
        (kind, stage), most = dice.choice(MOMENTS if more else MOMENTS[:2] + MOMENTS[3:])
        count = dice.randrange(1, most)
        launcher = start("run", path, *more, ranks=ranks)
        if wait_for_finished(launcher, folder, count, stage=stage, kind=kind):
            disk.leave(dice.randrange(0, 60, 4))
        output, _ = launcher.communicate(timeout=300)
        return launcher.returncode, output, f"after {count} {stage}s {kind}"

    def too_small(self, disk, path, more, ranks, dice):
        disk.resize(dice.randrange(8, max(12, self.whole), 4))
        result = run("run", path, *more, ranks=ranks)
        return result.code, result.text, "from the beginning"

    def at_a_stage(self, disk, path, folder, more, ranks, dice, stage):
        before, most = {"rank": ("preprocess", 32), "analyse": ("run", 140)}[stage]
        assert run(before, path, *more, ranks=ranks).code == 0
        (folder / "results.h5").unlink(missing_ok=True)
        disk.leave(dice.randrange(0, most, 4))
        result = run(stage, path, *more, ranks=ranks)
        return result.code, result.text, f"before {stage}"

    def once(self, number, dice):
        place = self.scratch / f"disk{number}"
        disk = Disk(place)
        try:
            path, folder = self.scratch / f"study{number}.yaml", place / "study"
            path.write_text(STUDY.replace("OUT", str(folder)))
            ranks = 1 + dice.randrange(3)
            more = dice.choice((CHECKPOINTS, ()))
            code, text, when = (
                lambda: self.fill_in_the_midst(disk, path, folder, more, ranks, dice),
                lambda: self.too_small(disk, path, more, ranks, dice),
                lambda: self.at_a_stage(disk, path, folder, more, ranks, dice, "rank"),
                lambda: self.at_a_stage(disk, path, folder, more, ranks, dice, "analyse"))[number % 4]()
            said = complaints(text)
            full = code != 0
            clear = not full or (code == 4 and len(said) > 0 and all(str(place) in line for line in said if ENDINGS[0] in line))
            disk.resize(64 * 1024)
            again = run("run", path, *more, ranks=1 + dice.randrange(3))
            finished = finished_trials(folder)
            changed = again.code == 0 and differences(self.reference / "results.h5", folder / "results.h5")
            found = {"full": full, "pairs": any("/pairs/" in line for line in said),
                     "results": any("/results.h5" in line for line in said), "unclear": not clear, "failed": again.code != 0, "different": bool(changed),
                     "repeated": len(finished) - len(set(finished)), "lost": len(self.trials - set(finished))}
            for name, value in found.items():
                self.sums[name] += value
            print(f"{number}: {ranks} ranks, full {when}: code {code}, {said[0] if said else 'nothing said'}", flush=True)
            if not clear:
                print(text, flush=True)
            if again.code != 0 or changed:
                print(f"again: code {again.code} {changed}\n{again.text}", flush=True)
        finally:
            disk.close()


def main(count):
    ProgramTest.setUpClass()
    trial = Disk(ProgramTest.scratch / "trial")
    trial.close()
    if not trial.mounted:
        print("full_disk: skipped, it takes the right to mount a small file system")
        shutil.rmtree(ProgramTest.scratch)
        return 0
    soak = Soak()
    dice = random.Random(2021)
    for number in range(count):
        soak.once(number, dice)
    ProgramTest.tearDownClass()
    print(f"SOAK name=full_disk count={count} " + " ".join(f"{name}={value}" for name, value in soak.sums.items()))
    return 1 if any(soak.sums[name] for name in ("lost", "repeated", "different", "unclear", "failed")) or not soak.sums["full"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
