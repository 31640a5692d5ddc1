"""Trials that were interrupted go on from their checkpoints, on other ranks, to the same results."""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, journal_events, kill_all, main, ranks_of, run, start, wait_for_finished  # noqa: E402

# Trials of some 80 steps, which a test comes in between.
STUDY = TINY_STUDY.replace("epochs: 2\n  validate_every: 1", "epochs: 40\n  validate_every: 15").replace(
    "trials: 4", "trials: 2") + "compute: {trials_per_device: 1}\n"
OFTEN = ("--set", "compute.checkpoint_interval=0.01")


def trials(folder, kind):
    return [event["key"] for event in journal_events(folder) if event["kind"] == kind and event["stage"] == "trial"]


class CheckpointsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_reference(STUDY)

    def interrupt(self, name, signal_number, more=(), ranks=2, checkpoints=1):
        """A study that was left in the midst of its trials, with checkpoints of some of them."""
        path, folder = self.study(name, STUDY)
        launcher = start("run", path, *more, ranks=ranks)
        event = "started" if signal_number else "checkpoint"
        self.assertTrue(wait_for_finished(launcher, folder, 3 * checkpoints, kind=event), event)
        if signal_number:
            os.kill(ranks_of(launcher)[-1], signal_number)
            output, _ = launcher.communicate(timeout=120)
            self.assertEqual(launcher.returncode, 85, output)
        else:
            kill_all(launcher)
            launcher.stdout.close()
        return path, folder

    def kept(self, folder):
        return sorted((folder / "checkpoints").iterdir())

    def goes_on(self, path, folder, ranks, more=()):
        """The same command ends with the uninterrupted results, repeats no finished trial and leaves no checkpoint."""
        result = self.done(run("run", path, *more, ranks=ranks))
        finished = trials(folder, "finished")
        self.assertEqual(len(finished), len(set(finished)))
        self.assertEqual(set(finished), set(trials(self.reference, "finished")))
        self.assertEqual(self.kept(folder), [])
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
        return result

    def test_without_an_interruption_there_is_none_on_disk(self):
        self.assertEqual(self.kept(self.reference), [])
        self.assertEqual(trials(self.reference, "checkpoint"), [])

    def test_a_stop_keeps_each_running_trial_and_other_ranks_go_on_with_it(self):
        for ranks, later in ((1, 3), (2, 1), (3, 2)):
            with self.subTest(ranks=ranks):
                path, folder = self.interrupt(f"stopped{ranks}", signal.SIGTERM, ranks=ranks)
                stopped = trials(folder, "stopped")
                self.assertEqual(set(trials(folder, "checkpoint")) & set(stopped), set(stopped))
                self.goes_on(path, folder, later)
                self.assertEqual(set(trials(folder, "resumed")), set(stopped))

    def test_killed_trials_go_on_from_their_last_checkpoint(self):
        path, folder = self.interrupt("killed", None, OFTEN)
        self.goes_on(path, folder, 3, OFTEN)
        self.assertTrue(trials(folder, "resumed"))

    def test_a_damaged_checkpoint_falls_back_to_the_one_before(self):
        path, folder = self.interrupt("damaged", None, OFTEN, ranks=1, checkpoints=2)
        newest = next((folder / "checkpoints").glob("*.checkpoint"))
        data = bytearray(newest.read_bytes())
        data[len(data) // 2] ^= 4
        newest.write_bytes(data)
        result = self.goes_on(path, folder, 2)
        self.assertIn(f"the checkpoint {newest} is damaged; the one before it is tried", result.text)
        self.assertEqual(trials(folder, "resumed"), [newest.stem])

    def test_a_trial_without_a_whole_checkpoint_begins_anew(self):
        path, folder = self.interrupt("torn", None, OFTEN, ranks=1, checkpoints=2)
        for file in self.kept(folder):
            file.write_bytes(file.read_bytes()[:-1])
        result = self.goes_on(path, folder, 2)
        self.assertIn("is damaged; its work begins anew", result.text)
        self.assertEqual(trials(folder, "resumed"), [])

    def test_a_checkpoint_under_other_numerics_is_ignored(self):
        path, folder = self.interrupt("numerics", signal.SIGUSR2, ranks=1)
        other = ("--set", "compute.threads_per_trial=2", "--accept-other-numerics")
        result = self.done(run("run", path, *other, ranks=1))
        self.assertIn('was made under other conditions ("threads_per_trial: 1" instead of "threads_per_trial: 2"); '
                      "its work begins anew", result.text)
        self.assertEqual(trials(folder, "resumed"), [])
        self.assertEqual(self.kept(folder), [])

    def test_a_launch_removes_what_a_killed_one_left_of_finished_trials(self):
        path, folder = self.study("spent", STUDY)
        self.done(run("sweep", path, ranks=2))
        key = trials(folder, "finished")[0]
        for ending in ("checkpoint", "previous", "checkpoint.tmp"):
            (folder / "checkpoints" / f"{key}.{ending}").write_bytes(b"spent")
        self.done(run("sweep", path, ranks=1))
        self.assertEqual(self.kept(folder), [])


if __name__ == "__main__":
    main()
