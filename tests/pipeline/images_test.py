"""Images as they come: DICOM folders, odd names, links, read-only files."""

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


if __name__ == "__main__":
    main()
