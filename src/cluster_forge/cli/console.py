"""What stages tell, as lines on stderr: the same on a terminal and in a pipeline."""

from __future__ import annotations

import threading

import click

from cluster_forge.cli import explain
from cluster_forge.manifests.finding import Finding, Severity


class LineReporter:
    """`ports.Reporter` that prints a line for each event. ``verbosity``: 0 findings only, 1 items too, 2 notices too."""

    def __init__(self, verbosity: int) -> None:
        self._verbosity = verbosity
        self._lock = threading.Lock()
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}

    def started(self, stage: str, total: int) -> None:
        self._done[stage], self._total[stage] = 0, total

    def advanced(self, stage: str, item: str, detail: str) -> None:
        with self._lock:
            self._done[stage] = self._done.get(stage, 0) + 1
            count = f"{self._done[stage]}/{self._total.get(stage, 0)}"
            self._line(1, f"{stage:<6} {count:>7}  {item}: {detail}" if detail else f"{stage:<6} {count:>7}  {item}")

    def finished(self, stage: str, summary: str) -> None:
        with self._lock:
            self._line(1, f"{click.style(f'{stage:<6}', bold=True)} {summary}")

    def noticed(self, finding: Finding) -> None:
        least = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}[finding.severity]
        with self._lock:
            self._line(least, explain.finding(finding))

    def _line(self, least: int, text: str) -> None:
        if self._verbosity >= least:
            click.echo(text, err=True)
