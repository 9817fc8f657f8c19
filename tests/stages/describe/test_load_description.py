"""The description and the lock are cached, and read again when one of their files has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_forge.adapters.storage.cache import FolderCache, NoCache
from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, LockError, UnknownNameError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack import lock_file
from cluster_forge.stack.lock import Lock, LockedComponent, LockedSource
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.describe import load_description as loading
from cluster_forge.stages.describe import read_description
from cluster_forge.stages.describe.load_description import Description

if TYPE_CHECKING:
    from cluster_forge.ports.storage import Cache
    from cluster_forge.stack.input_record import InputSource
    from cluster_forge.stack.parse import ParsedDescription

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
extends: [base.yaml]
components:
  - name: web
    needs: [store]
    helm: {chart: ./web}
    valuesFiles: [web.yaml]
    values: {replicas: 2, limit: 9007199254740993, big: 1e300, none: null, list: [1, a]}
  - name: store
    manifests: [store]
"""
LOCKED = Lock().having(
    [
        LockedComponent(
            name=ComponentName("web"),
            sources=(LockedSource(address="./web", asked="1", version="1.2", digest=Digest.of(b"")),),
            rendered=Digest.of(b"x"),
            required_apis=("policy/v1",),
        )
    ]
)


class Folder:
    """Files by path; counts how often a file is read."""

    def __init__(self) -> None:
        self.files = {
            "input/config.yaml": DESCRIPTION,
            "input/base.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\ntarget: {kubernetes: '1.30', size: medium}\n",
            "input/web.yaml": "image: web\n",
            "input/web/Chart.yaml": "name: web\nversion: 1.0.0\n",
            "input/store/a.yaml": "{}",
            "cluster-forge.lock": lock_file.emit(LOCKED),
        }
        self.reads: Counter[str] = Counter()

    def read(self, path: str) -> bytes | None:
        self.reads[path] += 1
        content = self.files.get(path)
        return None if content is None else content.encode()

    def list_files(self, path: str) -> Sequence[str] | None:
        return sorted(name for name in self.files if name.startswith(f"{path}/")) or None


def load_description(folder: InputSource, selection: Selection, cache: Cache) -> Description:
    """The description and the lock, without a store: there are no catalogs in Git."""
    return loading.load_description(folder, selection, cache, FolderStore(Path("/nonexistent")))


@pytest.fixture
def folder() -> Folder:
    return Folder()


@pytest.fixture
def cache(tmp_path: Path) -> FolderCache:
    return FolderCache(tmp_path)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Selection]:
    """The selections with which the description was read, not taken from the cache."""
    readings: list[Selection] = []
    inner = read_description.read_description

    def read(source: InputSource, selection: Selection) -> ParsedDescription:
        readings.append(selection)
        return inner(source, selection)

    monkeypatch.setattr(read_description, "read_description", read)
    return readings


def uncached(folder: Folder, selection: Selection | None = None) -> Description:
    return load_description(folder, selection or Selection(), NoCache())


