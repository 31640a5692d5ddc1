"""Searches that stop trials early, by the real program."""

import math
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, finished_trials, kill_all, main, run, start, wait_for_finished  # noqa: E402

try:
    import h5py
except ImportError:
    h5py = None

PLAIN_STUDY = TINY_STUDY[:TINY_STUDY.index("arms:")].replace("epochs: 2", "epochs: 4") + """\
arms:
  - {name: all_full, network: proxy}
reference: all_full
sweep: {optimizers: [adam], learning_rates: [0.001], repeats: 1}
search:
  method: random
  trials: 8
  concurrency: 4
  space: [{field: learning_rate, low: 0.0001, high: 0.1, scale: log}]
final_training: {network: proxy, repeats: 1}
output: {folder: OUT}
"""
HALVING_STUDY = PLAIN_STUDY.replace("  trials: 8\n", "  trials: 8\n  halving: {rungs: [{epochs: 1}, {epochs: 2}], reduction: 2}\n")


def columns(results, table):
    with h5py.File(results) as file:
        return {name: [v.decode() if isinstance(v, bytes) else v for v in data[:]] for name, data in file[table].items()}


def curves(results):
    """(training loss, validation Dice) by epoch, as far as it was trained, of each trial by its key."""
    with h5py.File(results) as file:
        arrays = file["/curves/search_arrays"]
        rows = zip(file["/curves/search/trial"][:], arrays["loss"][:], arrays["validation_dice"][:])
        return {key.decode(): [pair for pair in zip(loss, dice) if not math.isnan(pair[0])] for key, loss, dice in rows}


class HalvingTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference_output = cls.run_reference(HALVING_STUDY, ranks=1).output

    def test_killed_and_gone_on_with_on_other_ranks_it_makes_the_same_decisions(self):
        path, folder = self.study("killed", HALVING_STUDY)
        for ranks, pieces in ((3, 3), (1, 7)):
            launcher = start("run", path, ranks=ranks)
            wait_for_finished(launcher, folder, pieces)
            kill_all(launcher)
            launcher.stdout.close()
        self.done(run("run", path, ranks=3))
        finished = finished_trials(folder)
        self.assertEqual(len(finished), len(set(finished)))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
        for study in (folder, self.reference):
            self.assertEqual(list((study / "checkpoints").iterdir()), [])

    def test_it_says_how_much_it_trained(self):
        # Two brackets of four trials: four come to epoch 1, two to epoch 2, two to epoch 4.
        self.assertIn("search all_full: trained 16 of 32 epochs, 6 of 8 trials stopped early", self.reference_output)
        self.assertRegex(self.reference_output, r"search all_full \[\d+/14\] .* validation Dice \S+, stopped after 1 of 4 epochs \(best")
        status = self.done(run("status", self.scratch / "reference.yaml")).output
        self.assertIn("trials completed: 4\n", status)  # the sweep's, two of the search, and the final one
        self.assertIn("trials stopped_early: 6\n", status)
        self.assertNotIn("stopped after", status)

    @unittest.skipIf(h5py is None, "h5py is not installed")
    def test_a_trial_that_goes_on_has_the_bits_of_one_that_never_stopped(self):
        path, folder = self.study("plain", PLAIN_STUDY)
        self.done(run("run", path, ranks=2))
        early, plain = (columns(study / "results.h5", "/search/all_full") for study in (self.reference, folder))
        self.assertEqual(early["learning_rate"], plain["learning_rate"])
        early_curves, plain_curves = curves(self.reference / "results.h5"), curves(folder / "results.h5")
        for trial, (key, epochs) in enumerate(zip(early["key"], early["epochs"])):
            self.assertEqual(early_curves[key], plain_curves[plain["key"][trial]][:epochs])
            self.assertEqual(early["reward"][trial], max(dice for _, dice in early_curves[key]))
        self.assertEqual(sorted(early["epochs"]), [1, 1, 1, 1, 2, 2, 4, 4])
        self.assertEqual(sorted(early["rung"]), [0, 0, 0, 0, 1, 1, 2, 2])
        # Those that came to their end are the very trials of the study without halving, scored externally as well.
        scored = columns(self.reference / "results.h5", "/trials/search")
        other = columns(folder / "results.h5", "/trials/search")
        for row, status in enumerate(scored["status"]):
            self.assertEqual(status == "completed", scored["trial"][row] in other["trial"])
            self.assertEqual(status == "completed", not math.isnan(scored["external_dice"][row]))
            self.assertFalse(math.isnan(scored["validation_dice"][row]))
        final = columns(self.reference / "results.h5", "/trials/train")
        best = max((early["rung"][i], early["reward"][i], early["learning_rate"][i]) for i in range(8))
        self.assertEqual(final["learning_rate"], [best[2]])


