"""Where the ranks' time goes: every moment once, of launches that ended and of those that were killed."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, journal_events, kill_all, main, run, segment_events, start, wait_for_finished  # noqa: E402

USES = (".work", ".waste", ".idle", ".open")
LONG_STUDY = TINY_STUDY.replace("epochs: 2\n  validate_every: 1", "epochs: 60\n  validate_every: 20").replace(
    "repeats: 2", "repeats: 1")


def last_accounts(folder):
    """The last line of each rank, by launch."""
    accounts = {}
    for segment in sorted((folder / "journal").glob("*.journal")):
        launch, rank = segment.stem.rsplit("-rank", 1)
        of_rank = [event["data"] for event in segment_events(segment) if event["kind"] == "account"]
        accounts.setdefault(launch, {})[int(rank)] = of_rank[-1]
    return accounts


def parts(account, *uses, stage=""):
    return sum(value for name, value in account.items() if name.startswith(stage) and name.endswith(uses or USES))


class CostsTest(ProgramTest):
    def assert_parts_are_the_whole(self, account):
        self.assertAlmostEqual(parts(account), account["seconds"], delta=0.01 * account["seconds"])

    def test_of_a_launch_that_ends_the_parts_are_ranks_times_wall_time(self):
        path, folder = self.study("whole")
        began = time.monotonic()
        result = self.done(run("run", path, ranks=2))
        wall = time.monotonic() - began
        (accounts,) = last_accounts(folder).values()
        self.assertEqual(sorted(accounts), [0, 1])
        for account in accounts.values():
            self.assertTrue(account["ended"])
            self.assert_parts_are_the_whole(account)
            # The launcher's own start is not the ranks' time.
            self.assertLess(account["seconds"], wall)
        trials = [event["data"]["device_seconds"] for event in journal_events(folder)
                  if event["kind"] == "finished" and event["stage"] == "trial"]
        work = sum(parts(account, ".work", stage=stage) for account in accounts.values()
                   for stage in ("sweep", "search", "train"))
        self.assertGreater(sum(trials), 0)
        self.assertLessEqual(sum(trials), work)
        self.assertIn("cost of 1 launch: ", result.text)
        for stage in ("preprocess", "rank", "select", "sweep", "search", "train", "analyse"):
            self.assertRegex(result.text, rf"\n  {stage}: \d+\.\d s work, 0\.0 s waste, \d+\.\d s idle")

    def test_of_a_killed_launch_what_ran_is_waste_and_what_was_kept_is_work(self):
        path, folder = self.study("killed", LONG_STUDY)
        launcher = start("sweep", path, "--set", "compute.checkpoint_interval=0.01", ranks=2)
        self.assertTrue(wait_for_finished(launcher, folder, 3))
        kill_all(launcher)
        launcher.stdout.close()
        (accounts,) = last_accounts(folder).values()
        for account in accounts.values():
            self.assertFalse(account["ended"])
            self.assert_parts_are_the_whole(account)
        self.assertIn("cost of 1 launch (1 killed): ", self.done(run("status", path)).text)
        self.done(run("sweep", path, ranks=2))
        self.assertIn("cost of 2 launches (1 killed): ", self.done(run("status", path)).text)


if __name__ == "__main__":
    main()
