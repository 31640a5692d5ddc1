"""SIGKILL to all ranks at random moments of `rank`, then the same command again, COUNT times; every rerun must give the
uninterrupted matrix bit for bit, and compute no tile twice.

SOAK name=matrix count=N killed=K repeated=0 different=0 failed=0
"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))
from program import ProgramTest, TINY_STUDY, differences, journal_events, kill_all, run, start, wait_for_finished  # noqa: E402

STUDY = TINY_STUDY.replace("cube: 12, tile: 2", "cube: 48, tile: 1").replace(
    "data: proxy, budget: 4}", "data: proxy, budget: 4, metric: normalized_cross_correlation}")


def tiles(folder):
    return [event["key"] for event in journal_events(folder) if event["kind"] == "finished" and event["stage"] == "tile"]


def main(count):
    ProgramTest.phantom_options = ("--set", "internal_cases=40", "--set", "external_cases=2")
    ProgramTest.setUpClass()
    scratch = ProgramTest.scratch
    reference = scratch / "reference.yaml"
    reference.write_text(STUDY.replace("OUT", str(scratch / "reference")))
    assert run("preprocess", reference, ranks=2).code == 0
    assert run("rank", reference, ranks=2).code == 0
    whole = len(tiles(scratch / "reference"))
    dice = random.Random(2021)
    killed = repeated = different = failed = 0
    for number in range(count):
        folder = scratch / f"study{number}"
        path = scratch / f"study{number}.yaml"
        path.write_text(STUDY.replace("OUT", str(folder)))
        ranks = 1 + number % 4
        run("preprocess", path, ranks=2)
        launcher = start("rank", path, ranks=ranks)
        was_running = wait_for_finished(launcher, folder, dice.randrange(whole * 9 // 10), stage="tile")
        kill_all(launcher)
        launcher.stdout.close()
        before = len(tiles(folder))
        result = run("rank", path, ranks=ranks)
        finished = tiles(folder)
        killed += was_running
        failed += result.code != 0
        repeated += len(finished) - len(set(finished))
        changed = differences(scratch / "reference/ranking.h5", folder / "ranking.h5")
        different += bool(changed)
        print(f"{number}: {ranks} ranks, {'killed' if was_running else 'had ended'} with {before} tiles, "
              f"rerun code {result.code}, {len(finished)} tiles, {'DIFFERENT ' + changed if changed else 'same matrix'}", flush=True)
        if result.code != 0:
            print(result.text, flush=True)
    ProgramTest.tearDownClass()
    print(f"SOAK name=matrix count={count} killed={killed} repeated={repeated} different={different} failed={failed}")
    return 1 if repeated or different or failed or not killed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
