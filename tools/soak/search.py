"""SIGKILL at random moments of searches, COUNT times, one method or way to stop early after the other, each killed twice and gone on with on 1, 2, 3
or 5 ranks: the same proposals, point for point, the same results and hence the same winner as without.

SOAK name=search count=N killed=K repeated=0 lost=0 different=0 failed=0
"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from kills import Kind, trials  # noqa: E402
from program import ProgramTest, TINY_STUDY, differences, journal_events, run  # noqa: E402

STUDY = TINY_STUDY.replace("[adam, novograd]", "[adam]").replace("repeats: 2", "repeats: 1").replace(
    "  trials: 4\n  concurrency: 2", "  method: METHOD\n  trials: 9\n  concurrency: 3")
METHODS = {
    "reinforcement": "reinforcement",
    "bayesian": "bayesian",
    "random": "random",
    "low_discrepancy": "low_discrepancy",
    "grid": "grid\n  grid_points: 3",
    "halving": "random\n  halving: {rungs: [{epochs: 1}], reduction: 2}",
    "proxies first": "bayesian\n  halving: {rungs: [{epochs: 1, arm: random_proxy}], reduction: 2}",
    "median": "reinforcement\n  median_stopping: {from_epoch: 1, earlier_trials: 2}",
}
RANKS = (1, 2, 3, 5)


def proposals(folder):
    """By arm and number: the point, exactly, the trial that it means and the controller's state."""
    return {event["key"]: event["data"] for event in journal_events(folder) if event["kind"] == "proposed"}


def main(count):
    ProgramTest.setUpClass()
    names = list(METHODS)
    kinds = [Kind(name.replace(" ", "_"), STUDY.replace("METHOD", METHODS[name]), False) for name in names]
    dice = random.Random(2021)
    sums = dict.fromkeys(("killed", "repeated", "lost", "different", "failed"), 0)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        folder = ProgramTest.scratch / f"study{number}"
        path = ProgramTest.scratch / f"study{number}.yaml"
        path.write_text(kind.text.replace("OUT", str(folder)))
        ranks = [dice.choice(RANKS) for _ in range(3)]
        sums["killed"] += sum(kind.kill(path, folder, some, dice)[0] for some in ranks[:2])
        result = run("run", path, ranks=ranks[2])
        finished = trials(folder, "finished")
        changed = differences(kind.reference / "results.h5", folder / "results.h5")
        other = proposals(folder) != proposals(kind.reference)
        sums["failed"] += result.code != 0
        sums["repeated"] += len(finished) - len(set(finished))
        sums["lost"] += len(kind.trials - set(finished))
        sums["different"] += bool(changed) or other
        print(f"{number}: {names[number % len(kinds)]} on {ranks} ranks, rerun code {result.code}, {len(finished)} trials, "
              f"{'DIFFERENT ' + changed if changed or other else 'same proposals and results'}", flush=True)
        if result.code != 0:
            print(result.text, flush=True)
    ProgramTest.tearDownClass()
    print(f"SOAK name=search count={count} " + " ".join(f"{name}={value}" for name, value in sums.items()))
    return 1 if any(sums[name] for name in ("repeated", "lost", "different", "failed")) or not sums["killed"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
