"""``status --watch``: the table redrawn on a terminal; elsewhere a line for each component that has changed."""

from __future__ import annotations

import contextlib
import select
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, Protocol, TextIO

from cluster_forge.cli import stack_folders
from cluster_forge.cli.output import status_text
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.cli.progress.live_display import Display
from cluster_forge.cli.session import Session
from cluster_forge.cli.stack_folders import StackFolder
from cluster_forge.stages.deliver.look.component_status import ComponentStatus
from cluster_forge.stages.deliver.patience import tolerated
from cluster_forge.stages.deliver.status import StackStatus, StatusRequest, status

_PAUSE: Final = 2.0
"""Seconds between two looks at the cluster."""


class View(Protocol):
    """Where the looks are shown."""

    def show(self, seen: StackStatus) -> None:
        """Show what was seen."""

    def say(self, error: str) -> None:
        """Show why nothing was seen this time."""


def watch(session: Session, place: StackFolder) -> None:
    """Look again and again, until the program is interrupted, or its reader has gone (`| head`). A terminal shows at once what
    is looked at.

    Raises:
        ForgeError, ExceptionGroup: as `status` at the first look; later only for what does not go away by waiting.
    """
    quiet = replace(session, output=replace(session.output, quiet=True))
    with quiet.reporting() as reporter, _shown(session, f"looking at {place.title} …") as view:
        deployment, parts = stack_folders.read(session, place)
        request = StatusRequest(deployment=deployment, parts=parts)
        tools = session.delivery(reporter)
        keep_looking(lambda: status(request, tools), view)


def keep_looking(look: Callable[[], StackStatus], view: View, pause: float = _PAUSE) -> None:
    """Show one look after the other, ``pause`` seconds between them, also past a cluster that does not answer for a while."""
    view.show(look())
    while not has_lost_reader(sys.stdout):
        time.sleep(pause)
        with tolerated(view.say):
            view.show(look())


def has_lost_reader(stream: TextIO) -> bool:
    """Whether a stream is a pipe that is read no longer. A write would tell, but nothing may change for hours."""
    if not hasattr(select, "poll"):  # Windows
        return False
    asked = select.poll()
    asked.register(stream.fileno(), 0)
    return bool(asked.poll(0))


@contextlib.contextmanager
def _shown(session: Session, beginning: str) -> Iterator[View]:
    if not (sys.stdout.isatty() and session.prints_results):
        yield Changes(session.print)
        return
    table = _Table(session, one_line(beginning))
    try:
        yield table
    finally:
        table.close()


class _Table:
    """Redraws the table; before the first look the line ``beginning``, of which nothing stays."""

    def __init__(self, session: Session, beginning: str) -> None:
        self._session = session
        self._lines: list[str] = []
        self._remark = [beginning]
        self._display = Display(sys.stdout.fileno(), self._drawn, is_colored=session.color is not False)
        self._display.start(0)

    def _drawn(self, _: object) -> list[str]:
        return [*self._lines, *self._remark]

    def show(self, seen: StackStatus) -> None:
        self._lines, self._remark = list(status_text.lines(seen)), []

    def say(self, error: str) -> None:
        self._remark = [one_line(error)]

    def close(self) -> None:
        self._display.close()
        for line in self._drawn(None) if self._lines else ():
            self._session.print(line)


class Changes:
    """Prints what has changed since the look before; all of it, if that one saw nothing."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._known: dict[str, ComponentStatus] = {}
        self._said = ""

    def show(self, seen: StackStatus) -> None:
        changed = [component for component in seen.components if self._known.get(component.name) != component]
        for component in changed:
            reasons = f": {one_line('; '.join(component.messages))}" if component.messages else ""
            self._write(f"{component.name} {component.sync}, {component.condition}{reasons}")
        if changed:
            self._write(status_text.summary(seen))
        self._known, self._said = {component.name: component for component in seen.components}, ""

    def say(self, error: str) -> None:
        if error != self._said:
            self._write(one_line(error))
        self._known, self._said = {}, error
