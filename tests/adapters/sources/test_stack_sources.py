from __future__ import annotations

import contextlib
import gzip
import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.stack_sources import stack_sources

from cluster_forge.adapters.http.downloads import HttpDownloads
from cluster_forge.adapters.http.offline import OfflineDownloads
from cluster_forge.adapters.sources import StackSources, repository_index
from cluster_forge.adapters.sources.http_repositories import Downloads
from cluster_forge.adapters.sources.mirror import FolderMirror
from cluster_forge.adapters.sources.stack_sources import Mirror
from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.adapters.workspace import WorkspaceFiles
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import (
    ArchiveError,
    DescriptionError,
    FetchError,
    ForgeError,
    ImageError,
    LockError,
    OfflineError,
)
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.sources import Offers, Sources
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource, manifest_address

REPOSITORY = "https://charts.example.com/stable"


def archive(name: str = "shop", version: str = "1.0.0", *, mtime: int = 0) -> bytes:
    content = f"name: {name}\nversion: {version}\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        entry = tarfile.TarInfo(f"{name}/Chart.yaml")
        entry.size = len(content)
        packed.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=mtime)


class Web:
    """Downloads from memory; counts what is asked for."""

    def __init__(self, pages: Mapping[str, bytes] | None = None) -> None:
        self.pages = dict(pages or {})
        self.asked: list[str] = []

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise FetchError(f"{url} answered 404 Not Found", fix="look elsewhere")
        return self.pages[url]

    def publish(self, repository: str, *releases: Mapping[str, object]) -> Web:
        entries: dict[str, list[Mapping[str, object]]] = {}
        for release in releases:
            entries.setdefault(str(release["name"]), []).append(release)
        self.pages[f"{repository}/index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": entries}).encode()
        return self


class Memory:
    """A mirror in memory."""

    def __init__(self, *known: tuple[str, str, str], manifests: Mapping[str, bytes] | None = None) -> None:
        self.known = known
        self.manifests = manifests or {}
        self.wrong: dict[str, bytes] = {}

    def charts(self, repository: str) -> set[str]:
        return {name for place, name, _ in self.known if place == repository}

    def versions(self, repository: str, chart: str) -> dict[str, Digest]:
        versions = [version for place, name, version in self.known if (place, name) == (repository, chart)]
        return {version: Digest.of(self.chart(repository, chart, version)) for version in versions}

    def chart(self, repository: str, chart: str, version: str) -> bytes:
        return self.wrong.get(version) or archive(chart, version)

    def manifest(self, url: str) -> bytes | None:
        return self.manifests.get(url)

    def locked(self, digest: Digest) -> bytes | None:
        contents = [*self.manifests.values(), *(self.chart(*entry) for entry in self.known)]
        return next((content for content in contents if Digest.of(content) == digest), None)

    def pinned(self, address: str, asked: str) -> LockedSource | None:
        return None


def release(version: str, name: str = "shop", **more: object) -> dict[str, object]:
    return {"name": name, "version": version, "urls": [f"{name}-{version}.tgz"], **more}


def helm(version: str = "", chart: str = "shop", repository: str = REPOSITORY) -> HelmSource:
    return HelmSource(chart=chart, release="shop", repository=repository, version=version)


@pytest.fixture
def web() -> Web:
    versions = ("1.0.0", "1.1.0", "v1.2.0", "2.0.0-rc.1", "1.10")
    web = Web().publish(REPOSITORY, *(release(version) for version in versions), release("0.1.0", "other"))
    for version in versions:
        web.pages[f"{REPOSITORY}/shop-{version}.tgz"] = archive(version=version)
    return web


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def sources(tmp_path: Path, web: Downloads, *mirrors: Mirror) -> StackSources:
    return stack_sources(tmp_path / "store", tmp_path / "workspace", web, mirrors)


