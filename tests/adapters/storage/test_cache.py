"""The cache: an entry is whole or missing, used for its own key only, and never an obstacle."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.adapters.storage.cache import FolderCache, NoCache
from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob, RenderRequest
from cluster_forge.ports.storage import Cache
from cluster_forge.stack.model import KubernetesVersion

KEY, OTHER = Digest.of(b"key"), Digest.of(b"other")
CONTENT = b"rendered objects" * 100


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def entry(folder: Path) -> Path:
    (path,) = entries(folder)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> FolderCache:
    return FolderCache(tmp_path)


class TestFolderCache:
    @pytest.mark.parametrize("content", [b"", b"a", b"\0" * 1_000_000], ids=["empty", "small", "large"])
    def test_get_returns_the_content_that_was_put(self, cache: FolderCache, content: bytes) -> None:
        assert cache.get("objects", KEY) is None
        cache.put("objects", KEY, content)
        assert cache.get("objects", KEY) == content
        assert cache.get("objects", OTHER) is None
        assert cache.get("apis", KEY) is None

    @pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
    def test_entries_are_for_their_user_alone(self, cache: FolderCache, tmp_path: Path, umask: int) -> None:
        """They are made of values, which may hold passwords, and the store may be shared."""
        before = os.umask(umask)
        try:
            cache.put("objects", KEY, CONTENT)
        finally:
            os.umask(before)
        assert entry(tmp_path).stat().st_mode & 0o777 == 0o600

    def test_last_put_wins(self, cache: FolderCache, tmp_path: Path) -> None:
        for content in (b"a", CONTENT, b""):
            cache.put("objects", KEY, content)
            assert cache.get("objects", KEY) == content
        assert len(entries(tmp_path)) == 1

    def test_other_processes_see_the_entry(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        assert FolderCache(tmp_path).get("objects", KEY) == CONTENT

    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: b"",
            lambda content: content[:31],
            lambda content: content[:32],
            lambda content: content[:-1],
            lambda content: content + b"\0",
            lambda content: bytes([content[0] ^ 1]) + content[1:],
            lambda content: content[:-1] + bytes([content[-1] ^ 1]),
            lambda content: CONTENT,
            lambda content: b"\0" * len(content),
        ],
    )
    def test_damaged_entry_is_missing_and_is_replaced(
        self, cache: FolderCache, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        cache.put("objects", KEY, CONTENT)
        path = entry(tmp_path)
        path.write_bytes(damage(path.read_bytes()))
        assert cache.get("objects", KEY) is None
        assert not path.exists()
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) == CONTENT

    @given(at=st.integers(0, 32 + len(CONTENT) - 1), bits=st.integers(1, 255))
    def test_every_byte_is_sealed(self, tmp_path_factory: pytest.TempPathFactory, at: int, bits: int) -> None:
        folder = tmp_path_factory.mktemp("cache")
        cache = FolderCache(folder)
        cache.put("objects", KEY, CONTENT)
        path = entry(folder)
        content = bytearray(path.read_bytes())
        content[at] ^= bits
        path.write_bytes(content)
        assert cache.get("objects", KEY) is None

    def test_entry_of_another_key_or_kind_is_not_used(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        mine = entry(tmp_path)
        cache.put("objects", OTHER, b"other")
        (theirs,) = set(entries(tmp_path)) - {mine}
        theirs.write_bytes(mine.read_bytes())
        assert cache.get("objects", OTHER) is None
        assert cache.get("objects", KEY) == CONTENT
        cache.put("apis", KEY, b"apis")
        (apis,) = set(entries(tmp_path)) - {mine}
        apis.write_bytes(mine.read_bytes())
        assert cache.get("apis", KEY) is None

    def test_entry_of_another_user_is_not_believed(self, tmp_path: Path) -> None:
        """Whoever can write to a shared store, but does not know the secret: with the seal of earlier versions, and their own."""
        FolderCache(tmp_path, b"own").put("objects", KEY, CONTENT)
        own = entry(tmp_path)
        seals = [
            hashlib.sha256(f"objects {KEY}\n".encode() + b"forged").digest(),
            hmac.digest(b"other", f"objects {KEY}\n".encode() + b"forged", "sha256"),
            hmac.digest(b"", f"objects {KEY}\n".encode() + b"forged", "sha256"),
            bytes(32),
        ]
        for seal in seals:
            own.write_bytes(seal + b"forged")
            assert FolderCache(tmp_path, b"own").get("objects", KEY) is None
            assert not own.exists()
        plain = tmp_path / "made/objects" / KEY.hex[:2] / KEY.hex
        plain.parent.mkdir(parents=True)
        plain.write_bytes(seals[0] + b"forged")
        assert FolderCache(tmp_path, b"own").get("objects", KEY) is None

    def test_users_do_not_replace_entries_of_each_other(self, tmp_path: Path) -> None:
        one, other = FolderCache(tmp_path, b"one"), FolderCache(tmp_path, b"other")
        one.put("objects", KEY, b"one")
        assert other.get("objects", KEY) is None
        other.put("objects", KEY, b"other")
        assert (one.get("objects", KEY), other.get("objects", KEY)) == (b"one", b"other")

    def test_secret_is_that_of_the_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        FolderCache(tmp_path).put("objects", KEY, CONTENT)
        assert FolderCache(tmp_path).get("objects", KEY) == CONTENT
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state of another user"))
        assert FolderCache(tmp_path).get("objects", KEY) is None

    @pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a directory that even root cannot write")
    def test_without_a_secret_nothing_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", "/proc/none")
        cache = FolderCache(tmp_path)
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) is None
        assert entries(tmp_path) == []

    @pytest.mark.skipif(os.name != "posix", reason="only Unix has pipes in directories")
    def test_pipe_in_place_of_an_entry_does_not_block(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        path = entry(tmp_path)
        path.unlink()
        os.mkfifo(path)
        assert cache.get("objects", KEY) is None
        store = FolderStore(tmp_path)
        digest = store.put(CONTENT)
        source = tmp_path / "sha256" / digest.hex[:2] / digest.hex
        source.unlink()
        os.mkfifo(source)
        assert store.get(digest) is None

    def test_directory_in_place_of_an_entry_is_ignored(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        path = entry(tmp_path)
        path.unlink()
        path.mkdir()
        assert cache.get("objects", KEY) is None
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) is None
        assert entries(tmp_path) == []

    def test_file_in_place_of_the_directory_keeps_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "store").write_bytes(b"")
        cache = FolderCache(tmp_path / "store")
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) is None

    @pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a directory that even root cannot write")
    def test_unwritable_directory_keeps_nothing(self) -> None:
        cache = FolderCache(Path("/proc/no-store"))
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) is None

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_read_only_directory_is_read(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        for folder in (tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())):
            folder.chmod(0o555)
        cache.put("objects", OTHER, CONTENT)
        assert cache.get("objects", OTHER) is None
        assert cache.get("objects", KEY) == CONTENT
        for folder in (tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())):
            folder.chmod(0o755)

    def test_interrupted_write_keeps_no_partial_entry(self, tmp_path: Path) -> None:
        """A limit on file sizes stands in for a full disk: the write stops in the middle."""
        script = (
            "import resource, signal, sys, pathlib\n"
            "from cluster_forge.adapters.storage.cache import FolderCache\n"
            "from cluster_forge.foundation.digest import Digest\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
            "FolderCache(pathlib.Path(sys.argv[1])).put('objects', Digest.of(b'key'), b'x' * 100_000)\n"
        )
        subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
        assert entries(tmp_path) == []
        assert FolderCache(tmp_path).get("objects", KEY) is None

    def test_leftover_draft_is_not_used(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        path = entry(tmp_path)
        (tmp_path / "unfinished" / "1-a").write_bytes(path.read_bytes()[:50])
        path.unlink()
        assert cache.get("objects", KEY) is None

    def test_use_is_noted_for_store_clean(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        path = entry(tmp_path)
        long_ago = time.time() - 100_000
        os.utime(path, (long_ago, long_ago))
        assert cache.get("objects", KEY) == CONTENT
        assert path.stat().st_mtime > long_ago + 90_000
        recent = time.time() - 100
        os.utime(path, (recent, recent))
        assert cache.get("objects", KEY) == CONTENT
        assert path.stat().st_mtime == pytest.approx(recent)

    def test_processes_share_one_cache(self, tmp_path: Path) -> None:
        script = (
            "import pathlib, sys\n"
            "from cluster_forge.adapters.storage.cache import FolderCache\n"
            "from cluster_forge.foundation.digest import Digest\n"
            "cache = FolderCache(pathlib.Path(sys.argv[1]))\n"
            "for number in range(150):\n"
            "    key = Digest.of(str(number % 7).encode())\n"
            "    content = bytes([number % 7]) * 100_000\n"
            "    content_before = cache.get('objects', key)\n"
            "    assert content_before in (None, content)\n"
            "    cache.put('objects', key, content)\n"
            "    assert cache.get('objects', key) == content\n"
        )
        workers = [subprocess.Popen([sys.executable, "-c", script, tmp_path]) for _ in range(4)]
        assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
        assert len(entries(tmp_path)) == 7


def test_no_cache_keeps_nothing() -> None:
    cache: Cache = NoCache()
    cache.put("objects", KEY, CONTENT)
    assert cache.get("objects", KEY) is None


class Counting:
    """A `ports.Renderer` that counts its calls; each result says which call it is from."""

    def __init__(self, version: str = "engine 1") -> None:
        self.version = version
        self.renders = 0
        self.lookups = 0
        self.released = 0

    def render(self, job: RenderJob) -> RenderedBatch:
        self.renders += 1
        return RenderedBatch(content=f"render {self.renders}".encode())

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        self.lookups += 1
        return None if chart == b"unclear" else frozenset({"a/v1", "b/v1"})

    def release(self) -> None:
        self.released += 1


REQUEST = RenderRequest(
    chart=b"chart",
    values={"a": {"b": 1}, "c": [1, 2]},
    release="shop",
    namespace="store",
    kubernetes=KubernetesVersion(1, 33),
    api_versions=("a/v1", "b/v1"),
)
CHART = RenderJob(component=ComponentName("web"), where="input/config.yaml:3", chart=REQUEST)
TEXTS = RenderJob(component=ComponentName("web"), texts=(("a.yaml", b"a: 1"), ("b.yaml", b"b: 2")))


def chart(**changes: Any) -> RenderJob:
    return replace(CHART, chart=replace(REQUEST, **changes))


class TestCachingRenderer:
    def test_the_renderer_is_released_with_its_cache(self, cache: FolderCache) -> None:
        renderer = Counting()
        CachingRenderer(renderer, cache).release()
        assert renderer.released == 1

    @pytest.mark.parametrize("job", [CHART, TEXTS], ids=["chart", "texts"])
    def test_same_job_is_rendered_once(self, cache: FolderCache, tmp_path: Path, job: RenderJob) -> None:
        renderer = Counting()
        first = CachingRenderer(renderer, cache).render(job)
        again = CachingRenderer(renderer, FolderCache(tmp_path)).render(job)
        assert (first.is_cached, again.is_cached) == (False, True)
        assert first.content == again.content == b"render 1"
        assert renderer.renders == 1

    @pytest.mark.parametrize(
        "job",
        [
            replace(CHART, component=ComponentName("other")),
            replace(CHART, where="elsewhere"),
            chart(values={"c": [1, 2], "a": {"b": 1}}),
            chart(api_versions=["a/v1", "b/v1"]),
        ],
        ids=["component", "place", "order of keys", "list for tuple"],
    )
    def test_key_ignores_what_does_not_change_the_result(self, cache: FolderCache, job: RenderJob) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        cached.render(CHART)
        assert cached.render(job).is_cached

    CHANGES = (
        chart(values={"a": {"b": 2}, "c": [1, 2]}),
        chart(values={"a": {"b": 1}, "c": [2, 1]}),
        chart(values={"a": {"b": "1"}, "c": [1, 2]}),
        chart(values={"a": {"b": 1.0}, "c": [1, 2]}),
        chart(values={"a": {"b": True}, "c": [1, 2]}),
        chart(values={"a": {"b": None}, "c": [1, 2]}),
        chart(values={}),
        chart(chart=b"charT"),
        chart(release="shop2"),
        chart(namespace="store2"),
        chart(kubernetes=KubernetesVersion(1, 34)),
        chart(kubernetes=KubernetesVersion(1, 33, 1)),
        chart(api_versions=("a/v1",)),
        chart(api_versions=("b/v1", "a/v1")),
        chart(api_versions=()),
        chart(skip_schema=True),
        TEXTS,
        replace(TEXTS, texts=(("a.yaml", b"a: 1"), ("b.yaml", b"b: 3"))),
        replace(TEXTS, texts=(("a.yaml", b"a: 1"), ("c.yaml", b"b: 2"))),
        replace(TEXTS, texts=(("b.yaml", b"b: 2"), ("a.yaml", b"a: 1"))),
        replace(TEXTS, texts=(("a.yaml", b"a: 1"),)),
        replace(TEXTS, texts=()),
    )

    def test_key_covers_what_changes_the_result(self, cache: FolderCache) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        cached.render(CHART)
        for number, job in enumerate(self.CHANGES, start=2):
            batch = cached.render(job)
            assert (batch.is_cached, batch.content) == (False, f"render {number}".encode()), job
        assert all(cached.render(job).is_cached for job in (CHART, *self.CHANGES))

    def test_new_engine_version_renders_charts_again_but_not_texts(self, cache: FolderCache) -> None:
        for job, is_cached in ((CHART, False), (TEXTS, True)):
            CachingRenderer(Counting(), cache).render(job)
            assert CachingRenderer(Counting("engine 2"), cache).render(job).is_cached is is_cached

    def test_no_cache_renders_every_time(self) -> None:
        renderer = Counting()
        cached: Renderer = CachingRenderer(renderer, NoCache())
        assert [cached.render(CHART).is_cached for _ in range(3)] == [False] * 3
        assert renderer.renders == 3

    def test_failure_is_not_cached(self, cache: FolderCache, tmp_path: Path) -> None:
        class Failing(Counting):
            def render(self, job: RenderJob) -> RenderedBatch:
                raise ArithmeticError(job.where)

        with pytest.raises(ArithmeticError):
            CachingRenderer(Failing(), cache).render(CHART)
        assert entries(tmp_path) == []

    def test_damaged_entry_is_rendered_again(self, cache: FolderCache, tmp_path: Path) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        cached.render(CHART)
        entry(tmp_path).write_bytes(b"poison")
        assert cached.render(CHART) == RenderedBatch(content=b"render 2")
        assert cached.render(CHART) == RenderedBatch(content=b"render 2", is_cached=True)

    @pytest.mark.parametrize(("archive", "apis"), [(b"clear", frozenset({"a/v1", "b/v1"})), (b"unclear", None)])
    def test_required_apis_are_looked_up_once(
        self, cache: FolderCache, archive: bytes, apis: frozenset[str] | None
    ) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        assert cached.required_apis(archive) == cached.required_apis(archive) == apis
        assert renderer.lookups == 1
        cached.required_apis(b"another")
        assert renderer.lookups == 2

    def test_version_is_that_of_the_engine(self, cache: FolderCache) -> None:
        assert CachingRenderer(Counting("engine 7"), cache).version == "engine 7"

    def test_new_engine_version_looks_up_required_apis_again(self, cache: FolderCache) -> None:
        CachingRenderer(Counting(), cache).required_apis(b"clear")
        renderer = Counting("engine 2")
        CachingRenderer(renderer, cache).required_apis(b"clear")
        assert renderer.lookups == 1
