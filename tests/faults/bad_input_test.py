"""Bad input: one sentence, the right exit code, on every rank at once, nothing half-written."""

import json
import os
import shutil
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from nifti import Nifti  # noqa: E402
from program import ProgramTest, TINY_STUDY, kill_all, main, run, start  # noqa: E402

CONFIGURATION, DATA, SYSTEM, USAGE = 2, 3, 4, 64


class BadInputTest(ProgramTest):
    count = 0

    def copy_of_data(self):
        type(self).count += 1
        folder = self.scratch / f"broken{self.count}"
        folder.mkdir()
        shutil.copytree(self.scratch / "data", folder / "data")
        return folder

    def first(self, folder, kind="imagesTr", site="siteA"):
        return sorted((folder / "data" / site / kind).glob("*.nii.gz"))[0]

    def refused(self, folder, code, *words, text=TINY_STUDY, command="run", ranks=2, more=()):
        study = folder / "study.yaml"
        study.write_text(text.replace("OUT", str(folder / "out")))
        result = run(command, study, *more, ranks=ranks)
        self.assertEqual(result.code, code, result.text)
        for word in words:
            self.assertIn(word, result.text)
        sentences = [line for line in result.errors.splitlines() if line.startswith(("error", "warning", "rank"))]
        self.assertEqual(len(sentences), 1, result.text)
        self.assertFalse((folder / "out" / "results.h5").exists())
        self.assertEqual(list(folder.rglob("*.tmp")), [])
        return result

    def test_a_sample_of_pairs_that_cannot_give_what_an_arm_asks(self):
        folder = self.copy_of_data()
        one = TINY_STUDY.replace("similarity: {", "similarity: {sampled_pairs: 1, ")
        self.refused(folder, CONFIGURATION, "similarity.sampled_pairs", "an interval takes two pairs", text=one)
        median = TINY_STUDY.replace("similarity: {", "similarity: {sampled_pairs: 3, ").replace(
            "data: proxy, budget: 4}", "data: proxy, budget: 4, importance: median}")
        self.refused(folder, CONFIGURATION, "arms.1", "importance mean", text=median)

    def test_a_search_space_that_cannot_be(self):
        folder = self.copy_of_data()

        def space(*dimensions):
            lines = "".join(f"    - {{{one}}}\n" for one in dimensions)
            return TINY_STUDY.replace("  trials: 4\n", f"  trials: 4\n  space:\n{lines}")

        line = 1 + TINY_STUDY[:TINY_STUDY.index("  concurrency: 2")].count("\n") + 1
        self.refused(folder, CONFIGURATION, f"study.yaml:{line}:15: search.space.0.field is \"loss\"",
                     'did you mean "training.loss"?', text=space("field: loss, choices: [dice]"))
        self.refused(folder, CONFIGURATION, f"study.yaml:{line}:37: search.space.0.low is 0, but a training passes",
                     text=space("field: training.epochs, low: 0, high: 5"), ranks=1)
        self.refused(folder, CONFIGURATION, f"study.yaml:{line}:", "search.space.0.choices.1 cannot be: training.patch (network full) is", "multiples of 2",
                     text=space('field: training.patch, choices: ["[16, 16, 16]", "[15, 16, 16]"]'), ranks=1)
        self.refused(folder, CONFIGURATION, f"study.yaml:{line + 1}:", "search.space.1.when.field is \"optimizer\"",
                     text=space("field: learning_rate, low: 0.001, high: 0.01",
                                "field: weight_decay, when: {field: optimizer, is: [adam]}"), ranks=1)
        self.refused(folder, CONFIGURATION, "training.validate_every", "which is not to be searched",
                     text=space("field: training.validate_every, low: 1, high: 2"), ranks=1)

    def test_trials_that_are_to_stop_where_they_cannot(self):
        folder = self.copy_of_data()

        def halving(rungs, more=""):
            return TINY_STUDY.replace("  concurrency: 2\n", f"  concurrency: 2\n  halving: {{rungs: [{rungs}]}}\n{more}")

        line = 1 + TINY_STUDY[:TINY_STUDY.index("  concurrency: 2")].count("\n") + 1
        self.refused(folder, CONFIGURATION, f"study.yaml:{line}:30: search.halving.rungs.0.epochs is 2, but trials end after 2 epochs",
                     text=halving("{epochs: 2}"), ranks=1)
        self.refused(folder, CONFIGURATION, f"study.yaml:{line}:30: search.halving.rungs.0.epochs is 1, but there is no validation",
                     text=halving("{epochs: 1}").replace("validate_every: 1", "validate_every: 2"), ranks=1)
        self.refused(folder, CONFIGURATION, f"study.yaml:{line - 1}:16: search.concurrency is 2, but a bracket of halving has 4 trials",
                     text=halving("{epochs: 1}, {epochs: 2}"), ranks=1)
        self.refused(folder, CONFIGURATION, f"study.yaml:{line}:", "search.halving and a search of training.epochs exclude each other",
                     text=halving("{epochs: 1}", "  space: [{field: training.epochs, low: 1, high: 3}]\n"), ranks=1)

    def test_memory_for_less_than_two_prepared_images(self):
        folder = self.copy_of_data()
        text = TINY_STUDY.replace("cube: 12", "cube: 96, memory: 1, device: cpu")
        self.refused(folder, CONFIGURATION, "similarity.memory is 1 MiB", "give it that much", text=text)

    def test_a_gpu_where_there_is_none(self):
        folder = self.copy_of_data()
        before = os.environ.get("CUDA_VISIBLE_DEVICES")
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        try:
            more = ("--set", "similarity.device=cuda")
            self.refused(folder, CONFIGURATION, "similarity.device is cuda, but", "or take auto", more=more)
        finally:
            os.environ.pop("CUDA_VISIBLE_DEVICES")
            if before is not None:
                os.environ["CUDA_VISIBLE_DEVICES"] = before

    def test_missing_data_set(self):
        folder = self.copy_of_data()
        (folder / "data/siteA/dataset.json").unlink()
        self.refused(folder, DATA, "siteA/dataset.json")

    def test_empty_data_set(self):
        folder = self.copy_of_data()
        path = folder / "data/siteA/dataset.json"
        content = json.loads(path.read_text())
        content["training"] = []
        path.write_text(json.dumps(content))
        self.refused(folder, DATA, "dataset.json")

    def test_dataset_that_is_no_json(self):
        folder = self.copy_of_data()
        (folder / "data/siteA/dataset.json").write_text('{"training": [\n{"image" "x"}]}')
        self.refused(folder, DATA, "dataset.json", "2")

    def test_image_without_label(self):
        folder = self.copy_of_data()
        label = self.first(folder, "labelsTr")
        label.unlink()
        self.refused(folder, DATA, label.name)

    def test_other_shape_of_the_label(self):
        folder = self.copy_of_data()
        label = Nifti(self.first(folder, "labelsTr"))
        x, y, z = struct.unpack_from("<3h", label.header, 42)
        struct.pack_into("<3h", label.header, 42, x, y, z - 1)
        label.set_values(label.values()[: x * y * (z - 1)])
        label.save()
        self.refused(folder, DATA, label.path.name)

    def test_other_spacing_of_the_label_names_the_tolerance(self):
        folder = self.copy_of_data()
        label = Nifti(self.first(folder, "labelsTr"))
        struct.pack_into("<f", label.header, 80, 7.0)
        # The affine says it as well.
        struct.pack_into("<h", label.header, 254, 0)
        label.save()
        self.refused(folder, DATA, label.path.name, "tolerance")

    def test_truncated_image(self):
        folder = self.copy_of_data()
        image = self.first(folder)
        image.write_bytes(image.read_bytes()[:2000])
        self.refused(folder, DATA, image.name)

    def test_text_in_the_place_of_an_image(self):
        folder = self.copy_of_data()
        image = self.first(folder)
        image.write_text("this is no image\n" * 50)
        self.refused(folder, DATA, image.name)

    def test_not_a_number_in_an_image(self):
        folder = self.copy_of_data()
        image = Nifti(self.first(folder))
        count = len(image.values())
        struct.pack_into("<h", image.header, 70, 16)
        struct.pack_into("<h", image.header, 72, 32)
        image.set_values([float(i % 7) for i in range(count - 1)] + [float("nan")])
        image.save()
        self.refused(folder, DATA, image.path.name)

    def test_constant_image(self):
        folder = self.copy_of_data()
        image = Nifti(self.first(folder))
        image.set_values([1] * len(image.values()))
        image.save()
        self.refused(folder, DATA, image.path.name)

    def test_label_without_foreground(self):
        folder = self.copy_of_data()
        label = Nifti(self.first(folder, "labelsTr"))
        label.set_values([0] * len(label.values()))
        label.save()
        self.refused(folder, DATA, label.path.name)

    def test_label_value_that_is_not_in_the_map(self):
        folder = self.copy_of_data()
        label = Nifti(self.first(folder, "labelsTr"))
        values = label.values()
        values[0] = 9
        label.set_values(values)
        label.save()
        text = TINY_STUDY.replace("  validation_cases: 2", "  validation_cases: 2\n  labels: {0: 0, 1: 1, 2: 1}")
        self.refused(folder, DATA, label.path.name, "9", text=text)

    def test_equal_content_inside_and_outside(self):
        folder = self.copy_of_data()
        shutil.copy(self.first(folder), self.first(folder, site="siteB"))
        shutil.copy(self.first(folder, "labelsTr"), self.first(folder, "labelsTr", "siteB"))
        self.refused(folder, DATA, self.first(folder).name.split(".")[0])

    def test_budget_above_the_number_of_cases(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "budget of 8", "6",
                     text=TINY_STUDY.replace("data: proxy, budget: 4", "data: proxy, budget: 8"))

    def test_a_single_case(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "gives this study 1 internal case", "needs 2 at least", more=("--set", "data.cases=1"))

    def test_group_table_that_leaves_cases_out(self):
        folder = self.copy_of_data()
        names = [path.name.split(".")[0] for path in sorted((folder / "data/siteA/imagesTr").glob("*.nii.gz"))]
        table = folder / "patients.csv"
        table.write_text("case,patient\n" + "".join(f"{name},p{i // 2}\n" for i, name in enumerate(names[:4])))
        text = TINY_STUDY.replace("  validation_cases: 2", "  validation_cases: 2\n  group_table: patients.csv")
        self.refused(folder, DATA, "patients.csv has no line for the case " + names[4], text=text)
        # Cases that the study does not use need no patient.
        self.done(run("select", folder / "study.yaml", "--set", "data.cases=4"))

    def test_name_of_an_arm(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "arms.2.name", "use a-z, A-Z, 0-9, _ and - only",
                     text=TINY_STUDY.replace("name: random_proxy", "name: größe"))

    def test_whole_number_out_of_range(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "training.epochs is \"99999999999\"", "from -2147483648 to 2147483647",
                     text=TINY_STUDY.replace("epochs: 2", "epochs: 99999999999"))

    def test_section_set_to_nothing(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "training is a section", "--set training.epochs=VALUE", more=("--set", "training="))

    def test_odd_budget(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "arms.1.budget is 5", "even",
                     text=TINY_STUDY.replace("data: proxy, budget: 4", "data: proxy, budget: 5"))

    def test_more_validation_cases_than_cases(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "validation", text=TINY_STUDY.replace("validation_cases: 2", "validation_cases: 6"))

    def test_patch_larger_than_the_padded_volume(self):
        folder = self.copy_of_data()
        text = TINY_STUDY.replace("patch: [16, 16, 16]", "patch: [64, 64, 64]")
        self.refused(folder, DATA, "training.patch is 64 x 64 x 64", text=text)

    def test_volumes_that_fit_nowhere(self):
        folder = self.copy_of_data()
        case = self.first(folder).name.split(".")[0]
        fine = "preprocessing.spacing=[1.0e-06, 1.0e-06, 1.0e-06]"
        self.refused(folder, CONFIGURATION, f"case {case}: preprocessing.spacing is [1e-06, 1e-06, 1e-06] mm",
                     "39000001 x 41000001 x 40000001 voxels", more=("--set", fine))
        self.refused(folder, CONFIGURATION, f"case {case}: preprocessing.pad_to is [2000, 2000, 2000]",
                     more=("--set", "preprocessing.pad_to=[2000,2000,2000]"))

    def test_patch_that_the_strides_do_not_divide(self):
        folder = self.copy_of_data()
        text = TINY_STUDY.replace("patch: [16, 16, 16]", "patch: [16, 15, 16]")
        self.refused(folder, CONFIGURATION, "training.patch", "15", text=text)

    def test_one_voxel_at_the_bottom_under_instance_norm(self):
        folder = self.copy_of_data()
        text = TINY_STUDY.replace("channels: 4, levels: 2", "channels: 4, levels: 5")
        self.refused(folder, CONFIGURATION, "training.patch", "instance", text=text)

    def test_misspelt_key(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "study.yaml:15:3", 'did you mean "epochs"',
                     text=TINY_STUDY.replace("  epochs: 2", "  epcohs: 2"))

    def test_wrong_type(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "training.epochs is \"many\"", "a whole number",
                     text=TINY_STUDY.replace("epochs: 2", "epochs: many"))

    def test_learning_rate_of_zero(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "learning_rate", text=TINY_STUDY.replace("[0.001]", "[0]"))

    def test_override_that_is_no_field(self):
        folder = self.copy_of_data()
        self.refused(folder, CONFIGURATION, "--set training.epoch=3", 'did you mean "epochs"', more=("--set", "training.epoch=3"))

    def test_output_folder_of_another_study(self):
        folder = self.copy_of_data()
        study = folder / "study.yaml"
        study.write_text(TINY_STUDY.replace("OUT", str(folder / "out")))
        self.done(run("select", study))
        self.refused(folder, CONFIGURATION, "another study", text=TINY_STUDY.replace("name: tiny", "name: other"))

    def test_output_folder_with_other_files(self):
        folder = self.copy_of_data()
        (folder / "out").mkdir()
        (folder / "out" / "thesis.tex").write_text("precious")
        self.refused(folder, CONFIGURATION, str(folder / "out"))
        self.assertEqual((folder / "out" / "thesis.tex").read_text(), "precious")

    def test_second_live_job_in_the_folder(self):
        folder = self.copy_of_data()
        study = folder / "study.yaml"
        study.write_text(TINY_STUDY.replace("OUT", str(folder / "out")).replace("epochs: 2", "epochs: 4000"))
        first = start("run", study, ranks=1)
        try:
            deadline = time.time() + 60
            while not list((folder / "out" / "journal").glob("*")) and time.time() < deadline:
                time.sleep(0.05)
            self.refused(folder, CONFIGURATION, "job", text=TINY_STUDY.replace("epochs: 2", "epochs: 4000"))
        finally:
            kill_all(first)
            first.stdout.close()

    def test_no_write_permission(self):
        folder = self.copy_of_data()
        # /proc refuses everybody, root included.
        self.refused(folder, CONFIGURATION, "/proc/out", text=TINY_STUDY.replace("OUT", "/proc/out"))

    def test_missing_study_file(self):
        result = run("run", self.scratch / "nothing.yaml", ranks=2)
        self.assertEqual(result.code, CONFIGURATION, result.text)
        self.assertIn("nothing.yaml cannot be read", result.text)

    def test_unknown_command_and_option(self):
        self.assertEqual(run("rnu", "x.yaml", ranks=2).code, USAGE)
        self.assertEqual(run("run", ranks=1).code, USAGE)
        self.assertEqual(run("run", "x.yaml", "--fast", ranks=1).code, USAGE)
        # Fields are a study's, or a phantom's.
        self.assertEqual(run("verify", "results.h5", "--set", "seed=1", ranks=1).code, USAGE)

    def test_check_names_every_bad_case_at_once(self):
        folder = self.copy_of_data()
        images = sorted((folder / "data/siteA/imagesTr").glob("*.nii.gz"))
        images[0].write_text("no image")
        images[1].write_bytes(images[1].read_bytes()[:500])
        study = folder / "study.yaml"
        study.write_text(TINY_STUDY.replace("OUT", str(folder / "out")))
        result = run("check", study, ranks=2)
        self.assertEqual(result.code, DATA, result.text)
        self.assertIn(images[0].name, result.text)
        self.assertIn(images[1].name, result.text)
        self.assertIn("2 of 8 cases", result.text)

    def test_more_ranks_than_work_simply_works(self):
        folder = self.copy_of_data()
        study = folder / "study.yaml"
        text = TINY_STUDY.replace("[adam, novograd]", "[adam]").replace("repeats: 2", "repeats: 1")
        study.write_text(text.replace("OUT", str(folder / "out")))
        self.done(run("sweep", study, ranks=7))

    def test_changed_files_of_a_case_are_named(self):
        folder = self.copy_of_data()
        study = folder / "study.yaml"
        study.write_text(TINY_STUDY.replace("OUT", str(folder / "out")))
        self.done(run("rank", study))
        image = Nifti(self.first(folder))
        values = image.values()
        values[0] = values[1]
        values[2] = values[3]
        values[5] = values[4]
        image.set_values([value + (1 if i % 7 == 0 else 0) for i, value in enumerate(values)])
        image.save()
        self.refused(folder, CONFIGURATION, image.path.name.split(".")[0], "have changed", "--accept-changes")

    def test_a_first_run_that_failed_does_not_bind_its_settings(self):
        folder = self.copy_of_data()
        study = folder / "study.yaml"
        study.write_text(TINY_STUDY.replace("OUT", str(folder / "out")))
        self.assertEqual(run("select", study, "--set", "data.channels=[2]").code, DATA)
        self.done(run("select", study))

    def test_predict_refuses_to_overwrite_its_image(self):
        folder = self.copy_of_data()
        image = self.first(folder)
        before = image.read_bytes()
        self.refused(folder, CONFIGURATION, "overwrite", command="predict",
                     more=("--input", str(image), "--output", str(image.parent)))
        self.assertEqual(image.read_bytes(), before)

    def test_plan_overwrites_nothing_and_wants_two_data_sets(self):
        folder = self.copy_of_data()
        site_a, site_b = (str(folder / f"data/{site}/dataset.json") for site in ("siteA", "siteB"))
        mine = folder / "mine.yaml"
        mine.write_text("precious")
        self.assertEqual(run("plan", site_a, "--external", site_b, "--output", mine).code, CONFIGURATION)
        self.assertEqual(mine.read_text(), "precious")
        self.assertEqual(run("plan", site_a, "--external", site_a, "--output", folder / "new.yaml").code, DATA)

    def test_quantile_that_is_none_and_statistic_that_is_unknown(self):
        for wrong, words in (("importance: quantile, quantile: 2", ("arms.1.quantile is 2", "between 0")),
                             ("importance: mode", ("arms.1.importance", "mean, median, quantile"))):
            folder = self.copy_of_data()
            self.refused(folder, CONFIGURATION, *words, text=TINY_STUDY.replace("data: proxy", f"data: proxy, {wrong}"))

    def test_environment_variable_that_is_not_set(self):
        folder = self.copy_of_data()
        os.environ.pop("PROXYTUNE_NOWHERE", None)
        self.refused(folder, CONFIGURATION, "PROXYTUNE_NOWHERE",
                     text=TINY_STUDY.replace("data/siteA/dataset.json", "${PROXYTUNE_NOWHERE}/dataset.json"))


if __name__ == "__main__":
    main()
