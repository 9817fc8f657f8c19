"""Where bytes are stored: the content-addressed store, and the cache of what was computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cluster_forge.foundation.digest import Digest


class Store(Protocol):
    """Content-addressed bytes. Safe for several processes at once; what it returns always matches the digest."""

    def get(self, digest: Digest) -> bytes | None:
        """The bytes, or None if the store does not have them. A corrupt entry is deleted and counts as missing.

        Raises:
            StoreError: if the store cannot be read.
        """

    def put(self, content: bytes) -> Digest:
        """Store ``content`` atomically and durably.

        Raises:
            StoreError: if the store cannot be written.
        """


class Cache(Protocol):
    """Results by a key over everything that they depend on. Safe for several processes at once.

    No result depends on the cache: an entry that is missing, damaged or cannot be written only costs time.
    """

    def get(self, kind: str, key: Digest) -> bytes | None:
        """The entry, or None if it is missing or damaged. ``kind`` is a word: ``objects``."""

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        """Store ``content`` for the next run with the same key, if possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKind:
    """One kind of entries of a store and its cache; ``size`` in bytes, ``oldest`` in seconds since the least recent use."""

    kind: str
    entries: int
    size: int
    oldest: float
