"""The reporter for stderr: plain lines, on a terminal with a live display below them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from cluster_forge.cli.output.streams import to_stderr
from cluster_forge.cli.progress.line_reporter import LineReporter
from cluster_forge.cli.progress.transfer_relay import RunReporter


@contextlib.contextmanager
def reporting(
    stages: Sequence[str], *, verbosity: int, color: bool | None, began: float, is_drawn: bool = True
) -> Iterator[RunReporter]:
    """The reporter for a verb that runs ``stages`` and was called at ``began`` (monotonic seconds); ``is_drawn``: with a
    live display, if that is possible.
    """
    if verbosity > 0 and is_drawn and can_redraw():
        from cluster_forge.cli.progress.live_display import live

        with live(stages, verbosity=verbosity, color=color, began=began) as reporter:
            yield reporter
    else:
        lines = LineReporter(verbosity, lambda text: to_stderr(text, color=color))
        try:
            yield lines
        finally:
            lines.close()


def can_redraw() -> bool:
    """Whether stderr is a terminal that can move its cursor.

    Windows gets plain lines: whether its console understands control sequences depends on its age and settings.
    """
    if sys.stderr is None or os.name == "nt" or os.environ.get("TERM", "") in ("", "dumb"):
        return False
    return sys.stderr.isatty()
