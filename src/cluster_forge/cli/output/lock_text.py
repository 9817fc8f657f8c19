"""What is locked, and how it compares with the sources: as lines, and as JSON."""

from __future__ import annotations

import re
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
    rows = sorted((name, _short(source.locked.version), source.locked) for source in sources for name in source.users)
    names = max((len(name) for name, _, _ in rows), default=0)
    versions = max((len(version) for _, version, _ in rows), default=0)
    for name, version, locked in rows:
        asked = f" ({one_line(locked.asked)})" if locked.asked not in ("", locked.version) else ""
        digest = locked.digest.hex[:_DIGEST]
        yield f"{name:<{names}}  {version:<{versions}}  {digest}  {one_line(locked.address)}{asked}"


def _short(version: str) -> str:
    """A commit and a digest by their first digits."""
    return re.sub(rf"([0-9a-f]{{{_DIGEST}}})[0-9a-f]{{28,}}", r"\1", one_line(version)) or "-"


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
