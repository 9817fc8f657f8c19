"""Loads the description and the lock, from the cache if none of their files has changed.

Reading them takes longer than everything else that a smelt without changes does. A description with something secret in it is
read every time: the cache may be in a store that others share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cluster_forge.foundation import build, json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.storage import Cache, Store
from cluster_forge.stack.input_record import DESCRIPTION, InputRecord, InputSource
from cluster_forge.stack.lock import FILE, Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stack.selection import Selection
from cluster_forge.stages import cached_values

_DESCRIPTIONS, _LOCKS = "described", "locks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The stack, the findings of reading it, the lock, and the digest of every file of the description."""

    stack: Stack
    notices: tuple[Finding, ...]
    lock: Lock
    digests: Mapping[str, Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cached:
    """The result of an earlier reading, and the files that it depends on."""

    stack: Stack
    notices: tuple[Finding, ...]
    inputs: InputRecord


def load_description(source: InputSource, selection: Selection, cache: Cache, store: Store) -> Description:
    """The description and the lock.

    Raises:
        DescriptionError, UnknownNameError, OrderError, LockError, ExceptionGroup: all errors in them.
    """
    lock = load_lock(source, cache)
    if lock.catalogs:
        from cluster_forge.stages.describe.locked_catalogs import LockedCatalogs  # noqa: PLC0415 - most have none

        source = LockedCatalogs(source, lock, store)
    key = build.key(_DESCRIPTIONS, json_codec.dump(selection), source.read(DESCRIPTION) or b"")
    cached = cached_values.get(cache, _DESCRIPTIONS, key, _Cached)
    if cached is None or not cached.inputs.is_current(source):
        from cluster_forge.stages.describe import secret_values  # noqa: PLC0415 - only where something is kept

        cached = _read(source, selection)
        if not secret_values.are_in(cached.stack):
            cached_values.put(cache, _DESCRIPTIONS, key, cached)
    return Description(stack=cached.stack, notices=cached.notices, lock=lock, digests=cached.inputs.digests)


def _read(source: InputSource, selection: Selection) -> _Cached:
    from cluster_forge.stages.describe import read_description  # noqa: PLC0415 - yaml and pydantic, 0.2 s

    parsed = read_description.read_description(source, selection)
    return _Cached(stack=parsed.stack, notices=read_description.findings(parsed), inputs=parsed.inputs)


def load_lock(source: InputSource, cache: Cache) -> Lock:
    """The lock; an empty one where there is none.

    Raises:
        LockError, ExceptionGroup: all errors in it.
    """
    content = source.read(FILE)
    if content is None:
        return Lock()
    key = build.key(_LOCKS, content)
    cached = cached_values.get(cache, _LOCKS, key, Lock)
    if cached is None:
        from cluster_forge.stack import lock_file  # noqa: PLC0415 - yaml, 0.05 s

        cached = lock_file.parse(content.decode(errors="replace"))
        cached_values.put(cache, _LOCKS, key, cached)
    return cached
