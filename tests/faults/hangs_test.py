"""A rank that hangs: the job ends with code 4 and says who hangs and in what the others wait, and the same command goes on."""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, finished_trials, main, ranks_of, run, start, wait_for_finished  # noqa: E402

SYSTEM, CONFIGURATION = 4, 2
STUDY = TINY_STUDY.replace("[adam, novograd]", "[novograd]").replace("repeats: 2", "repeats: 1")
# 3 trials of a second and more.
LONG_STUDY = STUDY.replace("epochs: 2\n  validate_every: 1", "epochs: 500\n  validate_every: 500")
SOON = ("--set", "compute.hang_timeout=3")


class HangsTest(ProgramTest):
    def test_a_halted_rank_is_named_with_its_trial_and_the_sweep_goes_on_later(self):
        path, folder = self.study("halted", LONG_STUDY)
        launcher = start("sweep", path, *SOON, "--set", "compute.checkpoint_interval=0.05", ranks=2)
        # By then it has told the others of its trial.
        self.assertTrue(wait_for_finished(launcher, folder, 10, kind="checkpoint"))
        os.kill(ranks_of(launcher)[1], signal.SIGSTOP)
        output, _ = launcher.communicate(timeout=120)
        self.assertEqual(launcher.returncode, SYSTEM, output)
        self.assertEqual(output.count("a rank hangs"), 1, output)
        self.assertRegex(output, r"rank 1 on \S+: HANGS, no sign of life for \d s; last at sweep, [0-9a-f]{24}")
        self.assertRegex(output, r"rank 0 on \S+: (at work|waits in the hand-out of pieces)")
        self.assertIn("compute.hang_timeout is 3 s", output)
        self.done(run("sweep", path, ranks=2))
        self.assertEqual(len(set(finished_trials(folder))), 3)
        self.assertEqual(len(finished_trials(folder)), 3)

    def test_a_write_that_never_ends_is_told_from_the_wait_for_it(self):
        path, folder = self.study("written", STUDY)
        self.done(run("sweep", path, ranks=2))
        keys = sorted(finished_trials(folder))
        path, folder = self.study("writing", STUDY)
        self.done(run("select", path))
        # As a file system that has stopped to answer: nobody reads what is written there.
        stuck = folder / "checkpoints" / f"{keys[0]}.checkpoint.tmp"
        os.mkfifo(stuck)
        result = run("sweep", path, *SOON, "--set", "compute.checkpoint_interval=0.001", ranks=2)
        stuck.unlink()
        self.assertEqual(result.code, SYSTEM, result.text)
        self.assertRegex(result.text, rf"rank [01] on \S+: HANGS, came no further for \d s; at sweep, {keys[0][:24]}")
        self.assertRegex(result.text, r"rank [01] on \S+: waits in the hand-out of pieces for \d s; at sweep\n")
        self.assertEqual(len(finished_trials(folder)), len(keys) - 1)
        self.done(run("sweep", path, ranks=2))
        self.assertEqual(sorted(finished_trials(folder)), keys)

    def test_odd_times_are_refused(self):
        path, _ = self.study("odd")
        result = run("sweep", path, "--set", "compute.hang_timeout=0.5")
        self.assertEqual(result.code, CONFIGURATION, result.text)
        self.assertIn("compute.hang_timeout is 0.5", result.text)


if __name__ == "__main__":
    main()
