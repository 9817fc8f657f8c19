"""Where bytes are kept: the content-addressed store, and the cache of what was derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cluster_forge.foundation.digest import Digest


class Store(Protocol):
    """Content-addressed bytes. Safe for several processes at once; what it returns always matches the digest."""

    def get(self, digest: Digest) -> bytes | None:
        """The bytes, or None when they are not there. A corrupt entry is thrown away and counts as not there.

        Raises:
            StoreError: if the store cannot be read.
        """

    def put(self, content: bytes) -> Digest:
        """Keep ``content``: written aside, fsynced, renamed.

        Raises:
            StoreError: if the store cannot be written.
        """


class Cache(Protocol):
    """What was made of content-addressed input, by a key over all of it. Safe for several processes at once.

    Nothing depends on it: an entry that is not there, damaged, or cannot be written costs time only.
    """

    def get(self, kind: str, key: Digest) -> bytes | None:
        """What was put there; None where nothing is, or where it is not whole. ``kind`` is a word: ``objects``."""

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        """Keep ``content`` for whoever has the same key, if that can be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKind:
    """One kind of entries of a store and its cache; ``size`` in bytes, ``oldest`` in seconds since the least recent use."""

    kind: str
    entries: int
    size: int
    oldest: float
