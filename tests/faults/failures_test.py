"""Trials that do not complete: recorded, tried again, asked for again, and a study in which too many fail."""

import os
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, journal_events, main, ranks_of, run, start, wait_for_finished  # noqa: E402

# No trial comes to its second step in a millisecond.
NO_TIME = ("--set", "failures.trial_time_limit=0.001")


def trial_events(folder, kind):
    return [event for event in journal_events(folder) if event["kind"] == kind and event["stage"] == "trial"]


# An arm for each way to fail: a network for which the memory does not reach, one whose process is aborted, one that takes
# longer than it may; and of two learning rates one diverges. Twenty epochs, so that the slow one passes its time on any machine:
# a fast one does two of them within it.
KINDS = TINY_STUDY[:TINY_STUDY.index("networks:")] + """\
networks:
  - {name: full, channels: 16, levels: 2, residual_units: 2}
  - {name: huge, channels: 1024, levels: 4, residual_units: 2}
  - {name: deadly, channels: 480, levels: 2, residual_units: 2}
  - {name: slow, channels: 448, levels: 2, residual_units: 2}
training: {epochs: 20, validate_every: 20, patches_per_case: 1, patch: [16, 16, 16], window: [16, 16, 16]}
arms:
  - {name: all_full}
  - {name: huge, data: random, budget: 4, network: huge}
  - {name: deadly, data: random, budget: 4, network: deadly}
  - {name: slow, data: random, budget: 4, network: slow}
reference: all_full
sweep: {optimizers: [rmsprop], learning_rates: [0.001, 1.0e+37], repeats: 1}
compute: {max_attempts: 2}
failures: {trial_time_limit: 2s}
output: {folder: OUT}
"""
# A slow trial, the first of a single rank since it costs most, and one that is to begin from weights which are gone by then.
UNREAD = TINY_STUDY[:TINY_STUDY.index("networks:")] + """\
networks:
  - {name: slow, channels: 448, levels: 2, residual_units: 2}
  - {name: unread, channels: 4, levels: 2, residual_units: 2, start_weights: START}
training: {epochs: 20, validate_every: 20, patches_per_case: 1, patch: [16, 16, 16], window: [16, 16, 16]}
arms:
  - {name: slow, network: slow}
  - {name: unread, network: unread}
reference: slow
sweep: {optimizers: [adam], learning_rates: [0.001], repeats: 1}
compute: {trials_per_device: 1}
failures: {trial_time_limit: 2s}
final_training: {network: slow}
output: {folder: OUT}
"""
MEMORY = 12 << 30  # bytes of addresses; the huge network's weights alone have more


def of_network(folder, kind, channels):
    """Such events of its trials."""
    keys = {event["key"] for event in trial_events(folder, "started") if f"\nchannels: {channels}\n" in event["data"]["network"]}
    return [event for event in trial_events(folder, kind) if event["key"] in keys]


class FailuresTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_reference(TINY_STUDY)

    def launched_and_aborted(self, path, folder):
        """One launch, in which the process dies as soon as a trial of the deadly network is under way; its code and output."""
        deadly = len(of_network(folder, "started", 480))
        launcher = start("sweep", path, ranks=2)
        while launcher.poll() is None:
            if len(of_network(folder, "started", 480)) > deadly:
                os.kill(ranks_of(launcher)[-1], signal.SIGABRT)
                break
            time.sleep(0.005)
        output, _ = launcher.communicate(timeout=120)
        return launcher.returncode, output

    def test_each_kind_of_failure_says_why_and_the_rest_of_the_sweep_is_done(self):
        path, folder = self.study("kinds", KINDS)
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, before[1]))
        try:
            # Two trials may die twice each.
            for _ in range(5):
                code, output = self.launched_and_aborted(path, folder)
                if code == 0:
                    break
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
        self.assertEqual(code, 0, output)
        self.assertEqual(output.count("lost, lost with its rank in 2 attempts"), 2, output)

        def ends(channels):
            found = [event["data"] for event in of_network(folder, "finished", channels)]
            return {(result["status"], result["reason"]) for result in found}, len(found)

        self.assertEqual(ends(480), (set(), 0))
        for channels, status, words in ((1024, "out_of_memory", "can't allocate memory"), (448, "timed_out", "took longer than its time limit"),
                                        (16, "diverged", "not finite"), (16, "completed", "")):
            found, count = ends(channels)
            self.assertEqual(count, 2, found)
            self.assertTrue(any(each == status and words in reason for each, reason in found), found)
            if status != "completed":
                self.assertIn(words, self.done(run("status", path)).output)

    def test_a_trial_that_cannot_read_its_weights_says_so(self):
        weights = self.scratch / "start.pt"
        shutil.copy(next((self.reference / "weights").glob("*.pt")), weights)
        path, folder = self.study("unread", UNREAD.replace("START", str(weights)))
        launcher = start("sweep", path, ranks=1)
        wait_for_finished(launcher, folder, 1, kind="started")
        weights.unlink()
        output, _ = launcher.communicate(timeout=120)
        self.assertEqual(launcher.returncode, 0, output)
        ends = {event["data"]["status"]: event["data"]["reason"] for event in trial_events(folder, "finished")}
        self.assertEqual(set(ends), {"timed_out", "failed"})
        self.assertIn(str(weights), ends["failed"])
        self.assertIn(str(weights), self.done(run("status", path)).output)

    def test_a_trial_past_its_time_says_so_and_runs_again_when_asked(self):
        path, folder = self.study("time")
        result = run("sweep", path, *NO_TIME, ranks=2)
        self.assertEqual(result.code, 0, result.text)
        finished = trial_events(folder, "finished")
        self.assertEqual(len(finished), 12)
        self.assertEqual({event["data"]["status"] for event in finished}, {"timed_out"})
        self.assertIn("took longer than its time limit", finished[0]["data"]["reason"])
        # Why, where and the last that was said of it are in its row and in the status.
        self.assertTrue(finished[0]["data"]["log_tail"].startswith("attempt 1: "), finished[0]["data"])
        status = self.done(run("status", path)).text
        self.assertRegex(status, r"timed_out on rank [01] of \S+, attempt 1: took longer")
        self.assertIn("    | attempt 1: ", status)
        # None of it was of use.
        self.assertRegex(status, r"  sweep: 0\.0 s work, \d+\.\d s waste")
        # What is recorded is not run again, unless it is asked for; then the study is whole.
        self.done(run("sweep", path, ranks=2))
        self.assertEqual(len(trial_events(folder, "finished")), 12)
        result = self.done(run("run", path, "--retry", "timed_out", ranks=2))
        self.assertIn("retry: 12 trials run again", result.text)
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_a_policy_of_retrying_tries_as_often_as_it_says(self):
        path, folder = self.study("retried")
        self.done(run("sweep", path, *NO_TIME, "--set", "failures.timed_out=retry", "--set", "failures.retries=2", ranks=2))
        self.assertEqual(len(trial_events(folder, "again")), 24)
        finished = trial_events(folder, "finished")
        self.assertEqual({event["data"]["attempt"] for event in finished}, {2})

    def test_a_trial_that_is_tried_again_elsewhere_keeps_the_checkpoint_that_it_writes_there(self):
        text = TINY_STUDY.replace("epochs: 2\n", "epochs: 400\n").replace("validate_every: 1\n", "validate_every: 400\n")
        path, folder = self.study("elsewhere", text)
        # Two trials under way on three ranks: the one that was idle takes up what another gave up, which is then idle itself
        # and begins the other trial while the first writes its checkpoints.
        self.done(run("search", path, "--set", "failures.trial_time_limit=0.3", "--set", "failures.timed_out=retry", "--set", "failures.retries=4",
                      "--set", "compute.checkpoint_interval=0.01", "--set", "compute.trials_per_device=1", "--set", "search.arms=[all_full]",
                      "--set", "search.method=random", "--set", "search.trials=4", "--set", "search.concurrency=2", ranks=3))
        self.assertGreater(len(trial_events(folder, "again")), 8)
        self.assertEqual(list((folder / "checkpoints").iterdir()), [])

    def test_too_many_failures_end_the_study_with_the_reason(self):
        for limit, ranks in (("max_consecutive", 2), ("max", 1)):
            path, folder = self.study(f"ended_{limit}")
            result = run("sweep", path, *NO_TIME, "--set", f"failures.{limit}=3", ranks=ranks)
            self.assertEqual(result.code, 3, result.text)
            self.assertIn(f"more than failures.{limit} allows; the last is timed_out: took longer", result.text)
            self.assertIn("--retry failed", result.text)
            self.assertLess(len(trial_events(folder, "finished")), 12)
            self.assertIn("retry: ", self.done(run("sweep", path, "--retry", "failed", ranks=2)).text)
            completed = [event for event in trial_events(folder, "finished") if event["data"]["status"] == "completed"]
            self.assertEqual(len(completed), 12)

    def test_a_diverging_trial_is_a_finding(self):
        text = TINY_STUDY.replace("optimizers: [adam, novograd]", "optimizers: [rmsprop]").replace("[0.001]", "[1.0e+37, 0.001]")
        path, folder = self.study("diverged", text)
        self.done(run("sweep", path, "--set", "failures.max_consecutive=1", "--set", "failures.max=1"))
        statuses = [event["data"]["status"] for event in trial_events(folder, "finished")]
        self.assertEqual(sorted(set(statuses)), ["completed", "diverged"])
        # `failed` leaves them alone; their own word does not.
        self.assertIn("retry: 0 trials", self.done(run("sweep", path, "--retry", "failed")).text)
        self.assertIn("retry: 6 trials", self.done(run("sweep", path, "--retry", "diverged")).text)

    def test_odd_words_are_refused(self):
        path, _ = self.study("odd")
        result = run("sweep", path, "--set", "failures.failed=never")
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("record, retry, retry_with_fewer", result.text)
        result = run("sweep", path, "--set", "failures.trial_time_limit=soon")
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("failures.trial_time_limit is \"soon\"", result.text)
        self.assertEqual(run("sweep", path, "--set", "failures.max=-1").code, 2)
        self.assertEqual(run("sweep", path, "--retry", "all").code, 64)


if __name__ == "__main__":
    main()
