"""What `doctor` says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it is with a thing that is looked at."""

    GOOD = "ok"
    ABSENT = "absent"
    """It is not there, and nothing needs it."""
    DOUBTFUL = "warning"
    MISSING = "missing"
    """Something needs it, and it is not there or not as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A thing, how it is, and how to mend it."""

    name: str
    state: State
    detail: str
    where: str = ""
    fix: str = ""
