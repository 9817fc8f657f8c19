"""The record of one run of a verb: its log in the workspace, and its timings."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster_forge import __version__, composition
from cluster_forge.cli.arguments import without_secrets
from cluster_forge.cli.progress.recording import Event, Timings


class RunRecord:
    """Records the events of a run that began at ``began`` (monotonic seconds). It never fails the run."""

    def __init__(self, workspace: Path, verb: str, arguments: Sequence[str], *, began: float) -> None:
        self.timings = Timings()
        self._log = composition.run_log(workspace, verb)
        self._began = began
        system = platform.uname()  # not platform.platform(): that reads the whole interpreter to find its C library
        self._write(
            {
                "event": "run",
                "verb": verb,
                "arguments": without_secrets(arguments),
                "tool": __version__,
                "python": platform.python_version(),
                "platform": f"{system.system} {system.release} {system.machine}",
            }
        )

    @property
    def problem(self) -> str:
        """Why the log is missing or incomplete; empty if it is complete."""
        return self._log.problem if self._log else ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def add(self, event: Event) -> None:
        self.timings.add(event)
        self._write(event)

    def end(self, code: int, errors: Sequence[dict[str, Any]] = ()) -> None:
        """Write the last line: how the run ended."""
        self._write({"event": "end", "code": code, "seconds": round(self.seconds, 3), "errors": list(errors)})
        if self._log:
            self._log.close()

    def _write(self, entry: Event) -> None:
        if self._log:
            self._log.add(entry)
