"""Signals and time limits: every rank keeps its trial at the next step, the job ends with 85, the same command goes on."""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, journal_events, main, ranks_of, run, start, wait_for_finished  # noqa: E402

DONE, CONFIGURATION, STOPPED = 0, 2, 85
# 9 trials of 120 steps and more.
STUDY = TINY_STUDY.replace("epochs: 2\n  validate_every: 1", "epochs: 60\n  validate_every: 20").replace(
    "trials: 4", "trials: 2").replace("[adam, novograd]", "[novograd]").replace("repeats: 2", "repeats: 1")
LONG_STUDY = STUDY.replace("epochs: 60\n  validate_every: 20", "epochs: 800\n  validate_every: 250")


class StopsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_reference(STUDY)

    def launched(self, name, ranks, *more, stage="trial", kind="started", count=None, text=STUDY):
        """A launch in the midst of a stage; by default, in which every rank trains."""
        path, folder = self.study(name, text)
        launcher = start("run", path, *more, ranks=ranks)
        self.assertTrue(wait_for_finished(launcher, folder, ranks if count is None else count, stage=stage, kind=kind))
        return path, folder, launcher

    def ends(self, launcher, *codes):
        output, _ = launcher.communicate(timeout=200)
        self.assertIn(launcher.returncode, codes or (STOPPED,), output)
        return output

    def same_in_the_end(self, path, folder, ranks=2, more=(), reference=None):
        code = STOPPED
        while code == STOPPED:
            before = len(journal_events(folder))
            result = run("run", path, *more, ranks=ranks)
            code = result.code
            # However short a launch is, it comes further.
            self.assertTrue(code != STOPPED or len(journal_events(folder)) > before, result.text)
        self.assertEqual(code, DONE, result.text)
        events = [event for event in journal_events(folder) if event["stage"] == "trial"]
        finished = [event["key"] for event in events if event["kind"] == "finished"]
        self.assertEqual(len(finished), len(set(finished)))
        self.assertEqual(differences((reference or self.reference) / "results.h5", folder / "results.h5"), "")
        return events

    def test_each_signal_to_one_rank_stops_1_2_and_4_ranks_within_their_trials(self):
        for ranks in (1, 2, 4):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
                with self.subTest(ranks=ranks, signal=number.name):
                    path, folder, launcher = self.launched(f"{number.name}_{ranks}", ranks)
                    os.kill(ranks_of(launcher)[ranks // 2], number)
                    output = self.ends(launcher)
                    self.assertIn("the same command goes on from here", output)
                    # Nobody went on to the end of a trial first, and nothing that was done is lost.
                    trials = [event for event in journal_events(folder) if event["stage"] == "trial"]
                    stopped = {event["key"] for event in trials if event["kind"] == "stopped"}
                    self.assertTrue(stopped)
                    self.assertLessEqual(stopped, {event["key"] for event in trials if event["kind"] == "checkpoint"})
                    events = self.same_in_the_end(path, folder, ranks=5 - ranks)
                    self.assertEqual({event["key"] for event in events if event["kind"] == "resumed"}, stopped)

    def test_two_signals_are_as_good_as_one(self):
        for same in (True, False):
            with self.subTest(same_rank=same):
                path, folder, launcher = self.launched(f"two_{same}", 2)
                ranks = ranks_of(launcher)
                os.kill(ranks[0], signal.SIGTERM)
                os.kill(ranks[0 if same else 1], signal.SIGINT)
                self.ends(launcher)
                self.same_in_the_end(path, folder)

    def test_a_signal_while_results_are_gathered(self):
        for trials in (3, 5, 7):
            with self.subTest(trials=trials):
                path, folder, launcher = self.launched(f"gather_{trials}", 2, kind="finished", count=trials)
                for rank in ranks_of(launcher)[-1:]:
                    os.kill(rank, signal.SIGUSR1)
                self.ends(launcher, STOPPED, DONE)
                self.same_in_the_end(path, folder)

    def test_a_signal_during_preprocessing(self):
        path, folder = self.study("preprocessing", STUDY)
        launcher = start("run", path, ranks=2)
        while not list((folder / "journal").glob("*-rank0001.journal")) and launcher.poll() is None:
            time.sleep(0.001)
        os.kill(ranks_of(launcher)[1], signal.SIGTERM)
        self.ends(launcher)
        self.assertFalse([event for event in journal_events(folder) if event["kind"] == "finished" and event["stage"] == "trial"])
        self.same_in_the_end(path, folder)

    def test_a_rank_that_does_not_come_is_not_waited_for_beyond_the_grace_time(self):
        path, folder, launcher = self.launched("stuck", 2, "--set", "compute.grace=2")
        ranks = ranks_of(launcher)
        os.kill(ranks[1], signal.SIGSTOP)
        os.kill(ranks[0], signal.SIGTERM)
        output = self.ends(launcher)
        self.assertIn("compute.grace", output)
        self.same_in_the_end(path, folder)

    def test_time_limits_stop_ahead_and_many_launches_come_to_the_end(self):
        path, reference = self.study("long_reference", LONG_STUDY)
        self.done(run("run", path, ranks=2))
        path, folder = self.study("limit", LONG_STUDY)
        more = ("--set", "compute.time_limit=8s", "--set", "compute.grace=4")
        result = run("run", path, *more, ranks=1)
        self.assertEqual(result.code, STOPPED, result.text)
        self.assertIn("compute.time_limit comes near", result.text)
        # The end of a Slurm job is a limit, too.
        os.environ["SLURM_JOB_END_TIME"] = str(int(time.time()) + 7)
        try:
            result = run("run", path, "--set", "compute.grace=3", ranks=2)
        finally:
            os.environ.pop("SLURM_JOB_END_TIME")
        self.assertEqual(result.code, STOPPED, result.text)
        self.assertIn("SLURM_JOB_END_TIME comes near", result.text)
        events = self.same_in_the_end(path, folder, more=("--set", "compute.time_limit=1h"), reference=reference)
        self.assertTrue([event for event in events if event["kind"] == "resumed"])

    def test_a_limit_that_leaves_no_time_is_refused(self):
        path, _ = self.study("short", STUDY)
        for value, words in (("40", "compute.time_limit is 40"), ("soon", 'compute.time_limit is "soon"')):
            result = run("run", path, "--set", f"compute.time_limit={value}", ranks=2)
            self.assertEqual(result.code, CONFIGURATION, result.text)
            self.assertIn(words, result.text)
        os.environ["SLURM_JOB_END_TIME"] = str(int(time.time()) + 30)
        try:
            result = run("run", path, ranks=2)
        finally:
            os.environ.pop("SLURM_JOB_END_TIME")
        self.assertEqual(result.code, CONFIGURATION, result.text)
        self.assertIn("less than compute.grace", result.text)


if __name__ == "__main__":
    main()
