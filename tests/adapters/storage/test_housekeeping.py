"""What a store holds, and removing the entries that were not used for some time."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest

from cluster_forge.adapters.storage import housekeeping
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StoreError
from cluster_forge.ports.storage import StoredKind

DAY = 86400.0
KEY = Digest.of(b"key")


def filled(root: Path) -> dict[str, Path]:
    """A store with one old and one new source, and an old entry of the cache."""
    store, cache = FolderStore(root), FolderCache(root)
    paths = {}
    for content in (b"old", b"new"):
        digest = store.put(content)
        paths[content.decode()] = root / "sha256" / digest.hex[:2] / digest.hex
    cache.put("objects", KEY, b"rendered")
    (paths["objects"],) = (root / "made/objects").glob("*/*")
    past = time.time() - 10 * DAY
    for name in ("old", "objects"):
        os.utime(paths[name], (past, past))
    return paths


def counts(kinds: tuple[StoredKind, ...]) -> dict[str, tuple[int, int]]:
    return {kind.kind: (kind.entries, kind.size) for kind in kinds}


def test_missing_store_has_no_entries(tmp_path: Path) -> None:
    assert counts(housekeeping.stored_kinds(tmp_path / "none")) == {"sources": (0, 0)}
    assert counts(housekeeping.clean(tmp_path / "none", 0, sources=True)) == {"sources": (0, 0)}


def test_kinds_are_counted(tmp_path: Path) -> None:
    filled(tmp_path)
    kinds = housekeeping.stored_kinds(tmp_path)
    assert counts(kinds) == {"sources": (2, 6), "objects": (1, 32 + len(b"rendered"))}
    assert kinds[0].oldest == pytest.approx(10 * DAY, abs=60)


@pytest.mark.parametrize(
    ("days", "sources", "removed"),
    [(30, True, set()), (5, False, {"objects"}), (5, True, {"objects", "old"}), (0, True, {"objects", "old", "new"})],
)
def test_unused_entries_are_removed(tmp_path: Path, days: float, sources: bool, removed: set[str]) -> None:
    paths = filled(tmp_path)
    kinds = housekeeping.clean(tmp_path, days * DAY, sources=sources)
    assert {name for name, path in paths.items() if not path.exists()} == removed
    assert sum(kind.entries for kind in kinds) == len(removed)


def test_unreadable_store_is_reported(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("a file")
    with pytest.raises(StoreError, match="the store cannot be read: Not a directory") as raised:
        housekeeping.stored_kinds(tmp_path)
    assert raised.value.fix
    with pytest.raises(StoreError, match="the store cannot be cleaned"):
        housekeeping.clean(tmp_path, 0, sources=True)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Another user of a shared store may have put them there."""
    home, store = tmp_path / "home", tmp_path / "store"
    for name in ("sha256/ab", "made/objects/ab", "objects/ab"):
        (home / name).mkdir(parents=True)
        (home / name / "own").write_text("of the user")
    before = sorted(path for path in home.rglob("*"))
    for link, target in (
        ("sha256", "sha256"),
        ("made", "made"),
        ("made/objects", "objects"),
        ("made/objects/ab", "objects/ab"),
        ("unfinished", "objects/ab"),
    ):
        (store / link).parent.mkdir(parents=True)
        (store / link).symlink_to(home / target)
        assert sum(kind.entries for kind in housekeeping.stored_kinds(store)) <= 1
        housekeeping.clean(store, 0, sources=True)
        FolderCache(store).put("objects", KEY, b"rendered")
        with contextlib.suppress(StoreError):
            FolderStore(store).put(b"source")
        assert sorted(path for path in home.rglob("*")) == before, link
        shutil.rmtree(store)
