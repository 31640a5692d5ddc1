"""Ranks that share a trial: the results of one rank, whatever happens to one of them."""

import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, finished_trials, journal_events, kill_all, main, ranks_of, run, start, wait_for_finished  # noqa: E402

STOPPED, SYSTEM, CONFIGURATION = 85, 4, 2
# Steps of 2 patches, a rank each.
STUDY = TINY_STUDY.replace("patches_per_case: 1", "patches_per_case: 1\n  granule: 1").replace("validation_cases: 2", "validation_cases: 3")
BATCH_NORM = STUDY.replace("residual_units: 2}", "residual_units: 2, norm: batch}")
# 3 trials of some seconds.
LONG = STUDY.replace("epochs: 2\n  validate_every: 1", "epochs: 150\n  validate_every: 150").replace(
    "[adam, novograd]", "[novograd]").replace("repeats: 2", "repeats: 1")
PAIRS = ("--set", "compute.ranks_per_trial=2")
KEEP = ("--set", "compute.checkpoint_interval=0.05")


class TeamsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_reference(BATCH_NORM, ranks=1)

    def test_a_study_has_the_same_results_with_teams_of_any_size(self):
        for ranks, a_team, finals, said in ((2, 2, 0, "1 team of 2 ranks;"), (5, 2, 0, "2 teams of 2 ranks and one of 1;"), (3, 1, 3, "1 team of 3 ranks;"),
                                            (3, 7, 2, "1 team of 3 ranks;")):
            path, folder = self.study(f"teams_{ranks}_{a_team}_{finals}", BATCH_NORM)
            result = self.done(run("run", path, "--set", f"compute.ranks_per_trial={a_team}", "--set",
                                   f"final_training.ranks_per_trial={finals}", ranks=ranks))
            self.assertIn(f"ranks that share a trial: {said} a step of 2 patches has 2 parts", result.output)
            self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
            # Nothing is done twice, and the time of all ranks is the trial's.
            finished = finished_trials(folder)
            self.assertEqual(len(finished), len(set(finished)))
        self.assertIn("so that 1 of 3 ranks have none: a smaller training.granule", result.output)

    def test_its_costs_are_those_of_all_its_ranks(self):
        path, folder = self.study("costs", LONG)
        self.done(run("sweep", path, *PAIRS, ranks=2))
        for event in journal_events(folder):
            if event["kind"] == "finished" and event["stage"] == "trial":
                share = event["data"]["device_seconds"] / event["data"]["seconds"]
                self.assertGreater(share, 1.7)
                self.assertLess(share, 2.05)

    def test_the_fastest_reduction_is_frozen_with_its_number_of_ranks(self):
        path, folder = self.study("fastest", STUDY)
        fastest = (*PAIRS, "--set", "compute.reduction=fastest")
        self.done(run("sweep", path, *fastest, ranks=2))
        again, other = self.study("fastest_again", STUDY)
        self.done(run("sweep", again, *fastest, ranks=4))
        result = run("sweep", path, *fastest, ranks=3)
        self.assertEqual(result.code, CONFIGURATION, result.text)
        self.assertIn("3 ranks cannot be divided into teams of 2", result.text)
        # Before anything is done, also where only a later stage would meet it.
        fresh, untouched = self.study("fastest_later", STUDY)
        for command in ("sweep", "check"):
            result = run(command, fresh, "--set", "compute.reduction=fastest", "--set", "final_training.ranks_per_trial=3", ranks=2)
            self.assertEqual(result.code, CONFIGURATION, result.text)
            self.assertIn("2 ranks cannot be divided into teams of 3", result.text)
        self.assertFalse(untouched.exists())
        result = run("sweep", path, *PAIRS, ranks=2)
        self.assertEqual(result.code, CONFIGURATION, result.text)
        self.assertIn("fastest of 2 ranks", result.text)

    def test_check_counts_ranks_that_wait_and_no_nonsense(self):
        path, _ = self.study("hours", STUDY)

        def hours(*settings):
            text = self.done(run("check", path, "--set", "training.epochs=200000", *settings, ranks=4)).text
            found = re.search(r"check: sweep +([\d.-]+) device hours, +([\d.-]+) hours", text)
            return float(found[1]), float(found[2]), text

        devices, wall, text = hours("--set", "compute.ranks_per_trial=4")
        self.assertIn("for 1 trials at once", text)
        # Two of the four have parts of a step, and all four are the trial's.
        self.assertAlmostEqual(devices / wall, 4, delta=0.1)
        devices, wall, _ = hours("--set", "compute.ranks_per_trial=2", "--set", "training.granule=2147483647")
        self.assertGreater(wall, 0)
        self.assertAlmostEqual(devices / wall, 4, delta=0.1)

    def test_a_signal_to_one_of_them_stops_all_and_another_number_goes_on(self):
        reference, done = self.study("undisturbed", LONG)
        self.done(run("sweep", reference, ranks=2))
        self.done(run("analyse", reference))
        path, folder = self.study("signalled", LONG)
        for which in (0, 1, 3):
            launcher = start("sweep", path, *PAIRS, *KEEP, ranks=4)
            wait_for_finished(launcher, folder, 2 + 2 * which, kind="checkpoint")
            ranks = ranks_of(launcher)
            if len(ranks) == 4:
                os.kill(ranks[which], signal.SIGUSR1)
            output, _ = launcher.communicate(timeout=120)
            self.assertIn(launcher.returncode, (0, STOPPED), output)
        self.done(run("sweep", path, "--set", "compute.ranks_per_trial=3", ranks=3))
        self.done(run("analyse", path))
        self.assertTrue(any(event["kind"] == "resumed" for event in journal_events(folder)))
        self.assertEqual(differences(done / "results.h5", folder / "results.h5"), "")

    def test_killed_it_goes_on_from_the_leaders_checkpoint(self):
        reference, done = self.study("whole", LONG)
        self.done(run("sweep", reference, *PAIRS, ranks=2))
        self.done(run("analyse", reference))
        path, folder = self.study("killed", LONG)
        launcher = start("sweep", path, *PAIRS, *KEEP, ranks=2)
        self.assertTrue(wait_for_finished(launcher, folder, 4, kind="checkpoint"))
        kill_all(launcher)
        launcher.stdout.close()
        launcher = start("sweep", path, *PAIRS, *KEEP, ranks=2)
        self.assertTrue(wait_for_finished(launcher, folder, 8, kind="checkpoint"))
        # One rank alone: the launcher ends the rest.
        os.kill(ranks_of(launcher)[1], signal.SIGKILL)
        output, _ = launcher.communicate(timeout=120)
        self.assertNotEqual(launcher.returncode, 0, output)
        self.done(run("sweep", path, ranks=1))
        self.done(run("analyse", path))
        self.assertEqual(differences(done / "results.h5", folder / "results.h5"), "")

    def test_one_that_makes_no_step_is_named_and_the_job_ends(self):
        path, folder = self.study("halted", LONG)
        launcher = start("sweep", path, *PAIRS, *KEEP, "--set", "compute.hang_timeout=3", ranks=2)
        self.assertTrue(wait_for_finished(launcher, folder, 4, kind="checkpoint"))
        since = time.time()
        os.kill(ranks_of(launcher)[1], signal.SIGSTOP)
        output, _ = launcher.communicate(timeout=120)
        self.assertEqual(launcher.returncode, SYSTEM, output)
        # What it was at it may have told before it came to its trial.
        self.assertRegex(output, r"rank 1 on \S+: HANGS, no sign of life for \d s; last at")
        self.assertRegex(output, r"rank 0 on \S+: waits in an all-gather|rank 0 on \S+: waits in a")
        self.assertLess(time.time() - since, 60)
        self.done(run("sweep", path, *PAIRS, ranks=2))

    def test_a_file_that_one_of_them_cannot_read_ends_the_trial_alone(self):
        weights = self.scratch / "start.pt"
        shutil.copy(next((self.reference / "weights").glob("*.pt")), weights)
        text = LONG.replace("residual_units: 2}", f"residual_units: 2, norm: batch, start_weights: {weights}}}")
        path, folder = self.study("unread", text)
        launcher = start("sweep", path, *PAIRS, *KEEP, ranks=2)
        # The first trial has them by then, the others have not begun.
        self.assertTrue(wait_for_finished(launcher, folder, 1, kind="checkpoint"))
        weights.unlink()
        output, _ = launcher.communicate(timeout=240)
        self.assertEqual(launcher.returncode, 0, output)
        ends = {event["data"]["status"] for event in journal_events(folder) if event["kind"] == "finished" and event["stage"] == "trial"}
        self.assertIn("failed", ends)
        self.assertIn("completed", ends)

    def test_odd_numbers_are_refused(self):
        path, _ = self.study("odd", STUDY)
        for setting, words in (("compute.ranks_per_trial=0", "compute.ranks_per_trial is 0"),
                               ("final_training.ranks_per_trial=-1", "final_training.ranks_per_trial is -1"),
                               ("compute.reduction=quickest", "compute.reduction"), ("training.granule=-2", "training.granule is -2")):
            result = run("sweep", path, "--set", setting)
            self.assertEqual(result.code, CONFIGURATION, result.text)
            self.assertIn(words, result.text)
        result = run("sweep", path, *PAIRS, "--set", "compute.trials_per_device=2")
        self.assertEqual(result.code, CONFIGURATION, result.text)
        self.assertIn("ranks that share a trial", result.text)


if __name__ == "__main__":
    main()
