"""``forge --watch``: smelt again whenever something in ``input/`` changes, and show what that changed in the stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from cluster_forge.adapters.workspace import Stamp, WorkspaceFiles
from cluster_forge.cli.description import counted
from cluster_forge.cli.output import changes_text, error_text
from cluster_forge.cli.session import Session
from cluster_forge.foundation import names
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stages.build.smelt import SmeltResult

_PAUSE: Final = 0.1
"""Seconds between two looks at the folder."""
_MADE: Final = "/manifests/sourced/"
"""What lies there is written by the run itself."""
_QUIET: Final = 0.05
"""Seconds in which nothing more may change: editors and Git write several files one after the other."""


def watch(
    session: Session, files: WorkspaceFiles, before: Mapping[str, Stamp], smelt: Callable[[], SmeltResult]
) -> None:
    """Call ``smelt`` for each change until somebody interrupts; an error is shown, and the next change tried again.

    ``before`` are the marks of ``input/`` when the last run began: what changed while it went on is a change, too.

    That something changed is seen by the files' places, sizes and times; what it changed never depends on them.
    """
    session.say(f"watching {session.workspace / 'input'}: Ctrl-C ends it")
    seen = _seen(before, files)
    while True:
        time.sleep(_PAUSE)
        if files.stamps("input") == seen:
            continue
        before = _settled(files)
        began = time.monotonic()
        try:
            _tell(session, smelt(), began)
        except (ForgeError, ExceptionGroup) as error:
            error_text.failure(error, session.arguments, color=session.color)
        seen = _seen(before, files)


def _seen(before: Mapping[str, Stamp], files: WorkspaceFiles) -> Mapping[str, Stamp]:
    """What a run saw that began at ``before``: its user's files as they were then, and its own as it wrote them."""
    made = {path: mark for path, mark in files.stamps("input").items() if _MADE in path}
    return {path: mark for path, mark in before.items() if _MADE not in path} | made


def _settled(files: WorkspaceFiles) -> Mapping[str, Stamp]:
    before: Mapping[str, Stamp] = {}
    while (now := files.stamps("input")) != before:
        before = now
        time.sleep(_QUIET)
    return before


def _tell(session: Session, smelted: SmeltResult, began: float) -> None:
    taken = time.monotonic() - began
    if not smelted.is_written:
        session.say(f"working/ was not written: {counted(smelted.findings)}")
        return
    told = counted(smelted.findings)
    head = f"{names.counted(smelted.objects, 'object')}{f' ({told})' if told else ''} in {taken:.2f} s"
    session.say(f"{head}; {changes_text.summary(smelted.changes)}")
    for line in changes_text.lines(smelted.changes, is_whole=session.verbosity > 1):
        session.say(line)
