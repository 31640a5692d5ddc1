#!/usr/bin/env python3
"""check_layers.py passes on the tree, and complains, at the right line, about each kind of wrong arrow in a copy."""

import contextlib
import io
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "check_layers.py"
sys.path.insert(0, str(SCRIPT.parent))
import check_layers  # noqa: E402


class CheckLayersTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.tree = pathlib.Path(self.folder.name)
        shutil.copy(ROOT / "CMakeLists.txt", self.tree)
        for name in ("include", "src", "jobs"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.tree / name)

    def run_it(self):
        with contextlib.redirect_stdout(io.StringIO()) as text:
            code = check_layers.main([str(self.tree)])
        return code, text.getvalue()

    def write(self, file, text):
        path = self.tree / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def change_rooms(self, pattern, replacement):
        path = self.tree / "CMakeLists.txt"
        text, count = re.subn(pattern, replacement, path.read_text())
        self.assertGreater(count, 0, f"CMakeLists.txt has no line like {pattern}")
        path.write_text(text)

    def expect(self, *parts):
        """Exit code 1 and exactly one sentence, which holds these parts."""
        code, text = self.run_it()
        self.assertEqual(code, 1, text)
        self.assertEqual(len(text.splitlines()), 1, text)
        for part in parts:
            self.assertIn(part, text)

    def expect_passes(self):
        code, text = self.run_it()
        self.assertEqual((code, text.count("\n")), (0, 1), text)

    def test_the_tree_itself_passes(self):
        self.expect_passes()

    def test_the_program_ends_with_one_where_there_is_a_sentence(self):
        self.assertEqual(subprocess.run([SCRIPT, self.tree], capture_output=True, check=False).returncode, 0)
        self.write("src/core/odd.cpp", "#include <mpi.h>\n")
        done = subprocess.run([SCRIPT, self.tree], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertTrue(done.stdout.startswith("src/core/odd.cpp:1: core includes mpi.h"), done.stdout)

    def test_an_arrow_up(self):
        self.write("src/core/upwards.cpp", '#include <vector>\n\n#include "proxytune/comm/communicator.h"\n')
        self.expect("src/core/upwards.cpp:3: core includes proxytune/comm/communicator.h, but may use only: nothing")

    def test_an_arrow_between_neighbours(self):
        self.write("src/search/shortcut.cpp", '#include "proxytune/training/trainer.h"\n')
        self.expect("src/search/shortcut.cpp:1: search includes", "may use only: core, work, trials")

    def test_what_a_used_room_uses_is_not_used(self):
        self.write("src/analysis/indirect.cpp", '#include "proxytune/work/record.h"\n')
        self.expect("src/analysis/indirect.cpp:1: analysis includes proxytune/work/record.h")

    def test_an_arrow_of_a_public_header(self):
        self.write("include/proxytune/study/odd.h", "#include <proxytune/trials/trial.h>\n")
        self.expect("include/proxytune/study/odd.h:1: study includes proxytune/trials/trial.h")

    def test_an_arrow_of_a_kernel(self):
        self.write("src/ops/odd.cu", '#include "proxytune/imaging/volume.h"\n')
        self.expect("src/ops/odd.cu:1: ops includes proxytune/imaging/volume.h")

    def test_private_headers_of_another_room(self):
        self.write("src/core/detail.h", "#pragma once\n")
        self.write("src/config/peeking.cpp", '#include "core/detail.h"\n')
        self.expect("src/config/peeking.cpp:1: core/detail.h is private to room core")

    def test_private_headers_by_a_path_with_dots(self):
        self.write("src/core/detail.h", "#pragma once\n")
        self.write("src/config/peeking.cpp", '#include "../core/detail.h"\n')
        self.expect("src/config/peeking.cpp:1: ../core/detail.h is private to room core")

    def test_rooms_that_know_jobs(self):
        self.write("jobs/invented.h", "#pragma once\n")
        self.write("src/app/odd.cpp", '#include "jobs/invented.h"\n')
        self.expect("src/app/odd.cpp:1: room app includes jobs/invented.h, but no room knows the jobs")

    def test_a_header_that_is_not_there(self):
        self.write("src/core/odd.cpp", '#include "proxytune/core/absent.h"\n')
        self.expect("src/core/odd.cpp:1: there is no proxytune/core/absent.h in this project")

    def test_a_folder_that_is_no_room(self):
        self.write("src/attic/odd.cpp", "#include <vector>\n")
        self.expect("src/attic/odd.cpp:1: attic is no room of CMakeLists.txt")

    def test_a_room_that_uses_one_declared_below(self):
        self.change_rooms(r"proxytune_room\(config +USES core", "proxytune_room(config USES core comm")
        self.expect("CMakeLists.txt:", "room config uses comm, which is not declared above it")

    def test_the_wall_around_external_scores_in_an_include(self):
        for room in ("search", "selection", "training", "trials"):
            with self.subTest(room):
                file = f"src/{room}/peeking.cpp"
                self.write(file, '#include "proxytune/analysis/trial_record.h"\n')
                self.expect(f"{file}:1: {room} includes", "what chooses must not see external scores")
                (self.tree / file).unlink()

    def test_the_wall_around_external_scores_in_a_declaration(self):
        path = self.tree / "CMakeLists.txt"
        lines = path.read_text().splitlines(keepends=True)
        analysis = next(line for line in lines if line.startswith("proxytune_room(analysis"))
        lines.remove(analysis)
        search = next(index for index, line in enumerate(lines) if line.startswith("proxytune_room(search"))
        lines[search] = lines[search].replace("USES core", "USES core analysis")
        lines.insert(search, analysis)
        path.write_text("".join(lines))
        self.expect(f"CMakeLists.txt:{search + 2}: room search uses analysis, but what chooses must not see")

    def test_the_wall_has_no_way_around_it(self):
        path = self.tree / "CMakeLists.txt"
        lines = path.read_text().splitlines(keepends=True)
        search = next(index for index, line in enumerate(lines) if line.startswith("proxytune_room(search"))
        analysis = next(line for line in lines if line.startswith("proxytune_room(analysis"))
        lines.remove(analysis)
        lines[search] = lines[search].replace("USES core", "USES core between")
        lines[search:search] = [analysis, "proxytune_room(between USES core analysis)\n"]
        path.write_text("".join(lines))
        self.expect(f"CMakeLists.txt:{search + 3}: room search reaches analysis through the rooms it uses")

    def test_foreign_headers_in_other_rooms(self):
        for room, header in (
            ("core", "mpi.h"),
            ("study", "hdf5.h"),
            ("store", "itkImage.h"),
            ("trials", "torch/torch.h"),
            ("analysis", "ATen/ATen.h"),
            ("work", "yaml-cpp/yaml.h"),
            ("config", "nlohmann/json.hpp"),
            ("config", "CLI/CLI.hpp"),
            ("work", "boost/mpi.hpp"),
            ("work", "spdlog/spdlog.h"),
            ("store", "nccl.h"),
            ("network", "cuda_runtime.h"),
        ):
            with self.subTest(header):
                self.write(f"src/{room}/foreign.cpp", f"#include <{header}>\n")
                self.expect(f"src/{room}/foreign.cpp:1: {room} includes {header}, but")
                (self.tree / f"src/{room}/foreign.cpp").unlink()

    def test_foreign_headers_in_public_headers(self):
        for room, header in (
            ("comm", "mpi.h"),
            ("store", "hdf5.h"),
            ("imaging", "itkImage.h"),
            ("search", "torch/torch.h"),
            ("config", "yaml-cpp/yaml.h"),
            ("work", "nlohmann/json.hpp"),
            ("core", "fmt/format.h"),
        ):
            with self.subTest(header):
                file = f"include/proxytune/{room}/foreign.h"
                self.write(file, f"#include <{header}>\n")
                self.expect(f"{file}:1: a public header of {room} includes {header}, but")
                (self.tree / file).unlink()

    def test_the_trainer_stays_readable_without_torch(self):
        self.write("include/proxytune/network/shown.h", "#include <torch/torch.h>\n")
        self.expect_passes()
        path = self.tree / "include/proxytune/training/trainer.h"
        path.write_text(path.read_text() + '#include "proxytune/network/shown.h"\n')
        code, text = self.run_it()
        self.assertEqual(code, 1)
        self.assertIn("include/proxytune/training/trainer.h:1: this header is for readers without LibTorch", text)
        self.assertIn("include/proxytune/network/shown.h", text)

    def test_cuda_outside_kernels(self):
        self.write("src/ops/kernel.cu", "#include <cuda_runtime.h>\n")
        self.expect_passes()
        self.write("src/ops/host.cpp", "#include <cuda_runtime.h>\n")
        self.expect("src/ops/host.cpp:1: cuda_runtime.h belongs into a .cu file")

    def test_a_second_source_with_nccl(self):
        self.write("src/comm/nccl_one.cpp", "#include <nccl.h>\n")
        self.expect_passes()
        self.write("src/comm/nccl_two.cpp", "\n#include <nccl.h>\n")
        self.expect("src/comm/nccl_two.cpp:2: NCCL may be included by one source of comm")

    def test_the_door_to_the_raw_communicator(self):
        self.write("include/proxytune/comm/mpi_native.h", "#pragma once\n#include <mpi.h>\n")
        self.write("src/store/parallel.cpp", '#include "proxytune/comm/mpi_native.h"\n')
        self.expect_passes()
        self.write("src/work/odd.cpp", '#include "proxytune/comm/mpi_native.h"\n')
        self.expect("src/work/odd.cpp:1: only sources of comm and store may include")

    def test_an_unknown_library(self):
        self.write("src/core/odd.cpp", "#include <Eigen/Dense>\n")
        self.expect("src/core/odd.cpp:1: Eigen/Dense is of no library that tools/check_layers.py knows")

    def test_an_include_by_macro(self):
        self.write("src/core/odd.cpp", '#define HEADER "proxytune/comm/agree.h"\n#include HEADER\n')
        self.expect("src/core/odd.cpp:2: the macro HEADER")

    def test_comments_are_no_includes(self):
        self.write("src/core/fine.cpp", '// #include <mpi.h>\n/*\n#include <hdf5.h>\n*/\n#  include <vector>\n')
        self.expect_passes()
        self.write("src/core/odd.cpp", "/* one\ntwo */\n#include <hdf5.h>\n")
        self.expect("src/core/odd.cpp:3: core includes hdf5.h")


if __name__ == "__main__":
    unittest.main()
