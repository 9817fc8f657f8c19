"""The live display on a terminal: a few lines at its bottom that are redrawn, and removed when the stages are done.

The cursor is never hidden and no mode of the terminal is changed: whatever ends the program, `kill -9` too, leaves
a usable terminal. A frame is one write that overwrites the last one in place, so nothing flickers.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import click

from cluster_forge.cli.output.terminal_text import one_line, shown
from cluster_forge.cli.progress import state
from cluster_forge.cli.progress.line_reporter import LineReporter
from cluster_forge.cli.progress.network_state import Network
from cluster_forge.cli.progress.state import Progress
from cluster_forge.cli.progress.transfer_relay import RunReporter
from cluster_forge.manifests.finding import Finding

PATIENCE: Final = 0.5
"""Seconds that pass before anything is drawn: a short run shows its lines only."""
INTERVAL: Final = 0.1
_CLEAR_TO_END, _CLEAR_BELOW = "\x1b[K", "\x1b[J"


@contextlib.contextmanager
def live(stages: Sequence[str], *, verbosity: int, color: bool | None, began: float) -> Iterator[RunReporter]:
    """A reporter with a display for as long as the context lasts."""
    reporter = LiveReporter(stages, verbosity=verbosity, color=color, began=began)
    try:
        yield reporter
    finally:
        reporter.close()


class LiveReporter:
    """`RunReporter` with a display below its lines. Single items have lines with ``verbosity`` 2 only."""

    def __init__(self, stages: Sequence[str], *, verbosity: int, color: bool | None, began: float) -> None:
        self._progress = Progress(stages)
        self._network = Network()
        self._lock = threading.Lock()
        self._began = began
        self._glyphs = state.UNICODE if _is_unicode() else state.ASCII
        self._display = Display(sys.stderr.fileno(), self._lines, is_colored=color is not False)
        self._line_reporter = LineReporter(verbosity, self._display.print, items=2)

    def stage_started(self, stage: str, total: int) -> None:
        with self._lock:
            self._progress.stage_started(stage, total)
        self._line_reporter.stage_started(stage, total)
        self._display.start(PATIENCE - (time.monotonic() - self._began))

    def item_started(self, stage: str, item: str) -> None:
        with self._lock:
            self._progress.item_started(stage, one_line(item))

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        with self._lock:
            at = time.monotonic() - self._began
            self._progress.item_waiting(stage, one_line(item), one_line(reason), at)
        self._line_reporter.item_waiting(stage, item, reason)

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        with self._lock:
            self._progress.item_finished(stage, one_line(item), is_again=bool(facts.get("again")))
        self._line_reporter.item_finished(stage, item, detail, **facts)

    def stage_finished(self, stage: str, summary: str) -> None:
        with self._lock:
            self._progress.stage_finished(stage)
        self._line_reporter.stage_finished(stage, summary)

    def finding_reported(self, finding: Finding) -> None:
        self._line_reporter.finding_reported(finding)

    def received(self, host: str, count: int) -> None:  # noqa: ARG002 - the port's signature
        with self._lock:
            self._network.received(count, time.monotonic())

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        with self._lock:
            self._network.waiting(one_line(host), time.monotonic() + seconds, one_line(reason))
        self._line_reporter.waiting(host, seconds, reason)

    def close(self) -> None:
        self._line_reporter.close()
        self._display.close()

    def _lines(self, columns: int) -> list[str]:
        with self._lock:
            now = time.monotonic()
            network = self._network.line(now)
            return state.lines(
                self._progress, columns=columns, seconds=now - self._began, glyphs=self._glyphs, network=network
            )


class Display:
    """Lines at the bottom of a terminal, and what is printed above them. ``lines`` gives them for a number of columns."""

    def __init__(self, terminal: int, lines: Callable[[int], list[str]], *, is_colored: bool) -> None:
        self._terminal = terminal
        self._lines = lines
        self._is_colored = is_colored
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._is_drawing = False
        self._widths: list[int] = []
        """Of the lines that the terminal shows now."""

    def start(self, patience: float) -> None:
        """Draw from ``patience`` seconds on."""
        if not self._is_drawing:
            self._is_drawing = True
            threading.Thread(target=self._draw, args=(patience,), name="display", daemon=True).start()

    def print(self, text: str) -> None:
        """Print above the lines; the text stays."""
        text = (shown(text) if self._is_colored else click.unstyle(shown(text))).replace("\n", "\r\n") + "\r\n"
        with self._lock:
            if self._widths:
                text = self._back() + _CLEAR_BELOW + text
                self._widths = []
                text += self._frame()
            self._write(text)

    def close(self) -> None:
        """Remove the lines."""
        self._closed.set()
        if self._lock.acquire(timeout=1):
            self._write(self._back() + _CLEAR_BELOW if self._widths else "")
            self._widths = []
            self._lock.release()

    def _draw(self, patience: float) -> None:
        wait = max(patience, 0)
        while not self._closed.wait(wait):
            wait = INTERVAL
            with self._lock:
                if not self._is_in_front():
                    self._widths = []
                elif not self._closed.is_set():
                    self._write(self._frame())

    def _frame(self) -> str:
        """The lines, to be written over the last ones."""
        columns, rows = self._size()
        shown = self._lines(columns)[-max(rows - 1, 1) :]
        if not self._is_colored:
            shown = state.plain(shown)
        back = self._back()
        self._widths = [state.cells(click.unstyle(line)) for line in shown]
        return back + f"{_CLEAR_TO_END}\r\n".join(shown) + _CLEAR_BELOW

    def _back(self) -> str:
        """Back to the first line. A terminal that became narrower has wrapped the lines."""
        columns, _ = self._size()
        up = sum(max(1, -(-width // columns)) for width in self._widths) - 1
        return f"\r\x1b[{up}A" if up > 0 else "\r"

    def _size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._terminal)
        except OSError:
            columns, rows = 0, 0
        return columns or 80, rows or 24

    def _is_in_front(self) -> bool:
        """Whether this process may draw: not if the shell has put it into the background."""
        try:
            return os.tcgetpgrp(self._terminal) == os.getpgrp()
        except OSError:
            return True

    def _write(self, text: str) -> None:
        """Write in one piece; a closed terminal does not stop the work."""
        rest = text.encode("utf-8", "replace")
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(self._terminal, rest) :]


def _is_unicode() -> bool:
    """Whether the locale says that the terminal shows more than ASCII."""
    set_to = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return "utf" in next((value for value in set_to if value), "").lower()
