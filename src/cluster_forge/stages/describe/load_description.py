"""The description and the lock as values, kept from run to run.

To read them anew takes longer than all the rest that a smelt without changes has to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cluster_forge.foundation import build, json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.storage import Cache
from cluster_forge.stack import lock
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stack.selection import Selection

DESCRIPTION = "input/config.yaml"
_DESCRIBED, _LOCKS = "described", "locks"
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The stack, what the reading noticed, and the lock; ``read`` has every file of the description, and its digest."""

    stack: Stack
    notices: tuple[Finding, ...]
    lock: Lock
    read: Mapping[str, Digest]


class Files(Protocol):
    """What a description is read from."""

    def read(self, path: str) -> bytes | None:
        """A file relative to the workspace, or None when it is not there."""

    def list_files(self, path: str) -> Sequence[str] | None:
        """Every file below a folder (a file gives itself); None if there is no such path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What a reading came to, and what it looked at: each file's digest, and that of the list of each folder's files."""

    stack: Stack
    notices: tuple[Finding, ...]
    files: Mapping[str, Digest | None]
    folders: Mapping[str, Digest | None]

    def is_current(self, files: Files) -> bool:
        """Whether a reading would look at the same today."""
        return all(_content(files.read(path)) == found for path, found in self.files.items()) and all(
            _names(files.list_files(path)) == found for path, found in self.folders.items()
        )


class _Followed:
    """`Files` that remembers what was looked at."""

    def __init__(self, inner: Files) -> None:
        self._inner = inner
        self.files: dict[str, Digest | None] = {}
        self.folders: dict[str, Digest | None] = {}

    def read(self, path: str) -> bytes | None:
        found = self._inner.read(path)
        self.files[path] = _content(found)
        return found

    def list_files(self, path: str) -> Sequence[str] | None:
        found = self._inner.list_files(path)
        self.folders[path] = _names(found)
        return found


def load_description(files: Files, selection: Selection, cache: Cache) -> Description:
    """Read the description and the lock.

    Raises:
        DescriptionError, UnknownNameError, OrderError, LockError, ExceptionGroup: everything that is wrong in them.
    """
    kept = _read(files, selection, cache)
    return Description(
        stack=kept.stack,
        notices=kept.notices,
        lock=_locked(files, cache),
        read={path: digest for path, digest in kept.files.items() if digest},
    )


def _read(files: Files, selection: Selection, cache: Cache) -> _Kept:
    """The description, or what an earlier reading came to that looked at nothing but what is there today."""
    key = build.key(_DESCRIBED, json_codec.dump(selection), files.read(DESCRIPTION) or b"")
    kept = _get(cache, _DESCRIBED, key, _Kept)
    if kept is None or not kept.is_current(files):
        from cluster_forge.stages.describe import description_reader  # noqa: PLC0415 - yaml and pydantic: 0.2 s, for a reader only

        followed = _Followed(files)
        stack, notices = description_reader.stack(followed.read, followed.list_files, selection)
        kept = _Kept(stack=stack, notices=notices, files=followed.files, folders=followed.folders)
        _put(cache, _DESCRIBED, key, kept)
    return kept


def _locked(files: Files, cache: Cache) -> Lock:
    content = files.read(lock.FILE)
    if content is None:
        return Lock()
    key = build.key(_LOCKS, content)
    kept = _get(cache, _LOCKS, key, Lock)
    if kept is None:
        from cluster_forge.stack import lock_file  # noqa: PLC0415 - yaml

        kept = lock_file.parse(content.decode(errors="replace"))
        _put(cache, _LOCKS, key, kept)
    return kept


def _content(found: bytes | None) -> Digest | None:
    return None if found is None else Digest.of(found)


def _names(found: Sequence[str] | None) -> Digest | None:
    return None if found is None else Digest.of("\n".join(found).encode())


def _get(cache: Cache, what: str, key: Digest, kind: type[Kind]) -> Kind | None:
    content = cache.get(what, key)
    return None if content is None else json_codec.load(kind, content)


def _put(cache: Cache, what: str, key: Digest, value: object) -> None:
    """Keep a value, unless JSON has no place for all of it, like an infinite number."""
    with contextlib.suppress(TypeError, json_codec.DecodeError):
        content = json_codec.dump(value)
        if json_codec.load(type(value), content) == value:
            cache.put(what, key, content)
