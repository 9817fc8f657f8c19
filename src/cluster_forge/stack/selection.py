"""What of a description is meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Names, files with names, what to leave out, and the environment; empty for all of it."""

    names: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    environment: str | None = None
