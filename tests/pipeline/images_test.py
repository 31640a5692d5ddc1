"""Images, labels and paths as they come: DICOM folders, odd names, links, read-only files, gaps among labels."""

import json
import shutil
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from dicom import write_series  # noqa: E402
from nifti import Nifti  # noqa: E402
from program import ProgramTest, TINY_STUDY, main, run  # noqa: E402


def as_integers(path):
    """Rounds the voxels of an image to 16-bit integers."""
    image = Nifti(path)
    values = [round(100 * value) for value in image.values()]
    struct.pack_into("<2h", image.header, 70, 4, 16)
    image.set_values(values)
    image.save()


class ImagesTest(ProgramTest):
    def copy_of_data(self, name):
        folder = self.scratch / name
        shutil.copytree(self.scratch / "data", folder / "data")
        return folder

    def study_in(self, folder, text=TINY_STUDY):
        study = folder / "study.yaml"
        study.write_text(text.replace("OUT", json.dumps(str(folder / "out"))))
        return study

    def test_a_folder_with_a_dicom_series_is_an_image(self):
        folder = self.copy_of_data("dicom")
        site = folder / "data/siteA"
        image = sorted((site / "imagesTr").glob("*.nii.gz"))[0]
        as_integers(image)
        series = site / "imagesTr" / image.name.split(".")[0]
        write_series(image, series)
        dataset = json.loads((site / "dataset.json").read_text())
        for entry in dataset["training"]:
            if Path(entry["image"]).name == image.name:
                entry["image"] = f"imagesTr/{series.name}/"
        (site / "dataset.json").write_text(json.dumps(dataset))
        study = self.study_in(folder)
        self.done(run("run", study, ranks=2))

        # The same voxels on the same grid, the same mask.
        for name, given in (("file", image), ("folder", series)):
            self.done(run("predict", study, "--input", given, "--output", folder / name))
        masks = [Nifti(folder / name / f"{series.name}.nii.gz") for name in ("file", "folder")]
        self.assertEqual(masks[0].voxels, masks[1].voxels)
        for ours, theirs in zip(*(struct.unpack_from("<12f", mask.header, 280) for mask in masks)):
            self.assertAlmostEqual(ours, theirs, places=4)

        # Its files are the case.
        slice_file = sorted(series.iterdir())[5]
        content = bytearray(slice_file.read_bytes())
        content[-7] ^= 1
        slice_file.write_bytes(content)
        result = run("rank", study)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn(f"the files of internal/{series.name} have changed", result.text)

    def test_paths_and_cases_may_have_any_letters(self):
        folder = self.copy_of_data("Übung 1, \"naïve\" 数据")
        site = folder / "data/siteA"
        renamed = {}
        for number, image in enumerate(sorted((site / "imagesTr").glob("*.nii.gz"))):
            name = f"Fall {number}, größe ≥ 'ein' # 1.nii.gz"
            renamed[image.name] = name
            image.rename(image.with_name(name))
        dataset = json.loads((site / "dataset.json").read_text())
        for entry in dataset["training"]:
            entry["image"] = "./imagesTr/" + renamed[Path(entry["image"]).name]
        (site / "dataset.json").write_text(json.dumps(dataset))
        study = self.study_in(folder).rename(folder / "étude: 1.yaml")
        self.done(run("run", study, ranks=2))
        self.done(run("verify", folder / "out/results.h5"))
        image = sorted((site / "imagesTr").iterdir())[0]
        self.done(run("predict", study, "--input", image, "--output", folder / "all masks"))
        self.assertEqual([mask.name for mask in (folder / "all masks").iterdir()], [image.name])
        result = run("select", study, "--set", "data.case_list=[Fall 1]", "--accept-changes")
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("there is no case Fall 1", result.text)

    def test_links_and_read_only_files_are_as_good_as_files_and_stay_untouched(self):
        folder = self.scratch / "linked"
        store = self.copy_of_data("store") / "data"
        (folder / "data/siteA/imagesTr").mkdir(parents=True)
        for image in (store / "siteA/imagesTr").iterdir():
            (folder / "data/siteA/imagesTr" / image.name).symlink_to(image)
        (folder / "data/siteA/labelsTr").symlink_to(store / "siteA/labelsTr")
        (folder / "data/siteA/dataset.json").symlink_to(store / "siteA/dataset.json")
        (folder / "data/siteB").symlink_to(store / "siteB")
        (store / "siteA/.hidden").write_text("")
        for path in sorted(store.rglob("*"), reverse=True):
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = {path: path.lstat().st_mtime_ns for path in [*store.rglob("*"), *folder.rglob("*")]}
        self.done(run("sweep", self.study_in(folder), ranks=2))
        for path, time in before.items():
            self.assertEqual(path.lstat().st_mtime_ns, time, path)
        self.assertEqual(set(store.rglob("*")), {path for path in before if store in path.parents})
        for path in store.rglob("*"):
            path.chmod(0o755)

    def test_output_is_relative_to_where_the_program_starts_and_data_to_the_study(self):
        folder = self.copy_of_data("relative")
        study = folder / "study.yaml"
        study.write_text(TINY_STUDY.replace("OUT", "my/out"))
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        self.done(run("select", "../study.yaml", ranks=2, cwd=elsewhere))
        self.assertTrue((elsewhere / "my/out/journal").is_dir())
        self.assertFalse((folder / "my").exists())
        self.assertIn("study tiny in my/out", self.done(run("status", study, cwd=elsewhere)).output)

    def test_flat_windows_may_score_one(self):
        folder = self.copy_of_data("flat")
        text = TINY_STUDY.replace("similarity: {", "similarity: {flat_windows: WHAT, ").replace("pad_to: [16, 16, 16]", "pad_to: [32, 32, 32]").replace(
            "data: proxy, budget", "data: proxy, metric: normalized_cross_correlation, crop: none, budget")
        importance = {}
        for what in ("zero", "one"):
            study = self.study_in(folder, text.replace("WHAT", what).replace("OUT", f"{folder}/{what}"))
            output = self.done(run("rank", study, ranks=2)).output
            importance[what] = [float(line.split()[1]) for line in output.splitlines() if line.startswith("siteA_")]
        self.assertEqual(len(importance["one"]), 6)
        for zero, one in zip(importance["zero"], importance["one"]):
            self.assertTrue(0 < zero < one < 1, (zero, one))

    def test_labels_with_gaps_become_classes(self):
        folder = self.copy_of_data("gaps")
        for label in folder.rglob("labelsTr/*.nii.gz"):
            volume = Nifti(label)
            values = list(volume.values())
            halves = iter(range(sum(map(bool, values))))
            volume.set_values([(2 if next(halves) % 2 else 7) if value else 0 for value in values])
            volume.save()
        text = TINY_STUDY.replace("  validation_cases: 2", "  validation_cases: 2\n  labels: {0: 0, 2: 1, 7: 2}")
        study = self.study_in(folder, text)
        self.done(run("run", study, ranks=2))
        self.assertIn("3 classes", self.done(run("check", study)).output)
        image = sorted((folder / "data/siteB/imagesTr").iterdir())[0]
        self.done(run("predict", study, "--input", image, "--output", folder / "masks"))
        self.assertLessEqual(set(Nifti(folder / "masks" / image.name).values()), {0, 1, 2})
        result = run("rank", self.study_in(folder, text.replace("7: 2", "3: 2").replace("OUT", f"{folder}/other")))
        self.assertEqual(result.code, 3, result.text)
        self.assertIn("label value 7", result.text)


if __name__ == "__main__":
    main()