@pytest.mark.parametrize(
    ("constraint", "version"),
    [
        ("1.0.0", "1.0.0"),
        ("v1.0.0", "1.0.0"),
        ("1.2.0", "v1.2.0"),
        ("v1.2.0", "v1.2.0"),
        ("1.10", "1.10"),
        ("", "1.10"),
        ("~1.1", "1.1.0"),
        (">=1.0.0 <1.2.0", "1.1.0"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        (">0.0.0-0", "2.0.0-rc.1"),
    ],
)
def test_version_is_the_one_that_helm_would_choose(tmp_path: Path, web: Web, constraint: str, version: str) -> None:
    pinned = sources(tmp_path, web).chart(helm(constraint), None)
    digest = Digest.of(archive(version=version))
    assert pinned == LockedSource(address=f"{REPOSITORY} shop", asked=constraint, version=version, digest=digest)
    assert FolderStore(tmp_path / "store").get(pinned.digest) == archive(version=version)


@pytest.mark.parametrize(
    ("source", "message", "fix"),
    [
        (helm("3.x"), "has no version '3.x' of shop", "its newest versions are 2.0.0-rc.1, 1.10, v1.2.0, 1.1.0, 1.0.0"),
        (helm(chart="shopp"), "has no chart 'shopp', did you mean 'shop'?", "its charts are other, shop"),
        (helm("not a range"), "not a version range", "1.2.3"),
    ],
)
def test_missing_chart_or_version_is_reported_with_the_available_ones(
    tmp_path: Path, web: Web, source: HelmSource, message: str, fix: str
) -> None:
    with pytest.raises(DescriptionError) as raised:
        sources(tmp_path, web).chart(source, None)
    assert message in raised.value.message
    assert fix in (raised.value.fix or "")


def test_missing_stable_version_is_reported(tmp_path: Path) -> None:
    web = Web().publish(REPOSITORY, *(release(f"1.0.0-rc.{number}") for number in range(12)))
    with pytest.raises(DescriptionError, match="has no stable version of shop") as raised:
        sources(tmp_path, web).chart(helm(), None)
    assert "1.0.0-rc.11, 1.0.0-rc.10" in (raised.value.fix or "")
    assert "and 4 more" in (raised.value.fix or "")


@pytest.mark.parametrize(
    ("repository", "url", "fetched"),
    [
        ("https://a.example/x", "shop.tgz", "https://a.example/x/shop.tgz"),
        ("https://a.example/x/", "charts/shop.tgz", "https://a.example/x/charts/shop.tgz"),
        ("https://a.example/x", "/shop.tgz", "https://a.example/shop.tgz"),
        ("https://a.example/x", "https://b.example/shop.tgz", "https://b.example/shop.tgz"),
        ("https://a.example/x?key=1", "shop.tgz", "https://a.example/x/shop.tgz?key=1"),
        ("file:///srv/charts", "shop.tgz", "file:///srv/charts/shop.tgz"),
    ],
)
def test_addresses_of_the_index_are_relative_to_the_repository(
    tmp_path: Path, repository: str, url: str, fetched: str
) -> None:
    base, _, query = repository.partition("?")
    web = Web().publish(base.rstrip("/"), release("1.0.0", urls=[url]))
    web.pages = {page + (f"?{query}" if query else ""): content for page, content in web.pages.items()}
    web.pages[fetched] = archive()
    assert sources(tmp_path, web).chart(helm(repository=repository), None).digest == Digest.of(archive())


def test_addresses_are_tried_in_order(tmp_path: Path) -> None:
    urls = ["https://gone.example/shop.tgz", "oci://registry.example/shop", "http://[", "https://good.example/shop.tgz"]
    web = Web({urls[3]: archive()}).publish(REPOSITORY, release("1.0.0", urls=urls))
    assert sources(tmp_path, web).chart(helm(), None).version == "1.0.0"
    web.pages.pop(urls[3])
    with pytest.raises(FetchError, match=r"good\.example"):
        sources(tmp_path / "again", web).chart(helm(), None)


@pytest.mark.parametrize(
    ("repository", "url", "digest", "message"),
    [
        ("https://a.example/x", "file:///etc/passwd", "a", "only http"),
        ("http://a.example/x", "file:///etc/passwd", "", "only http"),
        ("https://a.example/x", "FILE:/dev/stdin", "a", "only http"),
        ("https://a.example/x", "file:x.tgz", "", "only http"),
        ("https://a.example/x", "ftp://a.example/x.tgz", "", "only http"),
        ("https://a.example/x", "http://u:canary@a.example/x.tgz?sig=canary", "", "it leaves HTTPS, and has no digest"),
        ("https://a.example/x", "HTTP://a.example/x.tgz", "md5:12", "it leaves HTTPS"),
    ],
)
def test_index_may_not_lead_to_files_or_away_from_https(
    tmp_path: Path, repository: str, url: str, digest: str, message: str
) -> None:
    good = "https://b.example/shop.tgz"
    web = Web({good: archive(), url: archive()})
    digest = Digest.of(archive()).hex if digest == "a" else digest
    web.publish(repository, release("1.0.0", urls=[url], digest=digest))
    with pytest.raises(FetchError, match=message) as raised:
        sources(tmp_path, web).chart(helm(repository=repository), None)
    assert "canary" not in str(raised.value)
    web.publish(repository, release("1.0.0", urls=[url, good], digest=digest))
    assert sources(tmp_path, web).chart(helm(repository=repository), None).version == "1.0.0"
    assert url not in web.asked


@pytest.mark.parametrize(
    ("repository", "url", "digest"),
    [
        ("https://a.example", "http://b.example/x.tgz", "right"),
        ("http://a.example", "https://b.example/x.tgz", ""),
        ("http://a.example", "http://b.example/x.tgz", ""),
        ("https://a.example", "//b.example/x.tgz", ""),
        ("file:///srv", "https://b.example/x.tgz", ""),
        ("file:///srv", "file:///elsewhere/x.tgz", ""),
    ],
)
def test_other_addresses_of_an_index_are_followed(tmp_path: Path, repository: str, url: str, digest: str) -> None:
    web = Web({url if ":" in url else f"https:{url}": archive()})
    web.publish(repository, release("1.0.0", urls=[url], digest=Digest.of(archive()).hex if digest else ""))
    assert sources(tmp_path, web).chart(helm(repository=repository), None).version == "1.0.0"


@pytest.mark.parametrize(
    ("content", "is_refused"),
    [
        (archive("other", "9.9.9"), True),
        (archive("shop", "9.9.9"), True),
        (archive("other", "1.0.0"), True),
        (archive("Shop", "1.0.0"), True),
        (archive("shop", "v1.0.0"), False),
        (archive("shop", "1.0.0"), False),
    ],
)
@pytest.mark.parametrize("from_mirror", [True, False])
def test_archive_must_be_the_chart_of_the_index(
    tmp_path: Path, content: bytes, is_refused: bool, from_mirror: bool
) -> None:
    web = Web({f"{REPOSITORY}/shop-1.0.0.tgz": content}).publish(REPOSITORY, release("1.0.0"))
    mirror = Memory((REPOSITORY, "shop", "1.0.0"))
    mirror.wrong["1.0.0"] = content
    subject = sources(tmp_path, web, *([mirror] if from_mirror else []))
    if is_refused:
        with pytest.raises(FetchError, match=r"offers shop 1\.0\.0, but the archive has \w+ \d"):
            subject.chart(helm(), None)
        assert not (tmp_path / "store").exists()
    else:
        assert subject.chart(helm(), None).version == "1.0.0"


@pytest.mark.parametrize(
    ("urls", "message"),
    [([], "no address in the index"), (["oci://X/Y"], "is not an image reference"), (["//["], "is not an address")],
)
def test_unusable_addresses_are_reported(tmp_path: Path, urls: list[str], message: str) -> None:
    web = Web().publish(REPOSITORY, release("1.0.0", urls=urls))
    with pytest.raises((FetchError, ImageError), match=message) as raised:
        sources(tmp_path, web).chart(helm(), None)
    assert raised.value.fix


def test_digest_of_the_index_is_verified(tmp_path: Path) -> None:
    web = Web({f"{REPOSITORY}/shop-1.0.0.tgz": archive()})
    web.publish(REPOSITORY, release("1.0.0", digest=Digest.of(archive()).hex))
    assert sources(tmp_path, web).chart(helm(), None).version == "1.0.0"
    web.publish(REPOSITORY, release("1.0.0", digest=f"sha256:{'0' * 64}"))
    with pytest.raises(FetchError) as raised:
        sources(tmp_path, web).chart(helm(), None)
    assert "0" * 64 in raised.value.message
    assert Digest.of(archive()).hex in raised.value.message
    web.publish(REPOSITORY, release("1.0.0", digest="md5:12"))
    assert sources(tmp_path, web).chart(helm(), None).version == "1.0.0"


def test_broken_archive_is_not_stored(tmp_path: Path) -> None:
    web = Web({f"{REPOSITORY}/shop-1.0.0.tgz": b"<html>"}).publish(REPOSITORY, release("1.0.0"))
    with pytest.raises(ArchiveError, match=rf"{REPOSITORY} shop 1\.0\.0 is not gzip"):
        sources(tmp_path, web).chart(helm(), None)
    assert not (tmp_path / "store").exists()


def test_index_is_fetched_once_per_run(tmp_path: Path, web: Web) -> None:
    subject = sources(tmp_path, web)
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda _: subject.chart(helm(), None).version, range(16)))
    assert versions == ["1.10"] * 16
    assert web.asked.count(f"{REPOSITORY}/index.yaml") == 1


