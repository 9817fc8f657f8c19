"""The environment and the selection of a stack: in the name of its folder, and in words (ADR 0022)."""

from __future__ import annotations

from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import counted
from cluster_forge.stack.model import Stack

_LONGEST: Final = 60
"""Characters of the component names in a folder's name."""
_MOST_NAMED: Final = 5


def folder(stack: Stack) -> str:
    """The name of the stack's folder: ``platform``, ``platform.production``, ``platform.production+grafana+loki``.

    Neither sign is in the name of a stack, an environment or a component. Where the names of the selected components are
    long, their number and a digest stand for them: ``platform+57of58.3fa9c1d2``.
    """
    environment = f".{stack.environment}" if stack.environment else ""
    return f"{stack.name}{environment}{_selected(stack)}"


def stack_of(folder: str) -> str:
    """The name of the stack that a folder is of."""
    return folder.partition("+")[0].partition(".")[0]


def environment_of(folder: str) -> str:
    """The environment that a folder is of; empty for none."""
    return folder.partition("+")[0].partition(".")[2]


def options(folder: str) -> tuple[str, ...] | None:
    """The names and options that select what is in a folder; None where a digest stands for the names."""
    _, *names = folder.split("+")
    if any("." in name for name in names):
        return None
    environment = environment_of(folder)
    return (*names, *(("--environment", environment) if environment else ()))


def about(stack: Stack) -> str:
    """What differs from the whole description: ``environment production, 2 of 58 components (grafana, loki)``."""
    environment = [f"environment {stack.environment}"] if stack.environment else []
    return ", ".join((*environment, *([selection(stack)] if stack.is_narrowed else [])))


def selection(stack: Stack) -> str:
    """The selection: ``2 of 58 components (grafana, loki)``; empty for the whole stack."""
    if not stack.is_narrowed:
        return ""
    names = [component.name for component in stack.components]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{len(names)} of {counted(len(names) + len(stack.left_out), 'component')} ({shown}{more})"


def _selected(stack: Stack) -> str:
    if not stack.is_narrowed:
        return ""
    names = sorted(component.name for component in stack.components)
    joined = "+".join(names)
    if len(joined) <= _LONGEST:
        return f"+{joined}"
    digest = Digest.of("\n".join(names).encode()).hex[:8]
    return f"+{len(names)}of{len(names) + len(stack.left_out)}.{digest}"
