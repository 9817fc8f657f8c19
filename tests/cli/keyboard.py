"""A program on a pseudo-terminal: keys go in, what is drawn comes out."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte
from pexpect.fdpexpect import fdspawn as _fdspawn
from tests.cli.forking import Forks

if TYPE_CHECKING:
    fdspawn = _fdspawn[str]
else:  # generic in its stubs only
    fdspawn = _fdspawn

PATIENCE = 30
"""Seconds that a slow machine gets."""

UP, DOWN, END, BACKSPACE, ESCAPE = "\x1b[A", "\x1b[B", "\x1b[F", "\x7f", "\x1b"
CTRL_A, CTRL_C, CTRL_D, CTRL_U = "\x01", "\x03", "\x04", "\x15"


class Forked(fdspawn):
    """The part of `pexpect.spawn` that `Terminal` uses, for a command line that `Forks` started."""

    def __init__(
        self,
        forks: Forks,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        size: tuple[int, int],
    ) -> None:
        self._forks = forks
        self._process, terminal = forks.start(arguments, folder, environment, size)
        super().__init__(terminal, encoding="utf-8")

    def kill(self, sig: int) -> None:
        os.kill(self._process, sig)

    def close(self, force: bool = False) -> None:
        """Close the terminal, which ends a program that still runs, and take its exit code."""
        if self.closed:
            return
        if force:
            with contextlib.suppress(ProcessLookupError):
                self.kill(signal.SIGKILL)
        super().close()
        code = self._forks.exit_code(self._process)
        self.exitstatus, self.signalstatus = (code, None) if code >= 0 else (None, -code)


class Terminal:
    """A program and its terminal of 24 lines and 80 columns; ``forks`` starts it, if that is the command line."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (24, 80),
        forks: Forks | None = None,
    ) -> None:
        settings = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
        settings |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(environment or {})}
        self._screen = pyte.Screen(size[1], size[0])
        self._stream = pyte.Stream(self._screen)
        self._child = (
            Forked(forks, command[1:], folder, settings, size)
            if forks
            else pexpect.spawn(
                command[0],
                list(command[1:]),
                cwd=str(folder),
                env=settings,
                dimensions=size,
                encoding="utf-8",
            )
        )

    def expect(self, pattern: str) -> str:
        """Wait until ``pattern`` is on the screen, and give the screen."""
        until = time.monotonic() + PATIENCE
        while not re.search(pattern, self.screen):
            assert time.monotonic() < until, f"no {pattern!r} on this screen:\n{self.screen}"
            self._read(0.05)
        return self.screen

    def expect_prompt(self, pattern: str) -> None:
        """Wait until ``pattern`` is on the screen and a line is read after it: the blank before the cursor is readline's.

        Between the two CPython notices Ctrl-C only when the next key comes.
        """
        self.expect(pattern)
        until = time.monotonic() + PATIENCE
        while self._screen.cursor.x <= len(self._screen.display[self._screen.cursor.y].rstrip()):
            assert time.monotonic() < until, f"nothing is read on this screen:\n{self.screen}"
            self._read(0.05)

    @property
    def screen(self) -> str:
        """The screen, without blanks at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def _read(self, seconds: float) -> bool:
        """Read what is drawn within ``seconds``; whether the program is still running."""
        try:
            text = self._child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self._stream.feed(text)
        return True

    def keys(self, *keys: str) -> None:
        for key in keys:
            self._child.send(key)

    def kill(self, number: int) -> None:
        self._child.kill(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end: the exit code, and the last screen. The terminal must be usable then."""
        until = time.monotonic() + PATIENCE
        while self._read(0.2):
            assert time.monotonic() < until, f"it does not end:\n{self.screen}"
        assert _mode(self._child.child_fd) == _mode_of_a_new_terminal(), "not as the program found it"
        assert not self._screen.cursor.hidden
        self._child.close()
        return self._child.exitstatus if self._child.exitstatus is not None else -(
            self._child.signalstatus or 0
        ), self.screen

    def close(self) -> None:
        self._child.close(force=True)


def _mode(terminal: int) -> list[object]:
    """Echo, lines or letters, signals: the modes that a shell gets back."""
    return list(termios.tcgetattr(terminal))[:4]


def _mode_of_a_new_terminal() -> list[object]:
    """Not that of a program's own terminal after its start: it may have changed it by then."""
    ours, theirs = os.openpty()
    try:
        return _mode(ours)
    finally:
        os.close(ours)
        os.close(theirs)
