"""A terminal for a program under test: a pseudo-terminal whose bytes are kept, and what they leave on the screen."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

# One drawing of a progress bar, which begins by a carriage return and ends by erasing the rest of the line.
DRAWING = re.compile(r"\r([^\r\n\x1b]+)\x1b\[K")


def screen(text):
    """The lines that a terminal shows of this, given that none is too long for it."""
    lines, column, position = [""], 0, 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\n":
            lines.append("")
        elif character == "\r":
            column = 0
        elif text.startswith("[K", position) and character == "\x1b":
            lines[-1] = lines[-1][:column]
            position += 2
        else:
            assert character.isprintable(), repr(text[max(0, position - 40):position + 40])
            lines[-1] = lines[-1][:column].ljust(column) + character + lines[-1][column + 1:]
            column += 1
    return lines


class OnTerminal:
    """A process with a terminal of so many columns as input, output and error."""

    def __init__(self, command, columns=100, cwd=None, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name != "PROXYTUNE_PROGRESS"}
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=slave, stdout=slave, stderr=slave, cwd=cwd,
            env={**kept, "TERM": "xterm", **environment}, start_new_session=True)
        os.close(slave)
        self.pieces = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        while True:
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # how Linux tells that nobody has the terminal any more
                return
            if not piece:
                return
            self.pieces.append(piece)

    def ended(self, timeout=240):
        """Waits; returns the exit code and all that was written."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.reader.join(10)
            os.close(self.master)
        return code, b"".join(self.pieces).decode()


__all__ = ["DRAWING", "OnTerminal", "screen"]
