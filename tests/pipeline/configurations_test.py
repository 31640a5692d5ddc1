"""Every shipped study is read without complaint, and its manual is up to date."""

import os
import re
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
            self.done(run("check", SOURCE / f"configs/{name}/study.yaml", "--set", "data.cases=12",
                          "--set", "data.external_cases=3", "--set", "training.window=[32,32,32]",
                          "--set", "training.patch=[32,32,32]", ranks=2))


if __name__ == "__main__":
    main()