def test_locked_and_stored_chart_is_not_fetched(tmp_path: Path, web: Web) -> None:
    locked = sources(tmp_path, web).chart(helm("~1.1"), None)
    assert sources(tmp_path, OfflineDownloads()).chart(helm("~1.1"), locked) == locked


def test_locked_version_is_fetched_without_resolving(tmp_path: Path, web: Web) -> None:
    locked = LockedSource(address=f"{REPOSITORY} shop", asked=">=1.0.0", version="1.0.0", digest=Digest.of(archive()))
    assert sources(tmp_path, web).chart(helm(">=1.0.0"), locked) == locked
    mirrored = sources(
        tmp_path / "2", OfflineDownloads(), Memory((REPOSITORY, "shop", "1.0.0"), (REPOSITORY, "shop", "1.1.0"))
    )
    assert mirrored.chart(helm(">=1.0.0"), locked) == locked


@pytest.mark.parametrize("from_mirror", [True, False])
def test_changed_digest_is_reported(tmp_path: Path, web: Web, from_mirror: bool) -> None:
    mirrors = [Memory((REPOSITORY, "shop", "1.0.0"))] if from_mirror else []
    locked = LockedSource(address=f"{REPOSITORY} shop", version="1.0.0", digest=Digest.of(b"before"))
    with pytest.raises(LockError) as raised:
        sources(tmp_path, web, *mirrors).chart(helm(), locked)
    assert f"the lock has {Digest.of(b'before')}, the source has {Digest.of(archive())}" in raised.value.message
    assert "cluster-forge mine --update NAME" in (raised.value.fix or "")


