"""What is locked, and how it compares with the sources: as lines, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cluster_forge.cli.output.error_text import error_json
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.names import counted
from cluster_forge.stages.supply.lock_check import CheckedSource, SourceState
from cluster_forge.stages.supply.locked_stack import UsedSource

_DIGEST: Final = 12
"""Hexadecimal digits that are shown."""


def lines(sources: Sequence[UsedSource]) -> Iterator[str]:
    """A line for each source of each component: component, version, digest, address."""
    rows = sorted((name, source.locked) for source in sources for name in source.users)
    names = max((len(name) for name, _ in rows), default=0)
    versions = max((len(one_line(locked.version)) for _, locked in rows), default=0)
    for name, locked in rows:
        asked = f" ({one_line(locked.asked)})" if locked.asked not in ("", locked.version) else ""
        version = f"{one_line(locked.version) or '-':<{versions}}"
        yield f"{name:<{names}}  {version}  {locked.digest.hex[:_DIGEST]}  {one_line(locked.address)}{asked}"


def source_json(source: UsedSource) -> dict[str, Any]:
    locked = source.locked
    return {
        "components": source.users,
        "address": locked.address,
        "asked": locked.asked,
        "version": locked.version,
        "digest": str(locked.digest),
    }


def checked_json(checked: CheckedSource) -> dict[str, Any]:
    errors = [error_json(error) for error in checked.errors]
    return {**source_json(checked.source), "state": checked.state, "errors": errors}


def summary(checked: Sequence[CheckedSource]) -> str:
    """``27 of 29 sources are as locked, 1 is different, 1 is unknown``."""
    states = Counter(source.state for source in checked)
    others = [f"{states[state]} {state}" for state in (SourceState.DIFFERENT, SourceState.UNKNOWN) if states[state]]
    return ", ".join((f"{states[SourceState.SAME]} of {counted(len(checked), 'source')} as locked", *others))
