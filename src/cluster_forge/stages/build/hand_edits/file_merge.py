"""One file of `working/` with a hand edit: what it was made from, what is made now, and what the user wrote, as one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NOT_THERE: Final = "(not there)"
"""A value in a conflict that one of the versions does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The contents of a file; None: it is not there.

    ``is_base_lost``: smelt wrote the file, but what it wrote is not known.

    ``has_component``: the stack still has the component whose folder it is in.
    """

    path: str
    base: bytes | None
    theirs: bytes | None
    mine: bytes | None
    is_base_lost: bool = False
    has_component: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """What an edit and smelt changed differently: a field of the object with its three values as they may be shown, or the
    whole file (``field`` is empty, and ``reason`` says why). ``is_final``: it can only be decided against the edit.
    """

    path: str
    reason: str = ""
    field: str = ""
    base: str = NOT_THERE
    theirs: str = NOT_THERE
    mine: str = NOT_THERE
    is_final: bool = False


Decide = Callable[[Conflict], bool | None]
"""Whether a conflict is decided for the edit, or against it; None: it stays."""


def undecided(_: Conflict) -> None:
    """Leave every conflict: nothing is written then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMerge:
    """The content of the file, None where it is to be missing, and what became of the edit.

    ``is_merged``: it has changes of smelt, too. ``taken`` are the fields that smelt makes as the edit has them; ``is_obsolete``: that is all of it. ``is_lost``: the
    content does not have everything that the edit had.
    """

    content: bytes | None
    is_merged: bool = False
    taken: tuple[str, ...] = ()
    is_obsolete: bool = False
    is_lost: bool = False
    conflicts: tuple[Conflict, ...] = ()


MergeObjects = Callable[[Versions, Decide], FileMerge]
"""Merges three versions that are all there and all different, as objects."""


def merge(versions: Versions, decide: Decide, merge_objects: MergeObjects) -> FileMerge:
    """The file with its edit; a deleted file stays deleted, whatever smelt makes of it now."""
    base, theirs, mine = versions.base, versions.theirs, versions.mine
    if mine == theirs:
        return FileMerge(content=theirs, is_obsolete=True)
    if not versions.has_component:
        return without_component(versions, decide)
    if mine is None or (base == theirs and not versions.is_base_lost):
        return FileMerge(content=mine)
    if versions.is_base_lost:
        return whole(
            versions, decide, "what smelt wrote last is not known any more, so the edit cannot be separated from it"
        )
    if theirs is None:
        return whole(versions, decide, "the object was edited, and is not made any more")
    return merge_objects(versions, decide)


def without_component(versions: Versions, decide: Decide) -> FileMerge:
    """The file is given up, if that is decided: `cast` takes no folder of a component that is not in the stack."""
    conflict = Conflict(path=versions.path, reason="its component is not in the stack any more", is_final=True)
    if decide(conflict) is False:
        return FileMerge(content=None, is_lost=True)
    return FileMerge(content=versions.mine, conflicts=(conflict,))


def whole(versions: Versions, decide: Decide, reason: str) -> FileMerge:
    """The file as the user has it or as it is made now, if that is decided."""
    conflict = Conflict(path=versions.path, reason=reason)
    decided = decide(conflict)
    if decided is None:
        return FileMerge(content=versions.mine, conflicts=(conflict,))
    return FileMerge(content=versions.mine) if decided else FileMerge(content=versions.theirs, is_lost=True)
