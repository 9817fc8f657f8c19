"""``status --watch``: the table redrawn on a terminal; elsewhere a line for each component that has changed."""

from __future__ import annotations

import contextlib
import select
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, TextIO

from cluster_forge.cli import stack_folders
from cluster_forge.cli.output import status_text
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.cli.progress.live_display import Display
from cluster_forge.cli.session import Session
from cluster_forge.cli.stack_folders import StackFolder
from cluster_forge.stages.deliver.look.component_status import ComponentStatus
from cluster_forge.stages.deliver.status import StackStatus, StatusRequest, status

_PAUSE: Final = 2.0
"""Seconds between two looks at the cluster."""

Show = Callable[[StackStatus], None]


def watch(session: Session, place: StackFolder) -> None:
    """Look again and again, until the program is interrupted, or its reader has gone (`| head`). A terminal shows at once what
    is looked at.
    """
    quiet = replace(session, output=replace(session.output, quiet=True))
    with quiet.reporting() as reporter, _shown(session, f"looking at {place.title} …") as show:
        deployment, parts = stack_folders.read(session, place)
        request = StatusRequest(deployment=deployment, parts=parts)
        tools = session.delivery(reporter)
        show(status(request, tools))
        while not has_lost_reader(sys.stdout):
            time.sleep(_PAUSE)
            show(status(request, tools))


def has_lost_reader(stream: TextIO) -> bool:
    """Whether a stream is a pipe that is read no longer. A write would tell, but nothing may change for hours."""
    if not hasattr(select, "poll"):  # Windows
        return False
    asked = select.poll()
    asked.register(stream.fileno(), 0)
    return bool(asked.poll(0))


@contextlib.contextmanager
def _shown(session: Session, beginning: str) -> Iterator[Show]:
    if not (sys.stdout.isatty() and session.prints_results):
        yield _Changes(session).show
        return
    table: list[str] = [one_line(beginning)]
    is_seen = False
    display = Display(sys.stdout.fileno(), lambda _: list(table), is_colored=session.color is not False)

    def show(seen: StackStatus) -> None:
        nonlocal is_seen
        table[:], is_seen = status_text.lines(seen), True

    display.start(0)
    try:
        yield show
    finally:
        display.close()
        for line in table if is_seen else ():
            session.print(line)


class _Changes:
    """Prints what has changed since the look before."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, ComponentStatus] = {}

    def show(self, seen: StackStatus) -> None:
        changed = [component for component in seen.components if self._known.get(component.name) != component]
        for component in changed:
            reasons = f": {one_line('; '.join(component.messages))}" if component.messages else ""
            self._session.print(f"{component.name} {component.sync}, {component.condition}{reasons}")
        if changed:
            self._session.print(status_text.summary(seen))
        self._known = {component.name: component for component in seen.components}
