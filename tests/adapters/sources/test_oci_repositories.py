"""Charts in real registries: what Helm, Flux and ORAS push, and other content in the place of a chart."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.servers.pushing import HELM_CHART, HELM_CONFIG, IMAGE_CONFIG, LAYER, Blob, Repository
from tests.servers.registry import Registry as Server
from tests.servers.sample_stack import chart
from tests.stack_sources import stack_sources

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.offline import OfflineDownloads
from cluster_forge.adapters.registry.reader import RegistryReader
from cluster_forge.adapters.sources import StackSources
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import (
    DescriptionError,
    FetchError,
    ForgeError,
    ImageError,
    LockError,
    OfflineError,
)
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource

CONFIG = Blob(content=b"{}", media_type=HELM_CONFIG)
EMPTY = Blob(content=b"{}", media_type="application/vnd.oci.empty.v1+json")
IMAGE = Blob(content=b'{"architecture": "amd64", "os": "linux"}', media_type=IMAGE_CONFIG)
AMD64 = {"platform": {"architecture": "amd64", "os": "linux"}}


def archive(version: str) -> bytes:
    return chart("shop", version)


def chart_layer(version: str = "1.0.0", media_type: str = HELM_CHART) -> Blob:
    return Blob(content=archive(version), media_type=media_type)


@pytest.fixture
def repository(open_registry: Server) -> Repository:
    """A new one for each test: ``…/charts-of-a-test/shop``."""
    return Repository(open_registry, f"charts-{uuid.uuid4().hex}/shop")


@pytest.fixture
def charts(tmp_path: Path) -> StackSources:
    return sources(tmp_path, RegistryReader(HttpClient()))


def sources(tmp_path: Path, registry: RegistryReader | None, pages: Mapping[str, bytes] | None = None) -> StackSources:
    return stack_sources(tmp_path / "store", tmp_path / "workspace", Pages(pages or {}), registry=registry)


class Pages:
    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.pages = pages

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        return self.pages[url]


def helm(repository: Repository, version: str = "") -> HelmSource:
    return HelmSource(
        chart="shop", release="shop", repository=repository.address.removesuffix("/shop"), version=version
    )


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ("", "1.10.0+build.5"),
        ("1.0.0", "1.0.0"),
        ("v1.0.0", "1.0.0"),
        ("^1.0", "1.10.0+build.5"),
        ("<1.10", "1.2.0"),
        (">1.10.0-0", "2.0.0-rc.1"),
        ("1.10.0+build.5", "1.10.0+build.5"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        ("1.4", "1.4"),
        ("v3.0.0", "v3.0.0"),
    ],
)
def test_the_version_is_the_one_that_helm_would_choose(
    asked: str, version: str, repository: Repository, charts: StackSources
) -> None:
    for tag in ("1.0.0", "1.2.0", "1.10.0_build.5", "2.0.0-rc.1", "v3.0.0", "1.4", "latest", "sha-12ab", "01.9.0"):
        repository.push_chart(archive(tag.replace("_", "+") if tag[0] in "123v" else "9.9.9"), tag)
    locked = charts.chart(helm(repository, asked), None)
    expected = LockedSource(
        address=f"{repository.address.removesuffix('/shop')} shop",
        asked=asked,
        version=version,
        digest=Digest.of(archive(version)),
    )
    assert locked == expected
    assert charts.store.get(locked.digest) == archive(version)


def test_tags_with_a_v_are_versions_where_there_are_no_others(repository: Repository, charts: StackSources) -> None:
    for tag in ("v1.0.0", "v1.1.0", "main"):
        repository.push_chart(archive(tag), tag)
    assert charts.chart(helm(repository, "1.x"), None).version == "v1.1.0"
    assert [release.version for release in charts.releases(helm(repository))] == ["v1.0.0", "v1.1.0"]


def test_all_pages_of_tags_are_read(repository: Repository, charts: StackSources) -> None:
    repository.push_chart(archive("1.0.0"), "1.0.0")
    repository.tag_again("1.0.0", [f"0.{number}.0" for number in range(1, 1101)])
    assert len(charts.releases(helm(repository))) == 1101
    assert charts.chart(helm(repository, ">=1"), None).version == "1.0.0"


def test_an_exact_version_is_not_looked_for_in_the_list(repository: Repository, charts: StackSources) -> None:
    repository.push_chart(archive("1.0.0"), "1.0.0")
    charts.chart(helm(repository, "1.0.0"), None)
    assert f"{repository.name}/tags/list" not in repository.registry.log.read_text()


def test_a_missing_version_is_reported_with_those_that_there_are(repository: Repository, charts: StackSources) -> None:
    for version in ("1.0.0", "1.1.0"):
        repository.push_chart(archive(version), version)
    for asked in ("1.0.9", ">2"):
        with pytest.raises(DescriptionError, match=f"has no version '{asked}' of shop") as error:
            charts.chart(helm(repository, asked), None)
        assert error.value.fix == "its newest versions are 1.1.0, 1.0.0"


@pytest.mark.parametrize(
    ("layers", "config"),
    [
        ([chart_layer()], CONFIG),
        ([chart_layer(media_type="application/tar+gzip")], CONFIG),
        (
            [Blob(content=b"signed", media_type="application/vnd.cncf.helm.chart.provenance.v1.prov"), chart_layer()],
            CONFIG,
        ),
        ([chart_layer(media_type=LAYER)], EMPTY),
        ([chart_layer(media_type="application/vnd.oci.image.layer.v1.tar")], EMPTY),
        (
            [chart_layer(media_type="application/vnd.cncf.flux.content.v1.tar+gzip")],
            Blob(content=b"{}", media_type="application/vnd.cncf.flux.config.v1+json"),
        ),
        ([Blob(content=b"a readme", media_type="text/markdown"), chart_layer()], EMPTY),
    ],
    ids=["helm", "legacy", "provenance", "oras", "oras-file", "flux", "two-layers"],
)
def test_charts_of_every_program_are_read(
    layers: list[Blob], config: Blob, repository: Repository, charts: StackSources
) -> None:
    repository.push("1.0.0", layers, config)
    locked = charts.chart(helm(repository, "1.0.0"), None)
    assert (locked.version, locked.digest) == ("1.0.0", Digest.of(archive("1.0.0")))


def test_a_chart_is_found_in_an_index(repository: Repository, charts: StackSources) -> None:
    chart = repository.push_chart(archive("1.0.0"), "")
    image = repository.push("", [Blob(content=b"layer", media_type=LAYER)], IMAGE)
    repository.push_index("1.0.0", [{**image.descriptor, **AMD64}, chart.descriptor])
    assert charts.chart(helm(repository, "1.0.0"), None).digest == Digest.of(archive("1.0.0"))


@pytest.mark.parametrize(
    ("layers", "config", "reason"),
    [
        ([Blob(content=b"layer", media_type=LAYER)], IMAGE, f"it is a container image ({IMAGE_CONFIG})"),
        ([], CONFIG, f"its {HELM_CONFIG} has no layer to choose (its layers: none)"),
        ([Blob(content=b"x", media_type="text/plain")], CONFIG, "(its layers: text/plain)"),
        (
            [Blob(content=b"x", media_type="text/plain"), Blob(content=b"y", media_type="text/html")],
            EMPTY,
            f"its {EMPTY.media_type} has no layer to choose (its layers: text/plain, text/html)",
        ),
        ([chart_layer("1.0.0"), chart_layer("2.0.0")], CONFIG, f"(its layers: {HELM_CHART}, {HELM_CHART})"),
    ],
)
def test_other_content_is_named(
    layers: list[Blob], config: Blob, reason: str, repository: Repository, charts: StackSources
) -> None:
    repository.push("1.0.0", layers, config)
    with pytest.raises(FetchError, match=re.escape(reason)) as error:
        charts.chart(helm(repository, "1.0.0"), None)
    assert error.value.message.startswith(f"{repository.address}:1.0.0@sha256:")
    assert "is not a chart: " in error.value.message


def test_an_index_without_a_chart_is_named(repository: Repository, charts: StackSources) -> None:
    image = repository.push("", [Blob(content=b"layer", media_type=LAYER)], IMAGE)
    repository.push_index("1.0.0", [{**image.descriptor, **AMD64}])
    repository.push_index("2.0.0", [])
    one, two = (repository.push_chart(archive(version), "") for version in ("1.0.0", "2.0.0"))
    repository.push_index("3.0.0", [one.descriptor, two.descriptor])
    reasons = {
        "1.0.0": "it is a container image for linux/amd64",
        "2.0.0": "it is an index of 0 manifests, 0 charts among them",
        "3.0.0": "it is an index of 2 manifests, 2 charts among them",
    }
    for version, reason in reasons.items():
        with pytest.raises(FetchError, match=f"is not a chart: {reason}$"):
            charts.chart(helm(repository, version), None)


def test_a_digest_decides(repository: Repository, charts: StackSources, tmp_path: Path) -> None:
    first = repository.push_chart(archive("1.0.0"), "1.0.0")
    for asked in (first.digest, f"1.0.0@{first.digest}", f"0.9.0@{first.digest}"):
        source = helm(repository, asked)
        if asked.startswith("0.9.0"):
            with pytest.raises(FetchError, match=r"offers shop 0\.9\.0, but the archive has shop 1\.0\.0"):
                charts.chart(source, None)
            continue
        locked = charts.chart(source, None)
        assert (locked.asked, locked.version) == (asked, "1.0.0")
        assert sources(tmp_path / "other", RegistryReader(HttpClient())).chart(source, locked) == locked


def test_a_tag_that_moved_away_from_its_digest_is_an_error(repository: Repository, charts: StackSources) -> None:
    first = repository.push_chart(archive("1.0.0"), "1.0.0")
    second = repository.push("1.0.0", [chart_layer()], CONFIG, annotations={"built": "again"})
    with pytest.raises(FetchError, match=rf":1\.0\.0 is {second.digest} now, and the description pins {first.digest}"):
        charts.chart(helm(repository, f"1.0.0@{first.digest}"), None)


@pytest.mark.parametrize("version", ["1.0.0@md5:12", "sha256:12", "1.0.0@sha256:xyz"])
def test_a_malformed_digest_is_an_error(version: str, repository: Repository, charts: StackSources) -> None:
    with pytest.raises(
        DescriptionError, match=rf"`version: {version}` of shop: .* is not a sha256 digest|not a sha256 digest"
    ):
        charts.chart(helm(repository, version), None)


@pytest.mark.parametrize(("chart", "version"), [("shop:1.0.0", "1.0.0"), ("shop@sha256:12", "sha256:12")])
def test_a_tag_in_the_name_of_a_chart_is_an_error(chart: str, version: str, tmp_path: Path) -> None:
    source = HelmSource(chart=chart, release="shop", repository="oci://registry.example.com/charts")
    with pytest.raises(DescriptionError, match="the name of a chart has no tag or digest") as raised:
        sources(tmp_path, RegistryReader(HttpClient())).chart(source, None)
    assert raised.value.fix == f"write `chart: shop` and `version: {version}`"


def test_a_chart_that_changed_behind_its_tag_is_an_error(repository: Repository, tmp_path: Path) -> None:
    repository.push_chart(archive("1.0.0"), "1.0.0")
    locked = sources(tmp_path / "first", RegistryReader(HttpClient())).chart(helm(repository, "^1"), None)
    repository.push_chart(archive("v1.0.0"), "1.0.0")
    with pytest.raises(LockError, match=r"shop 1\.0\.0 has changed: the lock has sha256:"):
        sources(tmp_path / "second", RegistryReader(HttpClient())).chart(helm(repository, "^1"), locked)


def test_a_locked_version_is_fetched_though_a_newer_one_is_there(repository: Repository, tmp_path: Path) -> None:
    repository.push_chart(archive("1.0.0"), "1.0.0")
    locked = sources(tmp_path / "first", RegistryReader(HttpClient())).chart(helm(repository, "^1"), None)
    repository.push_chart(archive("1.1.0"), "1.1.0")
    assert sources(tmp_path / "second", RegistryReader(HttpClient())).chart(helm(repository, "^1"), locked) == locked


def test_an_index_by_http_may_name_charts_in_registries(repository: Repository, tmp_path: Path) -> None:
    for version in ("1.0.0+a", "1.1.0"):
        repository.push_chart(archive(version), version.replace("+", "_"))
    releases = [
        {"name": "shop", "version": "1.0.0+a", "urls": [repository.address]},
        {"name": "shop", "version": "1.1.0", "urls": [f"{repository.address}:1.1.0"], "digest": "0" * 64},
    ]
    index = yaml.safe_dump({"apiVersion": "v1", "entries": {"shop": releases}}).encode()
    pages = {"https://charts.example.com/index.yaml": index}
    subject = sources(tmp_path, RegistryReader(HttpClient()), pages)
    source = HelmSource(chart="shop", release="shop", repository="https://charts.example.com", version="1.0.0+a")
    assert subject.chart(source, None).digest == Digest.of(archive("1.0.0+a"))
    wrong = HelmSource(chart="shop", release="shop", repository="https://charts.example.com", version="1.1.0")
    with pytest.raises(FetchError, match=rf"{repository.address}:1\.1\.0 does not match the repository's index"):
        subject.chart(wrong, None)


def test_an_unknown_repository_is_named(open_registry: Server, charts: StackSources) -> None:
    unknown = Repository(open_registry, "nothing/shop")
    for version in ("", "1.0.0"):
        with pytest.raises(FetchError, match="has no repository 'nothing/shop'"):
            charts.chart(helm(unknown, version), None)


def test_a_repository_without_versions_is_named(repository: Repository, charts: StackSources) -> None:
    repository.push_chart(archive("1.0.0"), "latest")
    with pytest.raises(FetchError, match=r"shop has no version among its 1 tag"):
        charts.chart(helm(repository), None)


@pytest.mark.parametrize(
    ("address", "kind"),
    [("oci://127.0.0.1/Team", ImageError), ("oci://", ImageError), ("oci://127.0.0.1/a b", ImageError)],
)
def test_a_malformed_address_is_named(address: str, kind: type[ForgeError], charts: StackSources) -> None:
    with pytest.raises(kind, match="is not an image reference"):
        charts.chart(HelmSource(chart="shop", release="shop", repository=address), None)


def test_offline_nothing_is_fetched(repository: Repository, tmp_path: Path) -> None:
    subject = stack_sources(tmp_path / "store", tmp_path / "workspace", OfflineDownloads())
    for version in ("", "1.0.0", "sha256:" + "0" * 64):
        with pytest.raises(OfflineError, match=f"--offline: {repository.address}"):
            subject.chart(helm(repository, version), None)