def test_what_is_locked_is_found_in_a_mirror_under_any_name(tmp_path: Path) -> None:
    """A mirror may have it from another repository, or from a URL that has moved."""
    mirror = Memory(("https://old.example.com", "shop", "1.0.0"), manifests={"https://old.example.com/x.yaml": b"a: b"})
    subject = sources(tmp_path, OfflineDownloads(), mirror)
    locked = LockedSource(address=f"{REPOSITORY} shop", asked="1.x", version="1.0.0", digest=Digest.of(archive()))
    assert subject.chart(helm("1.x"), locked) == locked
    url = "https://example.com/x.yaml"
    manifest = LockedSource(address=manifest_address(url), digest=Digest.of(b"a: b"))
    assert subject.manifest(url, manifest) == manifest
    with pytest.raises(OfflineError):
        subject.chart(helm("1.x"), None)


def test_mirror_with_the_locked_digest_is_preferred(tmp_path: Path) -> None:
    first, second = Memory((REPOSITORY, "shop", "1.0.0")), Memory((REPOSITORY, "shop", "1.0.0"))
    first.wrong["1.0.0"] = archive(mtime=1)  # packed again: the same chart in other bytes
    locked = LockedSource(
        address=f"{REPOSITORY} shop", asked=helm().version, version="1.0.0", digest=Digest.of(archive())
    )
    assert sources(tmp_path, OfflineDownloads(), first, second).chart(helm(), locked) == locked
    assert sources(tmp_path, OfflineDownloads(), first, second).chart(helm(), None).digest != locked.digest


