"""A sweep split over a job array, and merged: the file that one job gives."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import PROGRAM, ProgramTest, TINY_STUDY, differences, finished_trials, main, mpi_command, run  # noqa: E402


class ShardsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_reference(TINY_STUDY)

    def selected(self, name):
        """A study that is ready for its shards."""
        path, folder = self.study(name)
        self.done(run("select", path, ranks=2))
        return path, folder

    def test_any_number_of_shards_gives_the_file_that_one_job_gives(self):
        for count in (1, 3):
            path, folder = self.selected(f"of{count}")
            # At the same time, as a job array runs them, on different numbers of ranks, with one or two trials at once in each.
            shards = [subprocess.Popen(mpi_command(1 + i % 2) + [PROGRAM, "sweep", str(path), "--shard", f"{i}/{count}",
                                                                 "--set", f"compute.trials_per_device={1 + (i + count // 3) % 2}"],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                      for i in range(1, count + 1)]
            for shard in shards:
                output, _ = shard.communicate(timeout=240)
                self.assertEqual(shard.returncode, 0, output)
            done = [finished_trials(folder / "shards" / f"{i}-of-{count}") for i in range(1, count + 1)]
            # Three arms, of which none shares a trial: 2 optimizers x 2 repeats each.
            self.assertEqual(len(sum(done, [])), 12)
            self.assertEqual(len(set(sum(done, []))), 12)
            self.assertLessEqual(max(map(len, done)) - min(map(len, done)), 1)
            self.assertEqual(finished_trials(folder), [])
            status = self.done(run("status", path)).text
            for i in range(1, count + 1):
                self.assertIn(f"  {i}-of-{count}: {len(done[i - 1])} of {len(done[i - 1])} trials done, 0 of them failed, "
                              "0 interrupted; no job is at work", status)
            self.done(run("merge", path, ranks=2))
            self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")
            # Nothing is taken over twice.
            self.assertIn("merge: 0 trials taken over", self.done(run("merge", path)).text)

    def test_what_is_missing_is_listed_and_a_later_merge_takes_it(self):
        path, folder = self.selected("missing")
        self.done(run("sweep", path, "--shard", "1/2"))
        result = run("merge", path)
        self.assertEqual(result.code, 85, result.text)
        self.assertIn("merge: 6 trials taken over from 1-of-2", result.text)
        self.assertIn("6 of 12 trials of the sweep are missing", result.text)
        self.assertEqual(result.text.count("  arm "), 6, result.text)
        self.assertFalse((folder / "results.h5").exists())
        # Another division of the rest: what the study has is not run again.
        self.done(run("sweep", path, "--shard", "1/1"))
        self.assertEqual(len(finished_trials(folder / "shards" / "1-of-1")), 6)
        self.done(run("merge", path))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_what_a_shard_does_once_more_replaces_what_had_failed(self):
        path, folder = self.selected("again")
        self.done(run("sweep", path, "--shard", "1/2", "--set", "failures.trial_time_limit=0.001"))
        self.assertIn("merge: 6 trials taken over", run("merge", path).text)
        again = self.done(run("sweep", path, "--shard", "1/2", "--retry", "failed"))
        self.assertIn("retry: 6 trials run again", again.text)
        # Done is done, also where the study still has the old record.
        self.assertIn("retry: 0 trials", self.done(run("sweep", path, "--shard", "1/2", "--retry", "failed")).text)
        self.done(run("sweep", path, "--shard", "2/2"))
        self.assertIn("merge: 6 trials taken over from 1-of-2", self.done(run("merge", path)).text)
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_failures_that_are_to_run_again_are_not_taken_back_from_a_shard(self):
        path, folder = self.selected("taken_back")
        self.done(run("sweep", path, "--shard", "1/1", "--set", "failures.trial_time_limit=0.001"))
        self.assertIn("merge: 12 trials taken over", run("merge", path).text)
        self.assertIn("12 of 12 trials of the sweep are missing", run("merge", path, "--retry", "failed").text)
        self.done(run("run", path, ranks=2))
        self.assertEqual(differences(self.reference / "results.h5", folder / "results.h5"), "")

    def test_a_shard_of_a_study_that_is_not_ready_says_what_to_do(self):
        path, folder = self.study("unready")
        result = run("sweep", path, "--shard", "1/2")
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("run `proxytune select` on this study file once", result.text)
        self.done(run("preprocess", path))
        result = run("sweep", path, "--shard", "1/2", ranks=2)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("run `proxytune select` on this study file once", result.text)
        self.assertFalse((folder / "pairs").exists() and any((folder / "pairs").glob("*.matrix")))

    def test_a_shard_never_changes_its_study(self):
        path, folder = self.selected("untouched")
        before = {file: file.read_bytes() for file in folder.rglob("*.json")}
        self.done(run("sweep", path, "--shard", "2/2"))
        self.assertEqual({file: file.read_bytes() for file in before}, before)
        changed = run("sweep", path, "--set", "training.epochs=3", "--shard", "1/2")
        self.assertEqual(changed.code, 2, changed.text)
        self.assertIn("training.epochs", changed.text)

    def test_shards_of_another_study_file_are_refused(self):
        path, folder = self.selected("other")
        self.done(run("sweep", path, "--shard", "1/1"))
        resolved = folder / "shards" / "1-of-1" / "resolved.json"
        fields = json.loads(resolved.read_text())
        self.assertEqual(fields["training.epochs"], "2")
        fields["training.epochs"] = "3"
        resolved.write_text(json.dumps(fields))
        result = run("merge", path)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("was computed with training.epochs: 3, but the study says 2", result.text)
        self.assertEqual(finished_trials(folder), [])

    def test_other_numerics_are_refused_or_marked(self):
        path, folder = self.selected("numerics")
        self.done(run("sweep", path, "--shard", "1/1"))
        numerics = folder / "shards" / "1-of-1" / "numerics.json"
        fields = json.loads(numerics.read_text())
        fields["libtorch"] = "1.0"
        numerics.write_text(json.dumps(fields))
        result = run("merge", path)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("libtorch", result.text)
        self.assertEqual(finished_trials(folder), [])
        self.done(run("merge", path, "--accept-other-numerics"))
        self.assertIn(" and 1.0", json.loads((folder / "numerics.json").read_text())["libtorch"])
        marked = subprocess.run([shutil.which("h5dump") or self.skipTest("h5dump is not installed"), "-a", "numerics_mixed",
                                 str(folder / "results.h5")], capture_output=True, text=True)
        self.assertIn("\"true\"", marked.stdout)

    def test_bad_shards_and_a_merge_of_none_are_said(self):
        path, _ = self.selected("bad")
        for text in ("0/3", "4/3", "1", "1/0", "a/b", "1/3x", "-1/3"):
            result = run("sweep", path, f"--shard={text}")
            self.assertEqual(result.code, 64, f"{text}: {result.text}")
            self.assertIn("INDEX/COUNT", result.text)
        result = run("merge", path)
        self.assertEqual(result.code, 2, result.text)
        self.assertIn("holds no shards", result.text)
        self.assertEqual(run("run", path, "--shard", "1/2").code, 64)


if __name__ == "__main__":
    main()
