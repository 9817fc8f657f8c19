"""A terminal for the tests: a program in a real pseudo-terminal, and a screen that knows the sequences that we may send."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

_SEQUENCE = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[[\d;]*(m)")


class Screen:
    """The screen of a terminal. A sequence that is not in the short list of safe ones fails the test."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0
        self.wraps = 0

    def feed(self, text: str) -> None:
        position = 0
        while position < len(text):
            char = text[position]
            if char == "\x1b":
                match = _SEQUENCE.match(text, position)
                assert match, f"unknown sequence: {text[position : position + 12]!r}"
                self._control(match[2] or match[3], int(match[1] or 0) if match[1] else 0)
                position = match.end()
                continue
            self._put(char)
            position += 1

    @property
    def lines(self) -> list[str]:
        return [line for line in ("".join(row).rstrip() for row in self.rows) if line]

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self._down()
        elif char != "\x07":
            if self.column >= self.columns:
                self.wraps += 1
                self.column = 0
                self._down()
            row = self.rows[self.row]
            row.extend(" " * (self.column + 1 - len(row)))
            row[self.column] = char
            self.column += 1

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    def _control(self, kind: str, number: int) -> None:
        if kind == "A":
            assert number <= self.row, "moved above the top"
            self.row -= number
        elif kind == "K":
            del self.rows[self.row][self.column :]
        elif kind == "J":
            del self.rows[self.row][self.column :]
            del self.rows[self.row + 1 :]
        else:
            assert kind == "m", f"what does {kind} do here?"


class Terminal:
    """A program with a terminal of so many columns as stdin, stderr and (by default) stdout."""

    def __init__(
        self,
        *command: str | Path,
        columns: int = 80,
        stdout: int | None = None,
        cwd: Path | None = None,
        **environment: str,
    ) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.screen = Screen(columns)
        self.states: list[list[str]] = []
        """What the screen showed, after each time that something came."""
        self.text = ""
        self._before = termios.tcgetattr(theirs)
        self._theirs = theirs
        surroundings = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **environment}
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            cwd=cwd,
            env=surroundings,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - there is no other way, and the child does nothing else
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self._theirs)

    def until(self, seen: Callable[[Sequence[str]], bool], timeout: float = 30) -> None:
        """Read until the screen shows it."""
        deadline = time.monotonic() + timeout
        while not seen(self.screen.lines):
            assert time.monotonic() < deadline, self.screen.lines
            assert self.process.poll() is None or self._read(), self.screen.lines
            self._read()

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def kill(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, timeout: float = 60) -> int:
        """Read to the end; the exit code. The terminal's modes must be unchanged."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.screen.lines
            self._read()
        while self._read():
            pass
        assert termios.tcgetattr(self._theirs) == self._before
        assert self.screen.column == 0, "the cursor stands in the middle of a line"
        return self.process.returncode

    def _read(self) -> bool:
        os.set_blocking(self.ours, False)
        try:
            content = os.read(self.ours, 65536)
        except BlockingIOError:
            time.sleep(0.01)
            return False
        while True:  # one write of the program's may come in pieces
            time.sleep(0.002)
            try:
                content += os.read(self.ours, 65536)
            except BlockingIOError:
                if not _is_cut(content):
                    break
        text = content.decode()
        self.text += text
        self.screen.feed(text)
        self.states.append(self.screen.lines)
        return True


def _is_cut(content: bytes) -> bool:
    """Whether it ends in the middle of a character or of a sequence."""
    try:
        return re.search(r"\x1b(\[[\d;]*)?$", content.decode()) is not None
    except UnicodeDecodeError:
        return True


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
