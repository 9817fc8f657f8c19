"""JSON Pointers (RFC 6901): a place in an object as text, ``/spec/containers/0/image``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from cluster_forge.foundation.names import nearest
from cluster_forge.patches.sameness import ABSENT

END: Final = "-"
"""In the place of an index: after the last entry of a list."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_BAD_ESCAPE: Final = re.compile(r"~(?![01])")


def tokens(pointer: str) -> tuple[str, ...]:
    """The steps of a pointer; none for the whole document.

    Raises:
        ValueError: if it is not a JSON Pointer.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"`{pointer}` does not begin with `/`")
    if _BAD_ESCAPE.search(pointer):
        raise ValueError(f"`{pointer}` has a `~` that is neither `~0` (for ~) nor `~1` (for /)")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def text(steps: Iterable[str | int]) -> str:
    """The steps as a pointer."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def index(step: str) -> int | None:
    """The place in a list that a step means; None if it is none."""
    return int(step) if _INDEX.fullmatch(step) else None


def below(value: Any, step: str) -> Any:
    """What is at a step below a value; `ABSENT` if there is nothing."""
    if isinstance(value, dict):
        return value.get(step, ABSENT)
    place = index(step) if isinstance(value, list) else None
    return value[place] if place is not None and place < len(value) else ABSENT


def found(document: Any, steps: Iterable[str]) -> Any:
    """What is at a place; `ABSENT` if there is nothing."""
    value = document
    for step in steps:
        value = below(value, step)
    return value


def nearest_place(document: Any, steps: Sequence[str]) -> str:
    """The pointer most like one at which nothing is: its last part corrected, or as far as it goes; empty at the root."""
    value = document
    for place, step in enumerate(steps):
        further = below(value, step)
        if further is ABSENT:
            similar = nearest(step, list(value)) if isinstance(value, dict) else None
            return text((*steps[:place], similar) if similar else steps[:place])
        value = further
    return text(steps)
