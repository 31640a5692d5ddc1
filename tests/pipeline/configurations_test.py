"""Every shipped study is read without complaint, and its manual is up to date."""

import gzip
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import ProgramTest, main, run  # noqa: E402

SOURCE = Path(os.environ.get("PROXYTUNE_SOURCE", "."))


class ConfigurationsTest(ProgramTest):
    def test_every_shipped_study_is_read_and_printed_so_that_it_reads_back(self):
        studies = sorted((SOURCE / "configs").glob("*/*.yaml"))
        self.assertGreaterEqual(len(studies), 5)
        for study in studies:
            with self.subTest(study=study.name):
                first = self.done(run("print-config", study))
                again = self.scratch / "again.yaml"
                again.write_text(first.output)
                self.assertEqual(self.done(run("print-config", again)).output, first.output)

    def test_the_manual_of_fields_is_what_the_program_says(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "configuration.md"
            self.done(run("document-fields", page))
            self.assertEqual(page.read_text(), (SOURCE / "docs/configuration.md").read_text(),
                             "run: proxytune document-fields docs/configuration.md")

    def hippocampus(self, name, types):
        """A folder like the Decathlon's, its images stored as these NIfTI types, every second one compressed."""
        folder = self.scratch / name
        for part in ("imagesTr", "labelsTr"):
            (folder / part).mkdir(parents=True)
        entries = []
        for number, (order, code) in enumerate(types):
            header = bytearray(352)
            struct.pack_into(order + "i", header, 0, 348)
            struct.pack_into(order + "h", header, 70, code)
            image = f"./imagesTr/hippocampus_{9 - number:03}.nii" + (".gz" if number % 2 else "")
            (folder / image).write_bytes(gzip.compress(header) if number % 2 else header)
            entries.append({"image": image, "label": image.replace("images", "labels")})
        (folder / "dataset.json").write_text(json.dumps({"name": "Hippocampus", "training": entries, "test": ["x"]}))
        return folder

    def groups(self, folder):
        tool = SOURCE / "tools/hippocampus_groups.py"
        return subprocess.run([sys.executable, tool, folder], capture_output=True, text=True)

    def test_the_hippocampus_groups_are_told_apart_by_what_their_images_are_stored_as(self):
        folder = self.hippocampus("groups", [("<", 16), ("<", 2), (">", 16), (">", 2), ("<", 16)])
        self.assertEqual(self.groups(folder).returncode, 0)
        images = {}
        study = (SOURCE / "configs/hippocampus/study.yaml").read_text()
        for side in ("internal", "external"):
            file = re.search(rf"{side}: .*/Task04_Hippocampus/(\S+)", study)[1]
            content = json.loads((folder / file).read_text())
            self.assertEqual(content["numTraining"], len(content["training"]))
            images[side] = [Path(entry["image"]).name.split(".")[0][-1] for entry in content["training"]]
        self.assertEqual(images, {"internal": ["5", "7", "9"], "external": ["6", "8"]})
        again = self.groups(folder)
        self.assertEqual(again.returncode, 1)
        self.assertIn("dataset_groupA.json exists", again.stderr)

    def test_other_files_than_the_hippocampus_sets_are_refused_in_a_sentence(self):
        for name, types, words in (("int16", [("<", 16), ("<", 4)], "NIfTI type 4"),
                                   ("one", [("<", 16), ("<", 16)], "no image stored as 8-bit integers")):
            result = self.groups(self.hippocampus(name, types))
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr)
        folder = self.hippocampus("text", [("<", 16), ("<", 2)])
        sorted((folder / "imagesTr").iterdir())[0].write_text("no image")
        self.assertIn("cannot be read", self.groups(folder).stderr)
        self.assertIn("no Decathlon dataset.json", self.groups(self.scratch / "nowhere").stderr)

    def test_the_readme_names_every_option_that_a_command_needs(self):
        readme = (SOURCE / "README.md").read_text()
        for command in ("plan", "predict"):
            line = next(line for line in readme.splitlines() if line.startswith(f"| `{command} "))
            help_text = self.done(run(command, "--help")).output
            needed = re.findall(r"(--\w+) [^\n]*REQUIRED", help_text)
            self.assertGreaterEqual(len(needed), 2, help_text)
            for option in needed:
                self.assertIn(option, line)

    def test_the_phantom_study_passes_check(self):
        study = SOURCE / "configs/phantom/study.yaml"
        data = [f"data.{side}={self.scratch}/data/{site}/dataset.json" for side, site in (("internal", "siteA"), ("external", "siteB"))]
        self.done(run("check", study, "--set", data[0], "--set", data[1], ranks=2))

    @unittest.skipUnless(os.environ.get("PROXYTUNE_DATA"), "PROXYTUNE_DATA names no folder of real volumes")
    def test_studies_on_real_volumes_pass_check(self):
        for name in ("hippocampus", "prostate"):
            self.done(run("check", SOURCE / f"configs/{name}/study.yaml", "--set", "data.cases=12", "--set", "data.external_cases=3",
                          "--set", "data.validation_cases=4", "--set", "training.window=[32,32,32]",
                          "--set", "training.patch=[32,32,32]", ranks=2))


if __name__ == "__main__":
    main()
