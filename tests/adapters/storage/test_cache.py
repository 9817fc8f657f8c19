"""What was made and kept: whole or not at all, for its own key only, and never in anybody's way."""

from __future__ import annotations

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

from cluster_forge.adapters.rendering import CachingRenderer
from cluster_forge.adapters.storage.cache import FolderCache, NoCache
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob, RenderRequest
from cluster_forge.ports.storage import Cache
from cluster_forge.stack.model import KubernetesVersion

KEY, OTHER = Digest.of(b"key"), Digest.of(b"other")
CONTENT = b"what was made" * 100


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def entry(folder: Path) -> Path:
    (found,) = entries(folder)
    return found


@pytest.fixture
def cache(tmp_path: Path) -> FolderCache:
    return FolderCache(tmp_path)


class TestFolder:
    @pytest.mark.parametrize("content", [b"", b"a", b"\0" * 1_000_000], ids=["empty", "small", "large"])
    def test_what_was_put_is_got(self, cache: FolderCache, content: bytes) -> None:
        assert cache.get("objects", KEY) is None
        cache.put("objects", KEY, content)
        assert cache.get("objects", KEY) == content
        assert cache.get("objects", OTHER) is None
        assert cache.get("asks", KEY) is None

    def test_the_last_put_counts(self, cache: FolderCache, tmp_path: Path) -> None:
        for content in (b"a", CONTENT, b""):
            cache.put("objects", KEY, content)
            assert cache.get("objects", KEY) == content
        assert len(entries(tmp_path)) == 1

    def test_another_process_finds_it(self, cache: FolderCache, tmp_path: Path) -> None:
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
    def test_a_damaged_entry_is_not_there_and_is_replaced(
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

    def test_an_entry_of_another_key_or_kind_is_not_used(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        mine = entry(tmp_path)
        cache.put("objects", OTHER, b"other")
        (theirs,) = set(entries(tmp_path)) - {mine}
        theirs.write_bytes(mine.read_bytes())
        assert cache.get("objects", OTHER) is None
        assert cache.get("objects", KEY) == CONTENT
        cache.put("asks", KEY, b"asks")
        (asks,) = set(entries(tmp_path)) - {mine}
        asks.write_bytes(mine.read_bytes())
        assert cache.get("asks", KEY) is None

    def test_a_folder_in_the_place_of_an_entry_is_in_nobodys_way(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        path = entry(tmp_path)
        path.unlink()
        path.mkdir()
        assert cache.get("objects", KEY) is None
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) is None
        assert entries(tmp_path) == []

    def test_a_file_in_the_place_of_the_folder_keeps_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "store").write_bytes(b"")
        cache = FolderCache(tmp_path / "store")
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) is None

    @pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder that nobody can write, not even root")
    def test_a_folder_that_cannot_be_written_keeps_nothing(self) -> None:
        cache = FolderCache(Path("/proc/no-store"))
        cache.put("objects", KEY, CONTENT)
        assert cache.get("objects", KEY) is None

    @pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
    def test_a_read_only_folder_is_read(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        for folder in (tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())):
            folder.chmod(0o555)
        cache.put("objects", OTHER, CONTENT)
        assert cache.get("objects", OTHER) is None
        assert cache.get("objects", KEY) == CONTENT
        for folder in (tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())):
            folder.chmod(0o755)

    def test_where_a_file_may_not_grow_nothing_half_is_kept(self, tmp_path: Path) -> None:
        """The limit on a file's size stands for a full disk: the write breaks off in the middle."""
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

    def test_what_an_interrupted_write_left_is_not_used(self, cache: FolderCache, tmp_path: Path) -> None:
        cache.put("objects", KEY, CONTENT)
        path = entry(tmp_path)
        (tmp_path / "unfinished" / "1-a").write_bytes(path.read_bytes()[:50])
        path.unlink()
        assert cache.get("objects", KEY) is None

    def test_a_use_is_noted_for_those_who_clean_up(self, cache: FolderCache, tmp_path: Path) -> None:
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

    def test_several_processes_at_once(self, tmp_path: Path) -> None:
        script = (
            "import pathlib, sys\n"
            "from cluster_forge.adapters.storage.cache import FolderCache\n"
            "from cluster_forge.foundation.digest import Digest\n"
            "cache = FolderCache(pathlib.Path(sys.argv[1]))\n"
            "for number in range(150):\n"
            "    key = Digest.of(str(number % 7).encode())\n"
            "    content = bytes([number % 7]) * 100_000\n"
            "    found = cache.get('objects', key)\n"
            "    assert found in (None, content)\n"
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
    """A `ports.Maker` that counts; what it gives tells which call made it."""

    def __init__(self, version: str = "engine 1") -> None:
        self.version = version
        self.made = 0
        self.asked = 0

    def render(self, job: RenderJob) -> RenderedBatch:
        self.made += 1
        return RenderedBatch(content=f"made {self.made}".encode())

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        self.asked += 1
        return None if chart == b"unclear" else frozenset({"a/v1", "b/v1"})


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


class TestCached:
    @pytest.mark.parametrize("job", [CHART, TEXTS], ids=["chart", "texts"])
    def test_what_was_made_is_not_made_again(self, cache: FolderCache, tmp_path: Path, job: RenderJob) -> None:
        renderer = Counting()
        first = CachingRenderer(renderer, cache).render(job)
        again = CachingRenderer(renderer, FolderCache(tmp_path)).render(job)
        assert (first.is_kept, again.is_kept) == (False, True)
        assert first.content == again.content == b"made 1"
        assert renderer.made == 1

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
    def test_what_decides_nothing_is_no_part_of_the_key(self, cache: FolderCache, job: RenderJob) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        cached.render(CHART)
        assert cached.render(job).is_kept

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

    def test_whatever_decides_the_result_is_part_of_the_key(self, cache: FolderCache) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        cached.render(CHART)
        for number, job in enumerate(self.CHANGES, start=2):
            made = cached.render(job)
            assert (made.is_kept, made.content) == (False, f"made {number}".encode()), job
        assert all(cached.render(job).is_kept for job in (CHART, *self.CHANGES))

    def test_another_engine_makes_charts_anew_but_not_texts(self, cache: FolderCache) -> None:
        for job, is_kept in ((CHART, False), (TEXTS, True)):
            CachingRenderer(Counting(), cache).render(job)
            assert CachingRenderer(Counting("engine 2"), cache).render(job).is_kept is is_kept

    def test_without_a_cache_everything_is_made(self) -> None:
        renderer = Counting()
        cached: Renderer = CachingRenderer(renderer, NoCache())
        assert [cached.render(CHART).is_kept for _ in range(3)] == [False] * 3
        assert renderer.made == 3

    def test_a_failure_is_not_kept(self, cache: FolderCache, tmp_path: Path) -> None:
        class Failing(Counting):
            def render(self, job: RenderJob) -> RenderedBatch:
                raise ArithmeticError(job.where)

        with pytest.raises(ArithmeticError):
            CachingRenderer(Failing(), cache).render(CHART)
        assert entries(tmp_path) == []

    def test_a_spoilt_entry_is_made_anew(self, cache: FolderCache, tmp_path: Path) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        cached.render(CHART)
        entry(tmp_path).write_bytes(b"poison")
        assert cached.render(CHART) == RenderedBatch(content=b"made 2")
        assert cached.render(CHART) == RenderedBatch(content=b"made 2", is_kept=True)

    @pytest.mark.parametrize(("archive", "asked"), [(b"clear", frozenset({"a/v1", "b/v1"})), (b"unclear", None)])
    def test_what_a_chart_asks_for_is_looked_up_once(
        self, cache: FolderCache, archive: bytes, asked: frozenset[str] | None
    ) -> None:
        renderer = Counting()
        cached = CachingRenderer(renderer, cache)
        assert cached.required_apis(archive) == cached.required_apis(archive) == asked
        assert renderer.asked == 1
        cached.required_apis(b"another")
        assert renderer.asked == 2

    def test_the_version_is_the_engines(self, cache: FolderCache) -> None:
        assert CachingRenderer(Counting("engine 7"), cache).version == "engine 7"
