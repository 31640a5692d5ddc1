"""Ways to pick proxy data, by the real program: the paper's unless an arm says otherwise."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, TINY_STUDY, differences, main, run  # noqa: E402

ARMS = """\
  - {name: median_full, data: proxy, budget: 4, importance: median}
  - {name: quantile_full, data: proxy, budget: 4, importance: quantile, quantile: 0.25}
  - {name: farthest_full, data: proxy, budget: 4, selector: farthest_point}
  - {name: facility_full, data: proxy, budget: 2, selector: facility_location, crop: none}
"""
STUDY = TINY_STUDY.replace("reference: all_full", ARMS + "reference: all_full").replace("trials: 4", "trials: 1")


def printed_table(output, title):
    """The rows of a table as the program prints it, by column."""
    lines = output[output.index(f"{title}, least similar first"):].splitlines()[1:]
    rows = [line.split() for line in lines[:lines.index("")] if line]
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}


class SelectionTest(ProgramTest):
    def test_rank_prints_each_statistic_that_an_arm_names_in_order(self):
        path, _ = self.study("ranked", STUDY)
        output = self.done(run("rank", path, ranks=2)).output + "\n\n"
        for suffix, statistic in (("", "mean"), ("_median", "median"), ("_quantile_0.25", "quantile_0.25")):
            table = printed_table(output, "mutual_information_label" + suffix)
            self.assertEqual(table["place"], [str(place) for place in range(6)])
            self.assertEqual(set(table["statistic"]), {statistic})
            importance = list(map(float, table["importance"]))
            self.assertEqual(importance, sorted(importance))

    def test_results_do_not_depend_on_ranks_and_say_how_data_were_picked(self):
        one, first = self.study("one", STUDY)
        two, second = self.study("two", STUDY)
        self.done(run("run", one, ranks=1))
        self.done(run("run", two, ranks=3))
        self.assertEqual(differences(first / "results.h5", second / "results.h5"), "")
        try:
            import h5py
        except ImportError:
            self.skipTest("h5py is not installed")
        with h5py.File(first / "results.h5") as file:
            arms = {arm.decode(): row for row, arm in enumerate(file["arms/arm"][:])}
            for arm, ranking, selector in (("all_full", b"", b""),
                                           ("median_full", b"mutual_information_label_median", b"least_similar"),
                                           ("farthest_full", b"mutual_information_label", b"farthest_point"),
                                           ("facility_full", b"mutual_information", b"facility_location")):
                self.assertEqual((file["arms/ranking"][arms[arm]], file["arms/selector"][arms[arm]]), (ranking, selector))
                self.assertTrue(not ranking or ranking.decode() in file["similarity/importance"])
            data = [text.decode() for text in file["analysis/table_1/data"][:]]
        self.assertIn("4 cases by quantile_0.25 of mutual_information of label crops, network full", data)
        self.assertIn("2 facility_location cases by mutual_information, network full", data)

    def test_a_sampled_ranking_estimates_with_intervals_on_any_number_of_ranks(self):
        text = TINY_STUDY.replace("similarity: {", "similarity: {sampled_pairs: 3, ")
        path, folder = self.study("sampled1", text)
        result = self.done(run("run", path, ranks=1))
        self.assertIn("sampled pairs", result.output)
        self.assertIn("95 % intervals", result.output)
        self.assertIn("importance_low", self.done(run("rank", path, ranks=2)).output)
        other_path, other = self.study("sampled2", text)
        self.done(run("run", other_path, ranks=2))
        self.assertEqual(differences(folder / "results.h5", other / "results.h5"), "")
        # As many as there are: the exact ranking.
        exact_path, exact = self.study("sampled5", text.replace("sampled_pairs: 3", "sampled_pairs: 5"))
        plain_path, plain = self.study("sampled0")
        for study in (exact_path, plain_path):
            self.done(run("run", study, ranks=2))
        self.assertEqual([line for line in differences(exact / "results.h5", plain / "results.h5").splitlines()
                          if "similarity" in line], [])

    def test_another_statistic_or_selector_of_an_arm_is_a_change_and_another_arm_is_none(self):
        path, _ = self.study("changed", STUDY)
        self.done(run("select", path))
        text = path.read_text()
        path.write_text(text.replace("importance: median", "importance: mean"))
        result = run("select", path)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("arms.median_full/importance was median and is mean", result.text)
        path.write_text(text.replace("selector: farthest_point", "selector: least_similar"))
        result = run("select", path)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("arms.farthest_full/selector was farthest_point and is least_similar", result.text)
        extended = "  - {name: lowest_full, data: proxy, budget: 2, importance: quantile, quantile: 0}\nreference:"
        path.write_text(text.replace("reference:", extended, 1))
        self.done(run("select", path))


if __name__ == "__main__":
    main()
