"""SIGKILL to all ranks at random moments of a phantom study, then the same command again, COUNT times; every rerun
must give the uninterrupted results and run no finished trial twice.

SOAK name=kills count=N killed=K repeated=0 different=0 failed=0
"""

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))
from program import ProgramTest, TINY_STUDY, differences, journal_events, kill_all, run, start  # noqa: E402


def main(count):
    ProgramTest.setUpClass()
    scratch = ProgramTest.scratch
    reference = scratch / "reference.yaml"
    reference.write_text(TINY_STUDY.replace("OUT", str(scratch / "reference")))
    began = time.time()
    assert run("run", reference, ranks=2).code == 0
    whole = time.time() - began
    dice = random.Random(2021)
    killed = repeated = different = failed = 0
    for number in range(count):
        folder = scratch / f"study{number}"
        path = scratch / f"study{number}.yaml"
        path.write_text(TINY_STUDY.replace("OUT", str(folder)))
        ranks = 1 + number % 4
        launcher = start("run", path, ranks=ranks)
        moment = dice.uniform(0.1, 0.8) * whole
        time.sleep(moment)
        was_running = launcher.poll() is None
        kill_all(launcher)
        launcher.stdout.close()
        result = run("run", path, ranks=ranks)
        finished = [e["key"] for e in journal_events(folder) if e["kind"] == "finished" and e["stage"] == "trial"]
        killed += was_running
        failed += result.code != 0
        repeated += len(finished) - len(set(finished))
        changed = differences(scratch / "reference/results.h5", folder / "results.h5")
        different += bool(changed)
        print(f"{number}: {ranks} ranks, {'killed' if was_running else 'had ended'} after {moment:.2f} s, rerun code {result.code}, "
              f"{len(finished)} trials, {'DIFFERENT ' + changed if changed else 'same results'}", flush=True)
        if result.code != 0:
            print(result.text, flush=True)
    ProgramTest.tearDownClass()
    print(f"SOAK name=kills count={count} killed={killed} repeated={repeated} different={different} failed={failed}")
    return 1 if repeated or different or failed or not killed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