def test_withdrawn_locked_version_is_reported(tmp_path: Path, web: Web) -> None:
    locked = LockedSource(address=f"{REPOSITORY} shop", version="0.9.0", digest=Digest.of(b"x"))
    with pytest.raises(DescriptionError, match=r"has no version '0\.9\.0' \(from the lock\) of shop"):
        sources(tmp_path, web).chart(helm(), locked)


def test_mirrors_come_before_the_network(tmp_path: Path, web: Web) -> None:
    mirrors = (
        Memory((REPOSITORY, "shop", "1.1.0")),
        Memory((REPOSITORY, "shop", "1.1.5"), (REPOSITORY, "shop", "3.0.0")),
    )
    subject = sources(tmp_path, web, *mirrors)
    assert subject.chart(helm("~1.1"), None).version == "1.1.5"
    assert subject.chart(helm(), None).version == "3.0.0"
    assert web.asked == []
    assert subject.chart(helm("1.0.0"), None).version == "1.0.0"
    assert web.asked


def test_oci_charts_come_from_mirrors_first(tmp_path: Path) -> None:
    repository = "oci://registry.example/charts"
    subject = sources(tmp_path, Web(), Memory((repository, "shop", "1.0.0")))
    assert subject.chart(helm("1.0.0", repository=repository), None).version == "1.0.0"
    with pytest.raises(
        OfflineError, match=r"--offline: oci://registry\.example/charts/shop:2\.0\.0 is not in"
    ) as raised:
        subject.chart(helm("2.0.0", repository=repository), None)
    assert str(raised.value.fix).endswith("--mirror DIR (the mirrors have 1.0.0)")


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        (helm("2.x"), "(the mirrors have 1.0.0)"),
        (helm(chart="other"), "(the mirrors have shop of this repository)"),
        (helm(repository="https://user:pass@elsewhere.example"), "(the mirrors have nothing of this repository)"),
    ],
)
def test_offline_error_lists_what_the_mirrors_have(tmp_path: Path, source: HelmSource, fix: str) -> None:
    with pytest.raises(OfflineError) as raised:
        sources(tmp_path, OfflineDownloads(), Memory((REPOSITORY, "shop", "1.0.0"))).chart(source, None)
    assert (raised.value.fix or "").endswith(fix)
    assert "pass" not in raised.value.message
    with pytest.raises(OfflineError) as raised:
        sources(tmp_path, OfflineDownloads()).chart(source, None)
    assert (raised.value.fix or "").endswith("--mirror DIR")


def test_manifests_are_fetched_and_checked(tmp_path: Path) -> None:
    url, content = "https://user:pass@example.com/i.yaml?token=x", "\ufeffkind: ö".encode()
    pinned = sources(tmp_path, Web({url: content})).manifest(url, None)
    assert pinned == LockedSource(address=manifest_address(url), digest=Digest.of(content))
    assert pinned.address.startswith("https://example.com/i.yaml?"), "another token is another source"
    assert sources(tmp_path, OfflineDownloads()).manifest(url, pinned) == pinned
    mirrored = sources(tmp_path, OfflineDownloads(), Memory(), Memory(manifests={url: b"other"}))
    assert mirrored.manifest(url, None).digest == Digest.of(b"other")
    with pytest.raises(LockError, match=r"https://example\.com/i\.yaml\S* has changed"):
        sources(tmp_path / "new", Web({url: b"other"})).manifest(url, pinned)
    with pytest.raises(FetchError, match="byte 1 is not UTF-8"):
        sources(tmp_path, Web({url: b"a\xff"})).manifest(url, None)


