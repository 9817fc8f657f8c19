"""Large indexes: read in part, with the same result, and kept between runs."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from cluster_forge.adapters.http.fetched import Fetched
from cluster_forge.adapters.sources import index_entries, repository_index
from cluster_forge.adapters.sources.kept_indexes import KeptIndexes
from cluster_forge.adapters.sources.once import Once
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.foundation.errors import FetchError

ADDRESS = "https://charts.test/index.yaml"


def index(charts: int, versions: int = 30, *, indent: str = "  ") -> str:
    chance, lines = random.Random(charts), ["apiVersion: v1", "entries:"]
    for number in range(charts):
        lines.append(f"{indent}chart-{number}:")
        for version in range(versions):
            lines += [
                f"  - digest: {chance.randbytes(32).hex()}",
                f"    description: '{'long text ' * 30}'",
                "    keywords:",
                "    - a",
                "    urls:",
                f"    - https://charts.test/chart-{number}-{version}.tgz",
                f"    version: {version}.0.0",
            ]
    return "\n".join([*lines, "generated: now", ""])


LARGE = index(100)


def test_a_large_index_has_the_charts_that_the_reader_finds() -> None:
    content = LARGE.encode()
    assert len(content) > 1 << 20
    read = repository_index.read(content, ADDRESS)
    expected = yaml.load(LARGE, Loader=yaml.CSafeLoader)["entries"]
    assert list(read) == list(expected)
    assert len(read) == 100
    assert "chart-7" in read
    assert "chart-700" not in read
    for name, releases in expected.items():
        assert [release.version for release in read[name]] == [release["version"] for release in releases]
        assert [str(release.digest) for release in read[name]] == [
            f"sha256:{release['digest']}" for release in releases
        ]
        assert [list(release.urls) for release in read[name]] == [release["urls"] for release in releases]


@pytest.mark.parametrize(
    "text",
    [
        LARGE.replace("  chart-5:", "  'chart-5':"),
        LARGE.replace("  chart-5:", "  chart-5: # five"),
        LARGE.replace("  chart-5:", "  # five\n  chart-5:"),
        LARGE.replace("\n", "\r\n"),
        LARGE.replace("entries:", "entries: # all"),
        LARGE.replace("entries:", "---\nentries:"),
        index(100, indent="    ").replace("\n  - ", "\n    - ").replace("\n    ", "\n      "),
        LARGE.replace("'long text", "'\n  long text", 1),
        LARGE.replace("    keywords:\n    - a", "    keywords: [\n a]", 1),
        yaml.dump(yaml.load(LARGE, Loader=yaml.CSafeLoader), Dumper=yaml.CSafeDumper, default_flow_style=True),
    ],
)
def test_a_text_that_is_written_in_another_way_is_read_as_a_whole(text: str) -> None:
    assert index_entries.find(text.encode()) is None


def test_an_anchor_of_another_chart_is_found() -> None:
    text = LARGE.replace("    keywords:", "    keywords: &words", 1).replace("  chart-9:", "  chart-9: &nine")
    text = text.replace("generated: now", "").rstrip() + "\n  other:\n  - &it\n    version: 1.0.0\n  again:\n  - *it\n"
    read = repository_index.read(text.encode(), ADDRESS)
    assert index_entries.find(text.replace(" &nine", "").encode()) is not None
    assert [release.version for release in read["again"]] == ["1.0.0"]
    broken = repository_index.read((text + "  bad:\n  - [\n").replace(" &nine", "").encode(), ADDRESS)
    assert [release.version for release in broken["other"]] == ["1.0.0"]
    with pytest.raises(FetchError, match="is not a chart index"):
        broken["bad"]


class Server:
    """`ChangedDownloads` of one text, with its length for a tag."""

    def __init__(self, content: bytes, tag: str = '"1"') -> None:
        self.content, self.tag = content, tag
        self.sent: list[int] = []

    def get_changed(self, url: str, *, limit_bytes: int, tag: str) -> Fetched:
        content = None if tag and tag == self.tag else self.content
        self.sent.append(len(content or b""))
        return Fetched(content=content, tag=self.tag)


def test_an_index_is_fetched_again_only_when_it_has_changed(tmp_path: Path) -> None:
    server = Server(b"one\ntwo\n")
    kept = KeptIndexes(downloads=server, cache=FolderCache(tmp_path, b"secret"))
    assert [kept.get(ADDRESS, limit_bytes=99) for _ in range(3)] == [b"one\ntwo\n"] * 3
    assert server.sent == [8, 0, 0]
    assert kept.get(ADDRESS + "?token=a", limit_bytes=99) == b"one\ntwo\n"
    assert server.sent == [8, 0, 0, 8]
    server.content, server.tag = b"three", '"2"'
    assert kept.get(ADDRESS, limit_bytes=99) == b"three"
    server.tag = ""
    assert kept.get(ADDRESS, limit_bytes=99) == b"three"
    assert kept.get(ADDRESS, limit_bytes=99) == b"three"
    assert server.sent[-3:] == [5, 5, 5]


def test_what_many_ask_for_at_once_is_computed_once() -> None:
    once, computed, all_here = Once[int](), list[int](), threading.Barrier(8)

    def compute() -> int:
        computed.append(1)
        return len(computed)

    def ask(_: int) -> int:
        all_here.wait()
        return once.get("key", compute)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [1] * 8


def test_a_failure_is_remembered_for_a_while() -> None:
    once = Once[int](patience=0.05)
    for compute in (lambda: 1 // 0, lambda: 1):
        with pytest.raises(ZeroDivisionError):
            once.get("key", compute)
    time.sleep(0.06)
    assert once.get("key", lambda: 2) == 2
    time.sleep(0.06)
    assert once.get("key", lambda: 3) == 2
