"""The store that the corpus tests of all processes share, also from one run to the next: ``build/test-cache/<key>``.

A chart that one test rendered is not rendered again by another one, nor by the next run of the same code. The store is
safe for several processes; every key in it names the build. Tests of caching have stores of their own.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.ports.storage import Cache

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "build" / "test-cache"
KEPT = 3
"""Stores that are kept: of the present build, and of the ones before it."""


def path() -> Path:
    """The store for this build, these versions of all packages, and this Python."""
    pinned = (PROJECT / "requirements" / "dev.txt").read_bytes()
    digest = hashlib.sha256(f"{build.identity()}\n{sys.version}\n".encode() + pinned)
    return FOLDER / digest.hexdigest()[:16]


def root() -> Path:
    """The store's own folder, as `--store` names it. `path` is what ``XDG_CACHE_HOME`` would be."""
    return path() / "cluster-forge"


def prepare() -> None:
    """Make the store, and remove all but the newest ones. Only one process of a run may do so, before the others start."""
    present = path()
    present.mkdir(parents=True, exist_ok=True)
    present.touch()
    by_age = sorted(FOLDER.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in by_age[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


class SingleUseCache:
    """`ports.Cache` that gives each entry once, and counts it as missing from then on.

    The trials of the catalog's components ask twice only to see whether a chart draws anything at random: the second time
    it has to be rendered.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._given: set[tuple[str, Digest]] = set()

    def get(self, kind: str, key: Digest) -> bytes | None:
        if (kind, key) in self._given:
            return None
        self._given.add((kind, key))
        return self._cache.get(kind, key)

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        self._cache.put(kind, key, content)