def test_local_charts_are_packed_or_checked(tmp_path: Path) -> None:
    files = WorkspaceFiles(tmp_path / "workspace")
    chart = {
        "Chart.yaml": b"name: shop\nversion: 0.1.0\n",
        "a.bak": b"",
        "templates/a.yaml": b"",
        ".helmignore": b"*.bak",
    }
    files.replace_trees({"input/charts/shop": FileTree(chart)})
    files.write("input/shop.tgz", archive())
    subject = sources(tmp_path, OfflineDownloads())
    folder = subject.chart(helm(chart="./charts/shop", repository=""), None)
    packed = FolderStore(tmp_path / "store").get(folder.digest)
    assert packed
    assert (folder.address, folder.version) == ("./charts/shop", "0.1.0")
    with tarfile.open(fileobj=io.BytesIO(packed)) as opened:
        assert opened.getnames() == ["chart/.helmignore", "chart/Chart.yaml", "chart/templates/a.yaml"]
    before = LockedSource(address="shop.tgz", version="0", digest=Digest.of(b"before"))
    file = subject.chart(helm(chart="shop.tgz", repository=""), before)
    assert (file.address, file.version, file.digest) == ("shop.tgz", "1.0.0", Digest.of(archive()))


@pytest.mark.parametrize(
    ("chart", "kind", "message"),
    [
        ("charts/none", DescriptionError, "there is no chart at input/charts/none"),
        ("https://example.com/x.tgz", DescriptionError, "is an address"),
        ("plain", ArchiveError, r"input/plain is not a chart: it has no Chart\.yaml"),
        ("plain/a.yaml", ArchiveError, r"input/plain/a\.yaml is not gzip"),
        ("../../x", ForgeError, "outside of the workspace"),
    ],
)
def test_invalid_local_charts_are_reported(tmp_path: Path, chart: str, kind: type[ForgeError], message: str) -> None:
    WorkspaceFiles(tmp_path / "workspace").replace_trees({"input/plain": FileTree({"a.yaml": b"x: y"})})
    with pytest.raises(kind, match=message) as raised:
        sources(tmp_path, OfflineDownloads()).chart(helm(chart=chart, repository=""), None)
    assert raised.value.fix


def test_versions_stay_text_and_invalid_entries_are_left_out() -> None:
    content = b"""\
# comment
entries:
  shop:
  - {version: 1.10, urls: [a, [b], {c: d}, e], digest: ABCDEF}
  - {version: "", urls: [a]}
  - {urls: [a]}
  - {version: [1], urls: [a]}
  - text
  - [version, "1"]
  - version: &v 2.0
    urls: b
    nested: {version: 3, deep: [1, {x: [y]}]}
  - {? [complex] : x, version: *v}
  other: nothing
  empty: []
generated: now
"""
    index = repository_index.read(content, "x")
    assert list(index) == ["shop", "other", "empty"]
    assert [(release.version, release.urls, release.digest) for release in index["shop"]] == [
        ("1.10", ("a", "e"), None),
        ("2.0", (), None),
        ("2.0", (), None),  # by an alias: a version that was left out before aliases were read
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>login</body></html>",
        b"entries: nothing",
        b"- entries",
        b"a: [",
        b"\xff\xfe\xff",
        b"entries:\n  a: " + b"[" * 50_000,
    ],
)
def test_invalid_index_is_reported(content: bytes) -> None:
    with pytest.raises(FetchError, match=r"https://x/index\.yaml is not a chart index") as raised:
        repository_index.read(content, "https://x/index.yaml")
    assert raised.value.fix


