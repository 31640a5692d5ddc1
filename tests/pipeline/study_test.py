"""A whole study by the real program: the same on any number of ranks, resumed, extended."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, finished_trials, journal_events, kill_all, main, ranks_of, run, start, wait_for_finished  # noqa: E402


ONE_AT_ONCE = "compute: {trials_per_device: 1}\n"


def place_in_file(results, column):
    """Where the bytes of a contiguous data set begin."""
    tool = shutil.which("h5dump")
    if tool is None:
        raise unittest.SkipTest("h5dump is not installed")
    header = subprocess.run([tool, "-p", "-H", "-d", column, str(results)], capture_output=True, text=True).stdout
    return int(re.search(r"CONTIGUOUS\s+SIZE \d+\s+OFFSET (\d+)", header)[1])


class StudyTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference_output = cls.run_reference(TINY_STUDY + ONE_AT_ONCE, ranks=1).output

    def test_results_are_the_same_on_1_2_3_4_and_7_ranks_with_1_or_2_trials_at_once(self):
        for ranks, trials in ((1, 2), (2, 1), (3, 2), (4, 1), (7, 2)):
            path, folder = self.study(f"ranks{ranks}")
            result = self.done(run("run", path, "--set", f"compute.trials_per_device={trials}", ranks=ranks))
            self.assertIn(f"trials at once: {trials} on each rank (compute.trials_per_device)", result.output)
            self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
        path, _ = self.study("none_at_once")
        for value in ("0", "1025", "some"):
            result = run("run", path, "--set", f"compute.trials_per_device={value}")
            self.assertEqual(result.code, 2, result.text)
            self.assertIn(f'compute.trials_per_device is "{value}", but', result.text)

    def test_a_finished_study_runs_nothing_again(self):
        path, folder = self.study("again")
        self.done(run("run", path, ranks=2))
        before = finished_trials(folder)
        # As if it had begun before there were these fields: their defaults change nothing.
        fields = json.loads((folder / "resolved.json").read_text())
        for later in ("sweep.weight_decay", "search.weight_decay", "search.learning_rate"):
            del fields[later]
        (folder / "resolved.json").write_text(json.dumps(fields))
        self.assertNotEqual(run("run", path, "--set", "search.weight_decay=0.1").code, 0)
        self.done(run("run", path, ranks=3))
        self.assertEqual(finished_trials(folder), before)
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_killed_at_random_moments_it_goes_on_and_repeats_no_finished_trial(self):
        path, folder = self.study("killed")
        dice = random.Random(11)
        kills = 0
        for trials in (1, 4, 8):
            launcher = start("run", path, ranks=2)
            wait_for_finished(launcher, folder, trials)
            time.sleep(dice.uniform(0, 0.05))
            kills += launcher.poll() is None
            kill_all(launcher)
            launcher.stdout.close()
        self.assertGreater(kills, 0)
        self.done(run("run", path, ranks=2))
        finished = finished_trials(folder)
        self.assertEqual(len(finished), len(set(finished)))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_a_signal_to_one_rank_ends_it_with_85_and_the_same_command_finishes(self):
        path, folder = self.study("signalled", TINY_STUDY.replace("epochs: 2", "epochs: 40"))
        launcher = start("run", path, ranks=2)
        self.assertTrue(wait_for_finished(launcher, folder, 1))
        os.kill(ranks_of(launcher)[-1], signal.SIGUSR1)
        output, _ = launcher.communicate(timeout=120)
        self.assertEqual(launcher.returncode, 85, output)
        self.assertFalse((folder / "results.h5").exists())
        path.write_text(path.read_text().replace("epochs: 40", "epochs: 2"))
        result = run("run", path, ranks=2)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("training.epochs was 40 and is 2", result.text)
        self.done(run("run", path, "--accept-changes", ranks=2))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_an_extended_study_runs_only_what_is_new(self):
        path, folder = self.study("extended")
        self.done(run("run", path, ranks=2))
        before = finished_trials(folder)
        text = TINY_STUDY.replace("trials: 4", "trials: 6").replace(
            "reference: all_full", "  - {name: mi_crop_proxy, data: proxy, budget: 4, network: proxy}\nreference: all_full")
        path.write_text(text.replace("OUT", str(folder)))
        self.done(run("run", path, ranks=2))
        after = finished_trials(folder)
        self.assertEqual(len(after), len(set(after)))
        self.assertTrue(set(before) < set(after))
        # 2 sweep points x 2 repeats of the new arm; 2 more trials for each of 2 searches; final models if a winner changed.
        self.assertLessEqual(len(after) - len(before), 4 + 4 + 2)
        self.assertGreaterEqual(len(after) - len(before), 4)

    def test_results_do_not_depend_on_how_the_matrix_is_cut(self):
        path, folder = self.study("cut", TINY_STUDY.replace("tile: 2", "tile: 1, threads: 3, memory: 64"))
        self.done(run("run", path, ranks=2))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_rank_alone_writes_the_matrix_and_the_order(self):
        path, folder = self.study("ranked")
        self.done(run("rank", path, ranks=2))
        self.done(run("verify", folder / "ranking.h5"))
        self.assertIn("no trial has finished yet", self.done(run("status", path)).output)
        for group in ("/similarity", "/cases"):
            same = subprocess.run(["h5diff", str(folder / "ranking.h5"), str(self.reference / "results.h5"), group],
                                  capture_output=True, text=True)
            self.assertEqual(same.returncode, 0, same.stdout)

    def test_pairs_that_are_gone_or_damaged_are_computed_again(self):
        path, folder = self.study("pairs")
        self.done(run("run", path, ranks=2))
        trials = finished_trials(folder)
        files = sorted((folder / "pairs").glob("*.tiles"))
        files[0].unlink()
        data = bytearray(files[-1].read_bytes())
        data[3] ^= 1
        files[-1].write_bytes(data)
        # Matrices that are whole need no tiles.
        self.assertNotIn("are computed again", self.done(run("run", path, ranks=2)).text)
        for matrix in (folder / "pairs").glob("*.matrix"):
            data = bytearray(matrix.read_bytes())
            data[len(data) // 2] ^= 1
            matrix.write_bytes(data)
        result = self.done(run("run", path, ranks=2))
        self.assertIn("is missing", result.text)
        self.assertIn("are computed again", result.text)
        self.assertNotIn("are computed again", self.done(run("run", path, ranks=2)).text)
        self.assertEqual(finished_trials(folder), trials)
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_a_grown_set_computes_the_new_pairs_only(self):
        path, folder = self.study("grown", TINY_STUDY.replace("  validation_cases: 2", "  validation_cases: 2\n  cases: 4"))
        self.done(run("rank", path, ranks=2))

        def pairs():
            return sum(event["data"]["count"] for event in journal_events(folder) if event["stage"] == "tile")

        before = pairs()
        path.write_text(path.read_text().replace("cases: 4", "cases: 6"))
        self.done(run("rank", path, "--accept-changes", ranks=2))
        # Tiles have an edge of 2: 4 -> 6 cases adds a column of two tiles and one on the diagonal; and 2 x 2 external pairs.
        self.assertEqual(pairs() - before, 3 * 4 + 2 * 2)

    def test_it_prints_the_tables_and_says_where_results_are(self):
        for words in ("Table 1", "Table 2", "results.h5"):
            self.assertIn(words, self.reference_output)

    def test_without_an_external_set_it_prints_what_is_known(self):
        path, folder = self.study("inside", TINY_STUDY.replace("  external: data/siteB/dataset.json\n", ""))
        output = self.done(run("run", path, ranks=2)).output
        tables = output[output.index("Table 1"):]
        self.assertIn("final full models with each arm's hyper-parameters (no external set)", tables)
        table_2 = tables[tables.index("Table 2: final"):].splitlines()
        self.assertEqual(table_2[1].split()[-1], "repeats")
        self.assertEqual(table_2[2].split()[-1], "1")
        # No arm has the reference's data, so that nothing can be compared.
        self.assertNotIn("Fig. 2 and 3", tables)
        for line in table_2[1:4]:
            self.assertNotIn("external", line)

    def test_verify_accepts_the_file_and_names_a_flipped_byte(self):
        self.done(run("verify", self.reference / "results.h5"))
        for column in ("/analysis/table_1/validation_dice", "/selection/case"):
            with self.subTest(column=column):
                damaged = self.scratch / "damaged.h5"
                data = bytearray((self.reference / "results.h5").read_bytes())
                data[place_in_file(self.reference / "results.h5", column) + 5] ^= 0x10
                damaged.write_bytes(data)
                result = run("verify", damaged)
                self.assertEqual(result.code, 3, result.text)
                self.assertIn(column, result.text)

    def test_predict_writes_masks_on_the_image_grid(self):
        path, folder = self.study("predicting")
        self.done(run("run", path, ranks=2))
        image = sorted((self.scratch / "data/siteB/imagesTr").glob("*"))[0]
        masks = self.scratch / "masks"
        self.done(run("predict", path, "--input", image, "--output", masks, "--arm", "mi_crop_full", ranks=2))
        self.assertEqual(len(list(masks.glob("*.nii.gz"))), 1)
        # Weights that somebody removed come back with the same command, bit for bit.
        weights = sorted((folder / "weights").glob("*.pt"))
        kept = weights[0].read_bytes()
        weights[0].unlink()
        self.done(run("run", path, ranks=1))
        self.assertEqual(weights[0].read_bytes(), kept)

    def test_status_says_what_is_done(self):
        path, folder = self.study("status")
        self.done(run("sweep", path, ranks=2))
        result = self.done(run("status", path))
        self.assertIn("trials completed: 12", result.output)
        self.assertIn("not written", result.output)

    def test_status_says_who_is_at_which_epoch_of_which_trial(self):
        text = TINY_STUDY.replace("epochs: 2", "epochs: 3000").replace("validate_every: 1", "validate_every: 1000")
        path, folder = self.study("running", text + ONE_AT_ONCE)
        launcher = start("sweep", path, ranks=2)
        self.assertTrue(wait_for_finished(launcher, folder, 2, kind="progress"))
        running = self.done(run("status", path)).output
        self.assertRegex(running, r"(?m)^at work: process \d+ on host ")
        for rank in (0, 1):
            self.assertRegex(running, rf"(?m)^  [0-9a-f]{{12}} on rank {rank}: \d+ of 3000 epochs done$")
        self.assertNotIn("interrupted", running)
        os.kill(ranks_of(launcher)[0], signal.SIGTERM)
        launcher.communicate(timeout=120)
        stopped = self.done(run("status", path)).output
        self.assertIn("no job is at work", stopped)
        self.assertNotIn("running:", stopped)
        # A stop ends an attempt in order; a kill leaves it open.
        launcher = start("sweep", path, ranks=2)
        self.assertTrue(wait_for_finished(launcher, folder, 4, kind="progress"))
        kill_all(launcher)
        launcher.stdout.close()
        killed = self.done(run("status", path)).output
        self.assertEqual(len(re.findall(r"(?m)^  [0-9a-f]{12}: \d+ of 3000 epochs done$", killed)), 2, killed)

    def test_the_longest_trials_begin_first(self):
        path, folder = self.study("order", TINY_STUDY + ONE_AT_ONCE)
        self.done(run("sweep", path, ranks=1))
        begun = [event["data"] for event in journal_events(folder) if event["kind"] == "started" and event["stage"] == "trial"]
        sizes = [(re.search(r"channels: (\d+)\nlevels", one["network"])[1], len(one["training_cases"])) for one in begun]
        # 4 channels before 2, and of those with 4 all cases before half of them.
        self.assertEqual(sizes, [("4", 4)] * 4 + [("4", 2)] * 4 + [("2", 2)] * 4)
        outlook = [event["data"] for event in journal_events(folder) if event["kind"] == "outlook"]
        self.assertEqual((outlook[-1]["done"], outlook[-1]["total"], outlook[-1]["seconds_left"]), (12, 12, 0))

    def test_check_predicts_hours_and_touches_nothing(self):
        path, folder = self.study("checked")
        result = self.done(run("check", path, ranks=2))
        self.assertIn("device hours", result.output)
        self.assertRegex(result.output, r"check: trials at once: \d+ on each rank \([\d.]+ processors a rank, threads_per_trial 1")
        self.assertFalse(folder.exists())


if __name__ == "__main__":
    main()
