"""SIGKILL at random moments of phantom studies on 1 to 4 ranks, then the same command again, COUNT times: to all ranks
and the launcher at once, as a node that loses power, or to one rank, whereupon the launcher ends the others; every other
study has trials with checkpoints, and is killed twice in the midst of them. The rerun must give the uninterrupted results,
run no finished trial twice and lose none.

SOAK name=kills count=N killed=K in_mid_trial=M resumed=R repeated=0 lost=0 different=0 failed=0
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))
from program import (ProgramTest, TINY_STUDY, differences, journal_events, kill_all, ranks_of, run, start,  # noqa: E402
                     wait_for_finished)

LONG_STUDY = TINY_STUDY.replace("epochs: 2\n  validate_every: 1", "epochs: 60\n  validate_every: 20").replace(
    "repeats: 2", "repeats: 1").replace("trials: 4", "trials: 2")
# Now and then, and at every step, so that a kill also meets trials whose external cases are being scored.
INTERVALS = (0.02, 1e-6)


def trials(folder, kind):
    return [event["key"] for event in journal_events(folder) if event["stage"] == "trial" and event["kind"] == kind]


def kill_one(launcher, dice):
    """One rank dies, as of too little memory; the launcher is to end the rest."""
    ranks = ranks_of(launcher)
    if ranks:
        try:
            os.kill(dice.choice(ranks), signal.SIGKILL)
        except ProcessLookupError:
            pass
    launcher.communicate(timeout=120)


class Kind:
    """A study, its uninterrupted results, and how to kill it."""

    def __init__(self, name, text, mid_trial):
        self.text, self.mid_trial = text, mid_trial
        self.reference = ProgramTest.scratch / f"{name}_reference"
        path = ProgramTest.scratch / f"{name}_reference.yaml"
        path.write_text(text.replace("OUT", str(self.reference)))
        began = time.time()
        assert run("run", path, ranks=2).code == 0
        self.seconds = time.time() - began
        self.trials = set(trials(self.reference, "finished"))

    def kill(self, path, folder, ranks, dice):
        """One launch, killed; says whether it was running, and how many trials were under way."""
        more = ("--set", f"compute.checkpoint_interval={dice.choice(INTERVALS)}") if self.mid_trial else ()
        launcher = start("run", path, *more, ranks=ranks)
        if self.mid_trial:
            known = len(trials(folder, "checkpoint")) if folder.exists() else 0
            wait_for_finished(launcher, folder, known + dice.randrange(1, 40), kind="checkpoint")
            time.sleep(dice.uniform(0, 0.05))
        else:
            # Before the trials, or among them: by events, since how long a study takes is the machine's affair.
            if dice.random() < 0.3:
                time.sleep(dice.uniform(0.1, 0.5) * self.seconds)
            else:
                wait_for_finished(launcher, folder, dice.randrange(len(self.trials)), kind="started")
                time.sleep(dice.uniform(0, 0.02))
        was_running = launcher.poll() is None
        if dice.random() < 0.5:
            kill_all(launcher)
        else:
            kill_one(launcher, dice)
        launcher.stdout.close()
        events = journal_events(folder) if folder.exists() else []
        kinds = {}  # of each trial, the last that happened
        for event in events:
            if event["stage"] == "trial" and event["kind"] in ("started", "checkpoint", "resumed", "finished"):
                kinds[event["key"]] = event["kind"] if kinds.get(event["key"]) != "finished" else "finished"
        return was_running, sum(kind != "finished" for kind in kinds.values())


def main(count):
    ProgramTest.setUpClass()
    kinds = [Kind("short", TINY_STUDY, False), Kind("long", LONG_STUDY, True)]
    dice = random.Random(2021)
    sums = dict.fromkeys(("killed", "in_mid_trial", "resumed", "repeated", "lost", "different", "failed"), 0)
    for number in range(count):
        kind = kinds[number % 2]
        folder = ProgramTest.scratch / f"study{number}"
        path = ProgramTest.scratch / f"study{number}.yaml"
        path.write_text(kind.text.replace("OUT", str(folder)))
        ranks = 1 + number // 2 % 4
        for _ in range(2 if kind.mid_trial else 1):
            was_running, under_way = kind.kill(path, folder, ranks, dice)
            sums["killed"] += was_running
            sums["in_mid_trial"] += was_running and under_way > 0
        result = run("run", path, ranks=1 + dice.randrange(4))
        finished = trials(folder, "finished")
        changed = differences(kind.reference / "results.h5", folder / "results.h5")
        resumed = len(trials(folder, "resumed"))
        sums["resumed"] += resumed
        sums["failed"] += result.code != 0 or any((folder / "checkpoints").iterdir())
        sums["repeated"] += len(finished) - len(set(finished))
        sums["lost"] += len(kind.trials - set(finished))
        sums["different"] += bool(changed)
        print(f"{number}: {ranks} ranks, {under_way} trials under way when killed, {resumed} gone on with, "
              f"rerun code {result.code}, {len(finished)} trials, "
              f"{'DIFFERENT ' + changed if changed else 'same results'}", flush=True)
        if result.code != 0:
            print(result.text, flush=True)
    ProgramTest.tearDownClass()
    print(f"SOAK name=kills count={count} " + " ".join(f"{name}={value}" for name, value in sums.items()))
    return 1 if sums["repeated"] or sums["lost"] or sums["different"] or sums["failed"] or not sums["resumed"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
