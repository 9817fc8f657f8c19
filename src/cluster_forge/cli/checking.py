"""The objects of the whole stack for a closer look than that of `check`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cluster_forge.checks.checked_stack import CheckedStack
    from cluster_forge.cli.session import Session
    from cluster_forge.composition import Services
    from cluster_forge.foundation.names import ComponentName
    from cluster_forge.stack.selection import Selection
    from cluster_forge.stages.check.check_request import CheckRequest
    from cluster_forge.stages.describe.load_description import Description


def request(session: Session, services: Services, description: Description, *, is_deep: bool = False) -> CheckRequest:
    """What a session asks the stage `check` for. ``is_deep``: the charts are rendered again, too."""
    from cluster_forge.stages.build import locking
    from cluster_forge.stages.check.check_request import CheckRequest

    return CheckRequest(
        stack=description.stack,
        sources=locking.look_up(description.stack.components, description.lock, services.sources),
        lock=description.lock,
        notices=description.notices,
        allow=frozenset(session.findings.allow),
        ignore_cache=session.rendering.no_cache,
        command=session.selecting_command,
        value_places=_value_places(session) if is_deep else None,
    )


def _value_places(session: Session) -> Callable[[ComponentName], Mapping[tuple[str, ...], str]]:
    from cluster_forge.cli import description

    of_all = replace(session, selection=_all(session))
    return description.value_places(of_all, description.parsed(of_all))


def _all(session: Session) -> Selection:
    """The selection of the whole stack, in the session's environment, without what the session skips."""
    return replace(session.selection, names=(), select=())


def whole(session: Session, services: Services) -> Description:
    """The description of the whole stack, whichever part of it the session names; what it skips is not there."""
    from cluster_forge.cli.description import load

    return load(services, _all(session))


def names(session: Session, services: Services) -> frozenset[ComponentName] | None:
    """The components that the session names; None if it names none."""
    from cluster_forge.cli.description import load

    selection = session.selection
    if not (selection.names or selection.select):
        return None
    return frozenset(component.name for component in load(services, selection).stack.components)


def objects(session: Session, services: Services) -> CheckedStack:
    """The objects that cast would take, hand edits included; where `working/` is out of date, those that smelt would write.

    Raises:
        ForgeError, ExceptionGroup: what keeps the stack from being rendered and put together.
    """
    from cluster_forge.stages.check import check_stack

    description = whole(session, services)
    with session.reporting("render", check_stack.STAGE) as reporter:
        return check_stack.objects(request(session, services, description), services.toolbox, reporter)
