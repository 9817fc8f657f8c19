"""``forge --watch``: smelt again after each change in ``input/``, and print what it changed in the stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from cluster_forge.cli.output import changes_text, error_text
from cluster_forge.cli.output.counts import finding_counts
from cluster_forge.cli.session import Session
from cluster_forge.foundation import names
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stages.build.smelt import SmeltResult

Stamps = Mapping[str, object]
"""For each file of ``input/`` a value that changes when the file does."""

_INTERVAL: Final = 0.1
"""Seconds between two looks at the folder."""
_SOURCED: Final = "/manifests/sourced/"
"""Files below it are written by the run itself."""
_QUIET: Final = 0.05
"""Seconds without a further change: editors and Git write several files one after the other."""


def watch(session: Session, stamps: Callable[[], Stamps], before: Stamps, smelt: Callable[[], SmeltResult]) -> None:
    """Call ``smelt`` after each change, until it is interrupted. An error is printed, and the next change tried.

    ``before`` are the stamps when the last run began: what changed during that run is a change, too. Sizes and times
    only tell that something changed; what changed is found by content.
    """
    session.print(f"watching {session.workspace / 'input'}: Ctrl-C stops")
    seen = _seen(before, stamps())
    while True:
        time.sleep(_INTERVAL)
        if stamps() == seen:
            continue
        before = _settled(stamps)
        began = time.monotonic()
        try:
            _print(session, smelt(), time.monotonic() - began)
        except (ForgeError, ExceptionGroup) as error:
            error_text.failure(error, session.arguments, color=session.color)
        seen = _seen(before, stamps())


def _seen(before: Stamps, after: Stamps) -> Stamps:
    """What a run has seen: the user's files as they were before it, the sourced files as they are after it."""
    users = {path: stamp for path, stamp in before.items() if _SOURCED not in path}
    return users | {path: stamp for path, stamp in after.items() if _SOURCED in path}


def _settled(stamps: Callable[[], Stamps]) -> Stamps:
    before: Stamps = {}
    while (now := stamps()) != before:
        before = now
        time.sleep(_QUIET)
    return before


def _print(session: Session, smelted: SmeltResult, seconds: float) -> None:
    counts = finding_counts(smelted.findings, session.output.verbosity)
    if not smelted.is_written:
        session.print(f"working/ was not written: {counts}")
        return
    head = f"{names.counted(smelted.objects, 'object')}{f' ({counts})' if counts else ''} in {seconds:.2f} s"
    session.print(f"{head}; {changes_text.summary(smelted.changes)}")
    for line in changes_text.lines(smelted.changes, is_whole=session.output.verbosity > 1):
        session.print(line)