@given(st.text("abc:-[]{}*&,\n \"'#|>?", max_size=60))
def test_arbitrary_text_causes_fetch_errors_only(text: str) -> None:
    with contextlib.suppress(FetchError):
        assert "x" in repository_index.read(f"entries:\n  x:\n  - {text}".encode(), "x")


OFFLINE = """
import sys

def watch(event, arguments):
    if event.startswith("socket."):
        raise SystemExit(f"a socket was used: {event} {arguments}")

sys.addaudithook(watch)

from pathlib import Path
from tests.stack_sources import stack_sources

from cluster_forge.adapters.http.offline import OfflineDownloads
from cluster_forge.adapters.sources.mirror import FolderMirror
from cluster_forge.adapters.workspace import WorkspaceFiles
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.errors import OfflineError
from cluster_forge.stack.component import HelmSource

root = Path(sys.argv[1])
files = WorkspaceFiles(root / "workspace")
sources = stack_sources(root / "store", root / "workspace", OfflineDownloads(), [FolderMirror(root / "mirror")])

def fetch(version):
    try:
        source = HelmSource(chart="shop", release="s", repository="https://charts.example.com", version=version)
        return sources.chart(source, None).version
    except OfflineError:
        return "offline"

files.write("x", b"x")
results = ThreadWorkers(2).map(fetch, ["1.x", "2.x"])
try:
    sources.manifest("https://example.com/x.yaml", None)
except OfflineError:
    results.append("offline")
if "--prove" in sys.argv:
    import socket
    socket.create_connection(("127.0.0.1", 9))
print(results)
"""


@pytest.mark.parametrize("prove", [False, True])
def test_offline_opens_no_socket(tmp_path: Path, prove: bool) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/shop.tgz").write_bytes(archive())
    entry = {"repository": "https://charts.example.com", "name": "shop", "version": "1.0.0", "file": "shop.tgz"}
    entries = [{**entry, "sha256": Digest.of(archive()).hex}]
    (tmp_path / "mirror/index.yaml").write_text(yaml.safe_dump({"charts": entries}))
    project = Path(__file__).parents[3]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(project), str(project / "src"), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-c", OFFLINE, str(tmp_path), *(["--prove"] if prove else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if prove:  # the audit hook would have reported
        assert "a socket was used" in done.stderr
    else:
        assert (done.stdout.strip(), done.stderr) == ("['1.0.0', 'offline', 'offline']", "")


def test_corpus_sources_come_from_the_mirror(tmp_path: Path, corpus: Path) -> None:
    subject = sources(tmp_path, OfflineDownloads(), FolderMirror(corpus / "mirror"))
    listed = yaml.safe_load((corpus / "mirror/index.yaml").read_text())
    for entry in listed["charts"]:
        source = helm(str(entry["version"]), entry["name"], entry["repository"])
        pinned = subject.chart(source, None)
        assert pinned.version == str(entry["version"])
        assert subject.chart(source, pinned) == pinned
    for entry in listed["manifests"]:
        assert subject.manifest(entry["url"], None).digest.hex == entry["sha256"]


def test_adapters_fit_their_ports(tmp_path: Path) -> None:
    """It is mypy that tests it: this is what `wiring` does with them."""
    subject = stack_sources(tmp_path, tmp_path, HttpDownloads(), [FolderMirror(tmp_path)])
    fetches: Sources = subject
    asks: Offers = subject
    files: Workspace = WorkspaceFiles(tmp_path)
    assert len({id(fetches), id(asks), id(files)}) == 2


def test_oversized_index_is_refused() -> None:
    with pytest.raises(FetchError, match=r"too many values \(limit 1,000\)"):
        repository_index.read(b"x: [" + b"a," * 1_001 + b"]\n", "https://x/index.yaml", most=1_000)