FIDELITY_STUDY = PLAIN_STUDY.replace("network: proxy}\nreference", "network: full}\n  - {name: small, data: random, budget: 4, network: proxy}\nreference").replace(
    "  trials: 8\n", "  arms: [all_full]\n  trials: 8\n  halving: {rungs: [{epochs: 2, arm: small}, {epochs: 2}], reduction: 2}\n").replace(
    "sweep: {", "sweep: {arms: [all_full], ")


class FidelitiesTest(ProgramTest):
    def test_trials_are_sorted_out_by_another_arms_data_and_network_on_any_number_of_ranks(self):
        said = self.run_reference(FIDELITY_STUDY, ranks=1).output
        # Of two brackets of four, each trial has 2 epochs of small; the better two 2 and the best 4 of its own as well.
        self.assertIn("search all_full: trained 12 of 32 epochs and 16 of other arms, 6 of 8 trials stopped early", said)
        # What counts as the best so far is one that came furthest, though another's score was higher.
        scores = [(part or "4", dice, best) for dice, part, best in re.findall(
            r"search all_full \[.* validation Dice (\S+?)(?:, stopped after (\S+ of \S+) epochs)? \(best (\S+)\)", said)]
        whole = [i for i, (part, _, _) in enumerate(scores) if part == "4"]
        self.assertEqual(len(whole), 2)
        for i in range(whole[0], len(scores)):
            self.assertEqual(scores[i][2], max(scores[k][1] for k in whole if k <= i))
        status = self.done(run("status", self.scratch / "reference.yaml")).output
        self.assertIn(f"search all_full: best validation Dice {scores[-1][2]} (", status)
        path, folder = self.study("killed", FIDELITY_STUDY)
        launcher = start("run", path, ranks=2)
        wait_for_finished(launcher, folder, 6)
        kill_all(launcher)
        launcher.stdout.close()
        self.done(run("run", path, ranks=3))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
        self.assertEqual(list((folder / "checkpoints").iterdir()), [])
        if h5py is not None:
            trace = columns(folder / "results.h5", "/search/all_full")
            self.assertEqual(sorted(trace["epochs"]), [2, 2, 2, 2, 4, 4, 6, 6])
            # What was trained at the lower fidelity is told, and paid for, as well.
            trials = columns(folder / "results.h5", "/trials/search")
            self.assertEqual(sorted(zip(trials["training_cases"], trials["epochs"])), [(2, 2)] * 8 + [(4, 2)] * 2 + [(4, 4)] * 2)


MEDIAN_STUDY = PLAIN_STUDY.replace("  trials: 8\n  concurrency: 4\n", "  trials: 8\n  concurrency: 2\n  median_stopping: {from_epoch: 2, earlier_trials: 2}\n")


class MedianStoppingTest(ProgramTest):
    def test_killed_and_gone_on_with_on_other_ranks_it_stops_the_same_trials_for_the_same_reasons(self):
        said = self.run_reference(MEDIAN_STUDY, ranks=1).output
        self.assertRegex(said, r"search all_full: trained \d+ of 32 epochs, [1-5] of 8 trials stopped early")
        self.assertRegex(said, r"stopped after [23] of 4 epochs: its validation Dice was below \S+, the median of earlier trials")
        path, folder = self.study("killed", MEDIAN_STUDY)
        launcher = start("run", path, ranks=3)
        wait_for_finished(launcher, folder, 5)
        kill_all(launcher)
        launcher.stdout.close()
        self.done(run("run", path, ranks=2))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
        self.assertEqual(list((folder / "checkpoints").iterdir()), [])
        if h5py is not None:
            trace = columns(folder / "results.h5", "/search/all_full")
            for status, epochs in zip(trace["status"], trace["epochs"]):
                self.assertEqual(status == "stopped_early", epochs < 4)


class RefusedTest(ProgramTest):
    def test_a_median_rule_that_can_stop_no_trial(self):
        for changes, after in (("training.validate_every=4", 0), ("search.median_stopping.from_epoch=4", 3)):
            path, _ = self.study("refused", MEDIAN_STUDY)
            result = run("check", path, "--set", changes)
            self.assertEqual(result.code, 2, result.text)
            self.assertIn(f"are looked at for the last time after {after}, so that none would be stopped", result.text)


if __name__ == "__main__":
    main()
