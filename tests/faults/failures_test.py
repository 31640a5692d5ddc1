"""Trials that do not complete: recorded, tried again, asked for again, and a study in which too many fail."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, journal_events, main, run  # noqa: E402

# No trial comes to its second step in a millisecond.
NO_TIME = ("--set", "failures.trial_time_limit=0.001")


def trial_events(folder, kind):
    return [event for event in journal_events(folder) if event["kind"] == kind and event["stage"] == "trial"]


class FailuresTest(ProgramTest):
    def test_a_trial_past_its_time_says_so_and_runs_again_when_asked(self):
        path, folder = self.study("time")
        result = run("sweep", path, *NO_TIME, ranks=2)
        self.assertEqual(result.code, 0, result.text)
        finished = trial_events(folder, "finished")
        self.assertEqual(len(finished), 12)
        self.assertEqual({event["data"]["status"] for event in finished}, {"timed_out"})
        self.assertIn("took longer than its time limit", finished[0]["data"]["reason"])
        # What is recorded is not run again, unless it is asked for; then the study is whole.
        self.done(run("sweep", path, ranks=2))
        self.assertEqual(len(trial_events(folder, "finished")), 12)
        result = self.done(run("run", path, "--retry", "timed_out", ranks=2))
        self.assertIn("retry: 12 trials run again", result.text)
        whole, reference = self.study("whole")
        self.done(run("run", whole, ranks=2))
        self.assertEqual(differences(reference / "results.h5", folder / "results.h5"), "")

    def test_a_policy_of_retrying_tries_as_often_as_it_says(self):
        path, folder = self.study("retried")
        self.done(run("sweep", path, *NO_TIME, "--set", "failures.timed_out=retry", "--set", "failures.retries=2", ranks=2))
        self.assertEqual(len(trial_events(folder, "again")), 24)
        finished = trial_events(folder, "finished")
        self.assertEqual({event["data"]["attempt"] for event in finished}, {2})

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
