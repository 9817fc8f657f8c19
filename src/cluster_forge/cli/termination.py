"""How the program ends: by its exit code, by Ctrl-C, by a signal, or because its output was closed."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Final, NoReturn, TextIO

from cluster_forge.foundation import stopping

_SIGNALS: Final = ("SIGTERM", "SIGHUP")
INTERRUPTED: Final = 130
"""The exit code after Ctrl-C."""
STOPPED: Final = frozenset({129, INTERRUPTED, 143})
"""The exit codes of runs that were stopped: 128 and the number of the signal."""


def listen() -> None:
    """Let SIGTERM and SIGHUP end the run as Ctrl-C does: by an exception, so that everything is cleaned up.

    Signals that the caller ignores (`nohup`) stay ignored.
    """
    for name in _SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # `timeout` sends it twice, and the second would interrupt the cleanup
    raise SystemExit(128 + number)


def leave(code: int) -> NoReturn:
    """End the process. A run that was stopped does not wait for its threads: a download may hang."""
    with contextlib.suppress(ValueError):  # not in a test's thread
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C ends it silently
    for stream in (sys.stdout, sys.stderr):
        flush(stream)
    if code in STOPPED and threading.active_count() > 1:
        stopping.stop()
        os._exit(code)
    sys.exit(code)


def flush(stream: TextIO | None) -> None:
    """Flush a stream. If its reader has closed it, this and all later output is discarded, without an error."""
    if stream is None:  # closed before the start: `>&-`
        return
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
