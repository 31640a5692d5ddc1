"""A search over options of the training, by the real program; and one that begins where another ended."""

import re
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, finished_trials, kill_all, main, run, start, wait_for_finished  # noqa: E402

try:
    import h5py
except ImportError:
    h5py = None

SEARCH = """\
search:
  arms: [all_full]
  method: random
  trials: 6
  concurrency: 2
  space:
    - {field: learning_rate, low: 0.0005, high: 0.01, scale: log}
    - {field: optimizer, choices: [adam, novograd]}
    - {field: weight_decay, low: 1e-5, high: 1e-2, scale: log, when: {field: optimizer, is: [adam]}}
    - {field: training.loss, choices: [dice, dice_ce]}
    - {field: training.patches_per_case, low: 1, high: 3}
    - {field: training.patch, choices: ["[16, 16, 16]", "[8, 16, 16]"]}
"""
SPACE_STUDY = TINY_STUDY[:TINY_STUDY.index("arms:")] + """\
arms:
  - {name: all_full, network: proxy}
reference: all_full
sweep: {optimizers: [adam], learning_rates: [0.001], repeats: 1}
""" + SEARCH + """\
final_training: {network: proxy, repeats: 1}
output: {folder: OUT}
"""


class SearchSpaceTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference_output = cls.run_reference(SPACE_STUDY, ranks=1).output

    def columns(self, results, table):
        with h5py.File(results) as file:
            return {name: [v.decode() if isinstance(v, bytes) else v for v in data[:]] for name, data in file[table].items()}

    def test_killed_and_gone_on_with_on_other_ranks_it_makes_the_same_trials(self):
        path, folder = self.study("killed", SPACE_STUDY)
        launcher = start("run", path, ranks=3)
        wait_for_finished(launcher, folder, 3)
        kill_all(launcher)
        launcher.stdout.close()
        self.done(run("run", path, ranks=2))
        finished = finished_trials(folder)
        self.assertEqual(len(finished), len(set(finished)))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
        best = re.search(r"search all_full: best validation Dice \S+ \((.*)\)", self.done(run("status", path)).output)
        self.assertRegex(best[1], r"^(adam|novograd) \S+, shift 0.50.*, loss dice(_ce)?, patch \[.*\], patches_per_case [123]$")

    def test_it_prints_and_stores_what_it_searched(self):
        table_2 = self.reference_output[self.reference_output.index("Table 2: final"):].splitlines()[1]
        for title in ("rate", "weight_decay", "loss", "patches_per_case", "patch"):
            self.assertIn(title, table_2.split())
        if h5py is None:
            raise unittest.SkipTest("h5py is not installed")
        results = self.reference / "results.h5"
        trace = self.columns(results, "/search/all_full")
        self.assertEqual(set(trace["optimizer"]), {"adam", "novograd"})
        for optimizer, decay in zip(trace["optimizer"], trace["weight_decay"]):
            self.assertEqual(decay > 0, optimizer == "adam")
        self.assertTrue(set(trace["training_patches_per_case"]) <= {1, 2, 3})
        trials = self.columns(results, "/trials/search")
        mine = [dict(zip(trials, row)) for row in zip(*trials.values())]
        for row, key in enumerate(trace["key"]):
            trial = next(one for one in mine if one["trial"] == key)
            for column in ("training_loss", "training_patch", "training_patches_per_case", "weight_decay", "learning_rate"):
                self.assertEqual(trial[column], trace[column][row])
        final = self.columns(results, "/trials/train")
        best = max(range(6), key=lambda i: trace["reward"][i])
        self.assertEqual(final["training_loss"], [trace["training_loss"][best]])
        distances = self.columns(results, "/analysis/relative_distances")["hyper_parameter"]
        self.assertEqual(distances, ["learning_rate", "weight_decay", "training.patches_per_case", "all"])

    def test_a_warm_start_begins_with_the_best_points_of_another_study(self):
        earlier = self.scratch / "earlier.h5"
        shutil.copy(self.reference / "results.h5", earlier)
        warm = SPACE_STUDY.replace("name: tiny", "name: warm").replace("method: random", "method: reinforcement").replace(
            "  trials: 6", f"  trials: 4\n  warm_start: {{results: {earlier}, best: 2}}").replace("seed: 3", "seed: 4")
        path, folder = self.study("warm", warm)
        first = self.done(run("run", path, ranks=1))
        self.assertRegex(first.output, r"search all_full begins with 2 points of .*/earlier.h5")
        other_path, other = self.study("warm_again", warm)
        launcher = start("run", other_path, ranks=2)
        wait_for_finished(launcher, other, 2)
        kill_all(launcher)
        launcher.stdout.close()
        self.done(run("run", other_path, ranks=3))
        self.assertEqual(differences(folder / "results.h5", other / "results.h5"), "")
        if h5py is not None:
            points = ("optimizer", "learning_rate", "weight_decay", "training_loss", "training_patches_per_case")
            there = self.columns(earlier, "/search/all_full")
            order = sorted(range(6), key=lambda i: -there["reward"][i])[:2]
            here = self.columns(folder / "results.h5", "/search/all_full")
            for name in points:
                self.assertEqual(here[name][:2], [there[name][i] for i in order])
        # The earlier study went on: what was begun from it is another search.
        path.write_text(path.read_text().replace(str(earlier), str(other / "results.h5")))
        path.write_text(path.read_text().replace("results: ", "stage: search, results: "))
        changed = run("run", path, ranks=2)
        self.assertEqual(changed.code, 2, changed.text)
        self.assertIn("search.warm_start.content was", changed.text)
        self.assertIn("which invalidates search and train", changed.text)

    def test_a_replay_proposes_the_points_of_another_search_or_of_a_list(self):
        earlier = self.scratch / "replayed.h5"
        shutil.copy(self.reference / "results.h5", earlier)

        def replay(points, trials=6):
            return SPACE_STUDY.replace("method: random", "method: replay").replace("  trials: 6", f"  trials: {trials}\n  replay: {{points: {points}}}")

        path, folder = self.study("replay", replay(earlier, trials=2))
        said = self.done(run("run", path, ranks=2)).output
        self.assertIn(f"search all_full replays the first 2 of 6 points of {earlier}: raise search.trials for more", said)
        if h5py is not None:
            there, here = (self.columns(results, "/search/all_full") for results in (earlier, folder / "results.h5"))
            self.assertEqual(here["key"], there["key"][:2])
            self.assertEqual(here["reward"], there["reward"][:2])
        # More of the same list leaves what is done alone.
        path.write_text(path.read_text().replace("trials: 2", "trials: 3"))
        self.done(run("run", path, ranks=2))
        finished = finished_trials(folder)
        self.assertEqual(len(finished), len(set(finished)))
        # Another list is another search; a list on which a point cannot be proposed is none.
        points = self.scratch / "points.csv"
        points.write_text("learning_rate,optimizer,weight_decay,training.loss,training.patches_per_case,training.patch\n"
                          '0.001,adam,0.0001,dice,1,"[8, 16, 16]"\n0.002,novograd,0,dice_ce,2,"[16, 16, 16]"\n')
        path.write_text(replay(points).replace("OUT", str(folder)))
        changed = run("run", path, ranks=2)
        self.assertEqual(changed.code, 2, changed.text)
        self.assertRegex(changed.text, r"search\.replay\.content\.all_full\.0 was \{.*\} and is \{.*which invalidates search and train")
        # What a list costs is what it is long.
        hours = {}
        for trials in (2, 2000):
            path.write_text(replay(points, trials).replace("OUT", str(folder)))
            check = self.done(run("check", path, ranks=1)).output
            hours[trials] = float(re.search(r"check: search +(\S+) device hours", check)[1])
        self.assertLess(hours[2000], 0.1)
        self.assertIn(f"search all_full replays 2 points of {points}, fewer than search.trials, 2000", check)
        points.write_text(points.read_text() + '0.5,adam,0.0001,dice,1,"[8, 16, 16]"\n')
        for command in ("run", "check"):
            refused = run(command, path, ranks=2)
            self.assertEqual(refused.code, 3, refused.text)
            self.assertIn("points.csv, but point 2 (counted from 0) is not of this search space: learning_rate is 0.5, but is searched "
                          "here from 5e-04 to 0.01", refused.text)

    def test_a_warm_start_from_nothing_useful_is_refused_with_the_reason(self):
        results = self.reference / "results.h5"

        def refused(code, warm, *words, text=SPACE_STUDY, name="refused"):
            path, folder = self.study(name, text.replace("  trials: 6", f"  trials: 6\n  warm_start: {{{warm}}}"))
            result = run("run", path, ranks=2)
            self.assertEqual(result.code, code, result.text)
            for word in words:
                self.assertIn(word, result.text)

        refused(3, f"results: {results}, arm: proxy", "has no search of an arm proxy; the arms", "all_full")
        narrow = re.sub(r"    - \{field: training.loss.*\n", "", SPACE_STUDY).replace("epochs: 2", "epochs: 2\n  loss: dice_ce")
        narrow = narrow.replace("[adam, novograd]}\n", "[adamax, rmsprop]}\n").replace("is: [adam]", "is: [adamax]")
        refused(3, f"results: {results}", "none of its points is of this search space", "optimizer is", text=narrow)
        refused(2, f"results: {results}", "which this study itself writes",
                text=SPACE_STUDY.replace("folder: OUT", f"folder: {self.reference}"))
        refused(3, "results: missing.h5", "missing.h5")


if __name__ == "__main__":
    main()