class TestCache:
    def test_the_second_result_is_equal_and_from_the_cache(
        self, folder: Folder, cache: Cache, readings: list[Selection]
    ) -> None:
        first = load_description(folder, Selection(), cache)
        assert load_description(folder, Selection(), cache) == first == uncached(folder)
        assert len(readings) == 2  # the first, and the one without a cache
        assert first.lock == LOCKED
        assert set(first.digests) == {"input/config.yaml", "input/base.yaml", "input/web.yaml"}
        assert first.stack.component("web").values["limit"] == 9007199254740993

    def test_notices_are_cached(self, folder: Folder, cache: Cache) -> None:
        selection = Selection(skip=("store",))
        first = load_description(folder, selection, cache)
        assert [notice.code for notice in first.notices] == ["left-out", "left-out"]
        assert load_description(folder, selection, cache).notices == first.notices

    @pytest.mark.parametrize(
        "change",
        [
            lambda files: files.update({"input/config.yaml": DESCRIPTION.replace("replicas: 2", "replicas: 3")}),
            lambda files: files.update(
                {"input/base.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\ntarget: {size: large}\n"}
            ),
            lambda files: files.update({"input/web.yaml": "image: other\n"}),
            lambda files: files.update({"cluster-forge.lock": lock_file.emit(Lock())}),
            lambda files: files.pop("cluster-forge.lock"),
        ],
    )
    def test_a_changed_file_is_read_again(
        self, folder: Folder, cache: Cache, change: Callable[[dict[str, str]], object]
    ) -> None:
        before = load_description(folder, Selection(), cache)
        change(folder.files)
        after = load_description(folder, Selection(), cache)
        assert after != before
        assert after == uncached(folder)

    @pytest.mark.parametrize(
        "missing", ["input/base.yaml", "input/web.yaml", "input/web/Chart.yaml", "input/store/a.yaml"]
    )
    def test_a_missing_file_is_an_error(self, folder: Folder, cache: Cache, missing: str) -> None:
        load_description(folder, Selection(), cache)
        del folder.files[missing]
        with pytest.raises(DescriptionError):
            load_description(folder, Selection(), cache)

    def test_another_selection_has_its_own_cache_entry(self, folder: Folder, cache: Cache) -> None:
        load_description(folder, Selection(), cache)
        only = load_description(folder, Selection(names=("store",)), cache)
        assert [component.name for component in only.stack.components] == ["store"]
        with pytest.raises(UnknownNameError):
            load_description(folder, Selection(names=("stor",)), cache)

    def test_errors_are_raised_every_time(self, folder: Folder, cache: Cache) -> None:
        folder.files["cluster-forge.lock"] = "version: 7\n"
        for _ in range(2):
            with pytest.raises(LockError):
                load_description(folder, Selection(), cache)

    @pytest.mark.parametrize(
        "change",
        [
            ("input/web.yaml", "image: web", "adminPassword: canary"),
            ("input/config.yaml", "manifests: [store]", "manifests: ['https://me:canary@a.example/x.yaml']"),
            ("input/config.yaml", "manifests: [store]", "manifests: ['https://a.example/x.yaml?sig=canary']"),
            (
                "input/config.yaml",
                "helm: {chart: ./web}",
                "helm: {chart: web, repository: 'https://:canary@a.example'}",
            ),
        ],
    )
    def test_descriptions_with_secrets_are_not_kept(
        self, folder: Folder, cache: Cache, tmp_path: Path, change: tuple[str, str, str]
    ) -> None:
        path, old, new = change
        assert old in folder.files[path]
        folder.files[path] = folder.files[path].replace(old, new)
        for _ in range(2):
            assert load_description(folder, Selection(), cache) == uncached(folder)
        assert not [entry for entry in tmp_path.rglob("*") if entry.is_file() and b"canary" in entry.read_bytes()]
        folder.files[path] = folder.files[path].replace(new, old)
        load_description(folder, Selection(), cache)
        assert list((tmp_path / "made" / "described").iterdir())

    @pytest.mark.parametrize(
        "value", ["123456789012345678901234567890", "-9223372036854775808", "1e-7", "{1: a, y: b}"]
    )
    def test_cached_values_are_equal_to_those_that_were_read(self, folder: Folder, cache: Cache, value: str) -> None:
        folder.files["input/web.yaml"] = f"kept: {value}\n"
        for _ in range(2):
            assert repr(load_description(folder, Selection(), cache).stack) == repr(uncached(folder).stack)

    def test_two_workspaces_with_the_same_description_are_kept_apart(self, folder: Folder, cache: Cache) -> None:
        other = Folder()
        other.files["input/web.yaml"] = "image: another\n"
        for workspace in (folder, other, folder, other):
            assert load_description(workspace, Selection(), cache) == uncached(workspace)


def test_a_cached_description_reads_every_file_once(folder: Folder, cache: Cache) -> None:
    load_description(folder, Selection(), cache)
    folder.reads.clear()
    load_description(folder, Selection(), cache)
    assert folder.reads == Counter(
        {"input/config.yaml": 2, "input/base.yaml": 1, "input/web.yaml": 1, "cluster-forge.lock": 1}
    )


def test_a_changed_lock_does_not_change_the_stack(folder: Folder, cache: Cache, readings: list[Selection]) -> None:
    before = load_description(folder, Selection(), cache)
    folder.files["cluster-forge.lock"] = lock_file.emit(Lock())
    assert load_description(folder, Selection(), cache) == replace(before, lock=Lock())
    assert len(readings) == 1
