"""The progress bar: on a terminal, whoever stands in between, and nowhere else."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from program import PROGRAM, ProgramTest, TINY_STUDY, main, mpi_command, wait_for_finished  # noqa: E402
from terminal import DRAWING, OnTerminal, screen  # noqa: E402

# 3 arms, 2 points of the sweep, 2 repeats.
TRIALS = 12
# A shell that stays between the launcher and the program.
SHELL = ["sh", "-c", '"$0" "$@"; exit $?']

# What Open MPI's launchers do, of any version: each rank gets a pseudo-terminal, whose bytes they pass on.
LAUNCHER = """
import os, pty, subprocess, sys, tty
command = sys.argv[sys.argv.index("--") + 1:]
master, slave = pty.openpty()
tty.setraw(slave)
rank = subprocess.Popen(command, stdout=slave, stderr=slave, env={**os.environ, "FLUX_TASK_RANK": "0"})
os.close(slave)
while True:
    try:
        os.write(1, os.read(master, 65536))
    except OSError:
        sys.exit(rank.wait())
"""


def is_bar(line):
    return re.search(r"\[#*-*\] \d+/\d+|^(sweep|rank \S+|preprocess) \d+/\d+", line) is not None


class ProgressTest(ProgramTest):
    def command(self, name):
        path, _ = self.study(name)
        return [PROGRAM, "sweep", path]

    def on_terminal(self, command, **options):
        code, text = OnTerminal(command, **options).ended()
        self.assertEqual(code, 0, text)
        return text

    def assert_only_lines(self, text):
        self.assertIn("sweep [12/12]", text)
        self.assertNotIn("\x1b", text)
        # A terminal itself ends lines by carriage return and line feed.
        self.assertNotIn("\r", text.replace("\r\n", "\n"))
        self.assertFalse([line for line in text.splitlines() if is_bar(line)])

    def assert_bar(self, text, columns):
        drawings = list(DRAWING.finditer(text))
        for stage in ("preprocess ", "rank ", "sweep "):
            self.assertTrue([one for one in drawings if one[1].startswith(stage)], text)
        for one in drawings:
            self.assertLess(len(one[1]), columns)
            # At each moment there is one bar, at the bottom.
            lines = screen(text[:one.end()])
            self.assertEqual(lines[-1], one[1])
            self.assertFalse([line for line in lines[:-1] if is_bar(line)])
        lines = screen(text)
        self.assertFalse([line for line in lines if is_bar(line)])
        self.assertEqual(len([line for line in lines if re.match(rf"sweep \[\d+/{TRIALS}\] ", line)]), TRIALS)
        self.assertTrue([one for one in drawings if re.match(rf"sweep \S+ 12/{TRIALS} +best 0\.\d{{4}}", one[1])], text)

    def test_one_process_draws_it_on_a_terminal(self):
        self.assert_bar(self.on_terminal(self.command("single"), columns=90), 90)

    def test_ranks_draw_it_on_their_launchers_terminal(self):
        self.assert_bar(self.on_terminal(mpi_command(2) + self.command("launched"), columns=70), 70)

    def test_a_shell_between_launcher_and_program_does_not_matter(self):
        self.assert_bar(self.on_terminal(mpi_command(2) + SHELL + self.command("shell_terminal"), columns=120), 120)
        self.assert_only_lines(self.into_file(mpi_command(2) + SHELL + self.command("shell_file")))

    def into_file(self, command):
        """What is in the file, where all but standard output is a terminal."""
        path = self.scratch / "output.txt"
        seen = self.on_terminal(["sh", "-c", 'exec "$@" >"$0"', path, *command])
        self.assertNotIn("\x1b", seen)
        return path.read_bytes().decode()

    def test_a_warning_has_a_line_of_its_own_and_in_a_file_no_escapes(self):
        command = mpi_command(2) + self.command("warned")
        self.on_terminal(command)
        for into_file in (False, True):
            for pairs in (self.scratch / "warned/pairs").iterdir():
                pairs.unlink()
            path = self.scratch / "errors.txt"
            text = self.on_terminal(["sh", "-c", 'exec "$@" 2>"$0"', path, *command] if into_file else command)
            self.assertIn("\x1b[K", text)
            errors = path.read_bytes().decode() if into_file else "\n".join(screen(text))
            self.assertRegex(errors, r"(?m)^rank 0: warning: \d+ tiles of the pair matrix are computed again$")
            self.assertNotIn("\x1b", errors)

    def test_into_a_file_there_are_lines_only(self):
        self.assert_only_lines(self.into_file(self.command("file")))
        self.assert_only_lines(self.into_file(mpi_command(2) + self.command("launched_file")))

    def test_into_a_pipe_there_are_lines_only(self):
        for name, launcher in (("pipe", []), ("launched_pipe", mpi_command(2))):
            with self.subTest(name):
                self.assert_only_lines(
                    self.on_terminal(["sh", "-c", '"$@" | cat', "sh", *launcher, *self.command(name)]))

    def test_a_launcher_that_tags_lines_gets_lines_only(self):
        launcher = mpi_command(2)
        if "--oversubscribe" not in launcher:
            self.skipTest("an option of Open MPI's")
        text = self.on_terminal([*launcher, "--tag-output", *self.command("tagged")])
        self.assert_only_lines(text)
        self.assertIn("[1,0]<stdout>:sweep [12/12]", text)

    def test_a_launchers_own_command_line_says_whether_it_tags_lines(self):
        launcher = [sys.executable, "-c", LAUNCHER]
        self.assert_bar(self.on_terminal([*launcher, "--bind-to", "none", "--", *self.command("untagged")]), 100)
        for option in (["--output", "tag"], ["--output=tag"], ["-tag-output"]):
            with self.subTest(option):
                self.assert_only_lines(self.on_terminal([*launcher, *option, "--", *self.command("option" + option[0])]))

    def test_a_terminal_that_cannot_erase_gets_lines_only(self):
        self.assert_only_lines(self.on_terminal(self.command("dumb"), TERM="dumb"))

    def test_the_environment_forces_it_and_forbids_it(self):
        self.assert_only_lines(self.on_terminal(self.command("lines"), PROXYTUNE_PROGRESS="lines"))
        result = subprocess.run(list(map(str, self.command("forced"))), capture_output=True, timeout=240,
                                env={**os.environ, "PROXYTUNE_PROGRESS": "bar"})
        self.assertIn(b"\rsweep [", result.stdout)
        code, text = OnTerminal(self.command("wrong"), PROXYTUNE_PROGRESS="yes").ended()
        self.assertEqual(code, 2)
        self.assertIn('PROXYTUNE_PROGRESS is "yes", but must be auto, bar or lines', text)

    def test_a_stop_erases_it_before_the_last_word(self):
        path, folder = self.study("stopped", TINY_STUDY.replace("epochs: 2", "epochs: 40"))
        running = OnTerminal([PROGRAM, "sweep", path])
        self.assertTrue(wait_for_finished(running.process, folder, 1))
        running.process.send_signal(signal.SIGUSR1)
        code, text = running.ended()
        self.assertEqual(code, 85, text)
        self.assertIn("\rsweep [", text)
        lines = screen(text)
        self.assertFalse([line for line in lines if is_bar(line)])
        self.assertTrue(lines[-2].startswith("error: stopped early in stage trial"), lines[-3:])
        self.assertEqual(lines[-1], "")


if __name__ == "__main__":
    main()
