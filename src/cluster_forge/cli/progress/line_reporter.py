"""Events of stages as lines."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Final

from cluster_forge.cli.output import error_text
from cluster_forge.cli.output.terminal_text import one_line, shown, styled
from cluster_forge.cli.output.visibility import least_verbosity
from cluster_forge.cli.progress.network_state import waiting_text
from cluster_forge.cli.progress.warning_limit import WarningLimit
from cluster_forge.manifests.finding import Finding

_LONG: Final = 1.0
"""Seconds of a wait that is worth a line: there would be many lines about nothing."""
_SPELL: Final = 10.0
"""Seconds between two lines about what one item waits for."""
_FAILED: Final = "failed"
"""The ``state`` of an item that has a line in any case: what is at work meanwhile may take minutes."""
_NUMBER: Final = re.compile(r"\d+")


class LineReporter:
    """`RunReporter` that gives ``out`` a line for each event.

    ``verbosity``: 0 error findings only, 1 warnings, stages and what was added to the stack, 2 all notices too. Items have lines from ``items`` on.
    """

    def __init__(self, verbosity: int, out: Callable[[str], None], *, items: int = 1) -> None:
        self._verbosity = verbosity
        self._out = out
        self._items = items
        self._lock = threading.Lock()
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self._waits: dict[str, float] = {}
        self._reasons: dict[tuple[str, str], tuple[float, str]] = {}
        self._warnings = WarningLimit(is_on=verbosity == 1)

    def stage_started(self, stage: str, total: int) -> None:
        with self._lock:
            self._done[stage], self._total[stage] = 0, total

    def item_started(self, stage: str, item: str) -> None:
        """Nothing to print: lines report what is done."""

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        """A line for a new reason; where it differs in numbers only, such as replicas, if the last line is some seconds old."""
        now = time.monotonic()
        with self._lock:
            at, last = self._reasons.get((stage, item), (0.0, ""))
            is_same = _NUMBER.sub("", reason) == _NUMBER.sub("", last)
            if reason != last and (not is_same or now >= at + _SPELL):
                self._reasons[stage, item] = (now, reason)
                self._line(self._items, f"{stage:<6} {'':>7}  {one_line(item)} waits for {one_line(reason)}")

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        with self._lock:
            self._done[stage] = self._done.get(stage, 0) + (not facts.get("again"))
            self._total[stage] = max(self._total.get(stage, 0), self._done[stage])
            count = f"{self._done[stage]}/{self._total[stage]}"
            least = 1 if facts.get("state") == _FAILED else self._items
            self._line(least, f"{stage:<6} {count:>7}  {one_line(item)}{f': {one_line(detail)}' if detail else ''}")

    def stage_finished(self, stage: str, summary: str) -> None:
        with self._lock:
            self._summarize()
            self._line(1, styled((f"{stage:<6}", {"bold": True}), f" {summary}"))

    def finding_reported(self, finding: Finding) -> None:
        with self._lock:
            if self._warnings.is_printed(finding):
                self._line(least_verbosity(finding), error_text.finding_text(finding))

    def received(self, host: str, count: int) -> None:
        """Nothing to print: lines report what is done."""

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        """A line if it is a second longer than a line for the same host says already."""
        until = time.monotonic() + seconds
        with self._lock:
            if until >= self._waits.get(host, time.monotonic()) + _LONG:
                self._waits[host] = until
                self._line(self._items, waiting_text(host, seconds, reason))

    def close(self) -> None:
        """Say what was not printed: the stages are done."""
        with self._lock:
            self._summarize()

    def _summarize(self) -> None:
        if summary := self._warnings.summary():
            self._line(1, summary)

    def _line(self, least: int, text: str) -> None:
        if self._verbosity >= least:
            self._out(shown(text))