def test_aliases_of_an_index_are_read() -> None:
    content = b"""\
urls: &urls [a.tgz, &b b.tgz]
entries:
  shop:
  - &first {version: 1.0.0, urls: *urls, maintainers: [{name: x}]}
  - {<<: *first, version: 1.1.0}
  - {version: 1.2.0, urls: [*b]}
  other: &other
  - *first
  same: *other
"""
    index = repository_index.read(content, "x")
    shown = {chart: [(release.version, release.urls) for release in releases] for chart, releases in index.items()}
    both = ("a.tgz", "b.tgz")
    assert shown == {
        "shop": [("1.0.0", both), ("1.1.0", both), ("1.2.0", ("b.tgz",))],
        "other": [("1.0.0", both)],
        "same": [("1.0.0", both)],
    }


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ("a: &x [*x]", "alias \\*x has no anchor"),
        ("a: *y", "undefined alias|alias \\*y has no anchor"),
        (
            "a: &a [b, b]\nc: &c [*a, *a, *a, *a]\nd: &d [*c, *c, *c, *c]\ne: &e [*d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e]",
            "too many",
        ),
    ],
)
def test_aliases_without_end_are_refused(entries: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason):
        repository_index.read(
            f"x:\n  {entries.replace(chr(10), chr(10) + '  ')}\nentries: {{}}\n".encode(), "x", most=1_000
        )


@pytest.mark.parametrize("releases", ["[]", "null", "{}", "[{name: shop}]"])
def test_a_chart_without_versions_says_so(tmp_path: Path, releases: str) -> None:
    web = Web({f"{REPOSITORY}/index.yaml": f"entries: {{shop: {releases}}}\n".encode()})
    with pytest.raises(FetchError, match=rf"the index of {REPOSITORY} has no version of shop"):
        sources(tmp_path, web).chart(helm(), None)


@pytest.mark.parametrize(
    "entry",
    [
        "".join(f"&a{number} [" for number in range(90)) + "a," * 50_000 + "]" * 90,  # each value is kept 90 times
        "{<<: " * 5_000 + "{}" + "}" * 5_000,
        "{version: 1.0.0, <<: " + "{<<: " * 200 + "{}" + "}" * 201,
    ],
    ids=["anchors in anchors", "merges in merges", "merges in a release"],
)
def test_an_index_that_grows_while_it_is_read_is_refused(entry: str) -> None:
    began = time.process_time()
    with pytest.raises(FetchError, match=r"too many values|nesting too deep"):
        repository_index.read(f"entries:\n  x:\n  - {entry}\n".encode(), "x")
    assert time.process_time() - began < 5


def test_an_index_cannot_make_many_requests_nor_long_messages() -> None:
    addresses = ", ".join(f"u{number}" for number in range(1_000))
    content = (
        f"entries:\n  x:\n  - {{version: 1.0.0, urls: [{'u' * 10_000}, {addresses}]}}\n  - {{version: {'1' * 300}}}\n"
    )
    (release,) = repository_index.read(content.encode(), "x")["x"]
    assert release.urls == tuple(f"u{number}" for number in range(10))


def test_what_an_index_says_about_a_version_is_kept() -> None:
    content = (
        "entries:\n  x:\n"
        "  - {version: 2.0.0, created: '2026-01-02T03:04:05.123456789Z', appVersion: 1.2, kubeVersion: '>=1.25.0-0',"
        " deprecated: true, urls: [a.tgz]}\n"
        "  - {version: 1.0.0, created: [a], appVersion: ~, kubeVersion: null, deprecated: 'no'}\n"
        f"  - {{version: 0.1.0, kubeVersion: '{'>=1 ' * 100}'}}\n"
    )
    newest, *bare = repository_index.read(content.encode(), "x")["x"]
    assert (newest.created, newest.app_version, newest.kube_version, newest.deprecated) == (
        *("2026-01-02T03:04:05.123456789Z", "1.2", ">=1.25.0-0"),
        True,
    )
    for release in bare:
        assert (release.created, release.app_version, release.kube_version, release.deprecated) == ("", "", "", False)
