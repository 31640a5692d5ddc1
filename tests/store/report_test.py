"""report_test.py MPIEXEC WRITE_SAMPLE REPORT: the page of a file with every table, with few, and of no results file."""
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
    import pandas

    __import__("matplotlib")  # for the page, in a process of its own
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

report = sys.argv[3]
folder = tempfile.TemporaryDirectory()


def run(*arguments):
    return subprocess.run([sys.executable, report, *arguments], capture_output=True, text=True)


def put(file, path, description="", **columns):
    group = file.require_group(path)
    group.attrs["description"] = description
    for name, values in columns.items():
        values = np.array([v.encode() for v in values]) if len(values) and isinstance(values[0], str) else np.array(values)
        dataset = group.create_dataset(name, data=values)
        dataset.attrs["units"], dataset.attrs["description"] = "1", f"help of <{name}>"


def new_file(name, fill=lambda file: None, format="proxytune results"):
    path = os.path.join(folder.name, name)
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["format"] = format
        file.attrs["title"] = "a <study>"
        file.attrs["study"] = "name: a <study>\nseed: 0\n"
        fill(file)
    return path


def everything(file):
    nan = float("nan")
    put(file, "/analysis/points", arm=["full"] * 3 + ["proxy"] * 3, external_dice=[.5, .6, .7, .4, nan, .6],
        reference_external_dice=[.5, .6, .7] * 2, validation_dice=[nan] * 6, reference_validation_dice=[nan] * 6)
    put(file, "/analysis/dice_against_budget", arm=["full", "proxy"], chosen_by=["external", "external"], cases=[24., 10.],
        external_dice=[.8, .7], external_deviation=[.1, nan])
    put(file, "/analysis/relative_distances", arm=["proxy", "proxy"], hyper_parameter=["learning_rate", "all"],
        scaled_distance=[.1, .2], relative_distance=[.3, nan])
    put(file, "/analysis/table_1", "Table <1>", arm=["full", "Gr\u00f6\u00dfe"], external_dice=[.8, nan])
    put(file, "/similarity/matrix/ncc", "pairs", case=["a", "b"])
    put(file, "/similarity/matrix/ncc_arrays", "pairs, by row of the table", similarity=[[1., .5], [.5, 1.]])
    put(file, "/similarity/importance/ncc", case=["a", "b"], importance=[.5, .4])
    put(file, "/similarity/importance/ncc_median", case=["a", "b"], importance=[.4, .5])
    put(file, "/similarity/matrix/mi", "all pairs", case=["a", "b"])
    put(file, "/similarity/matrix/mi_arrays", similarity=[[1., nan], [.5, 1.]])
    put(file, "/arms", arm=["full", "proxy", "twin"], ranking=["", "ncc", "ncc"])
    put(file, "/selection", arm=["full", "full", "proxy", "twin"], case=["a", "b", "b", "b"])
    put(file, "/search/full", proposal=[0, 1], reward=[.2, .1], best_reward=[.2, .2])
    put(file, "/trials/sweep", trial=["a", "b"], arms=["full", "full,proxy"])
    put(file, "/curves/sweep", trial=["a", "b"])
    put(file, "/curves/sweep_arrays", loss=[[1., nan], [.9, .8]], validation_dice=[[nan, .5], [nan, nan]])
    put(file, "/execution/table_2_costs", arm=["full", "proxy"], search_hours=[4., 1.])
    put(file, "/many", number=list(range(120)))
    put(file, "/empty", number=[], name=[])


full = run(new_file("full.h5", everything), "-o", os.path.join(folder.name, "a.html"), "--csv", os.path.join(folder.name, "csv"))
assert full.returncode == 0, full.stderr
page = open(os.path.join(folder.name, "a.html"), encoding="utf-8").read()
for expected in ["<title>a &lt;study&gt;</title>", "<summary>study</summary><pre>name: a &lt;study&gt;\nseed: 0",
                 "Fig. 2 and 3", "Fig. 4A", "Fig. 4C", "/similarity/importance/ncc: similarity of all pairs",
                 "/similarity/importance/ncc_median: similarity", "/similarity/matrix/mi: all pairs", "/similarity/importance/ncc: least",
                 "Search traces", "/curves/sweep: learning curves of 2 of 2", "Device time by arm", "Gr\u00f6\u00dfe", "Table &lt;1&gt;", "70 more rows",
                 "help of &lt;external_dice&gt;", "no rows"]:
    assert expected in page, expected
assert page.count("data:image/png;base64,") == 11, page.count("data:image/png")
assert "http" not in page.split("<body>")[1], "the page is not self-contained"
frame = pandas.read_csv(os.path.join(folder.name, "csv", "analysis-points.csv"))
assert list(frame.arm) == ["full"] * 3 + ["proxy"] * 3 and frame.external_dice.isna().sum() == 1

sys.path.insert(0, os.path.dirname(report))
import report as tool  # noqa: E402
from report_figures import chosen_by_arm, matrix_of, places  # noqa: E402

_, tables = tool.read(os.path.join(folder.name, "full.h5"))
matrix = tables["/similarity/matrix/ncc"]
assert list(places(matrix, tables["/similarity/importance/ncc"])) == [1, 0], "the lowest importance comes first"
assert list(places(matrix, tables["/similarity/importance/ncc_median"])) == [0, 1]
assert matrix_of(tables["/similarity/importance/ncc_median"], tables) is matrix
assert chosen_by_arm(tables, "ncc") == {"proxy, twin": frozenset(["b"])}, "arms of one choice share a mark"
assert chosen_by_arm(tables, "ncc_median") == {}

bare = run(new_file("bare.h5"))
assert bare.returncode == 0, bare.stderr
assert os.path.exists(os.path.join(folder.name, "report.html")), "the page lies beside the results"

open(os.path.join(folder.name, "text.h5"), "w").write("no HDF5")
for wrong in [new_file("other.h5", format="other"), os.path.join(folder.name, "text.h5"), "/does/not/exist.h5"]:
    result = run(wrong)
    assert result.returncode == 3, (wrong, result)
    assert result.stderr.count("\n") == 1 and "give the results.h5" in result.stderr, result.stderr
print("ok")
