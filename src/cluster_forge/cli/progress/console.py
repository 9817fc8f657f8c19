"""What stages tell, on stderr: as plain lines, or on a terminal with a live display below them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from cluster_forge.cli.output import error_text
from cluster_forge.cli.progress.line_reporter import LineReporter
from cluster_forge.ports.progress import Reporter


@contextlib.contextmanager
def reporting(stages: Sequence[str], *, verbosity: int, color: bool | None, began: float) -> Iterator[Reporter]:
    """Whom stages tell: for a verb that goes through ``stages`` and was called at ``began`` (monotonic seconds)."""
    if verbosity > 0 and is_lively():
        from cluster_forge.cli.progress.live_display import live

        with live(stages, verbosity=verbosity, color=color, began=began) as reporter:
            yield reporter
    else:
        yield LineReporter(verbosity, lambda text: error_text.tell(text, color=color))


def is_lively() -> bool:
    """Whether stderr is a terminal that can move its cursor.

    Windows gets plain lines: whether its console understands control sequences depends on its age and settings.
    """
    if sys.stderr is None or os.name == "nt" or os.environ.get("TERM", "") in ("", "dumb"):
        return False
    return sys.stderr.isatty()
