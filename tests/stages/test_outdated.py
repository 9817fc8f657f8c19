from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.stages.conftest import REPOSITORY, Harness

from cluster_forge.catalog import versions as catalog_versions
from cluster_forge.catalog.library import packaged
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.foundation.names import ComponentName
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.sources import ChartRelease, GitOffer
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import Lock, LockedComponent, LockedSource, chart_address
from cluster_forge.stack.model import KubernetesVersion, Target
from cluster_forge.stages.supply.outdated import OutdatedRequest, outdated
from cluster_forge.stages.supply.source_status import SourceStatus


class Listed:
    """`ports.Offers` of one list of releases, or of tags."""

    def __init__(self, releases: Sequence[ChartRelease] = (), git: GitOffer | None = None) -> None:
        self._releases = releases
        self._git = git

    def in_git(self, address: GitAddress, locked: LockedSource | None) -> GitOffer:
        assert address.repository
        assert locked
        assert self._git
        return self._git

    def image_digest(self, reference: ImageReference, locked: LockedSource | None) -> Digest | None:
        raise AssertionError((reference, locked))

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        assert source.repository
        return self._releases


class Broken(Listed):
    """`ports.Offers` with a bug."""

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        raise ExceptionGroup("several", [ValueError(source.chart)])


def status(
    harness: Harness,
    *releases: ChartRelease,
    asked: str = "1.x",
    locked: str = "1.0.0",
    kubernetes: str = "1.33",
    helm: HelmSource | None = None,
    name: str = "shop",
) -> SourceStatus:
    source = helm or HelmSource(chart="shop", release="shop", repository=REPOSITORY, version=asked)
    entry = LockedSource(address=chart_address(source), asked=source.version, version=locked, digest=Digest.of(b""))
    lock = Lock({name: LockedComponent(name=ComponentName(name), sources=(entry,))}) if locked else Lock()
    stack = harness.stack(
        harness.component(name, helm=source), target=Target(kubernetes=KubernetesVersion.parse(kubernetes))
    )
    request = OutdatedRequest(stack=stack, lock=lock, catalog=packaged())
    result = outdated(request, Listed(releases), harness.engine, harness.toolbox.workers, harness.reporter)
    (chart,) = result.sources
    return chart


def offered(*versions: str, kube_version: str = "") -> list[ChartRelease]:
    return [ChartRelease(version=version, kube_version=kube_version) for version in versions]


@pytest.mark.parametrize(
    ("asked", "locked", "versions", "found"),
    [
        ("1.x", "1.0.0", ("1.0.0", "1.9.0", "1.10.0", "2.0.0"), ("1.10.0", "2.0.0")),
        ("", "1.0.0", ("1.0.0", "2.0.0", "3.0.0-rc.1"), ("2.0.0", "2.0.0")),
        ("1.0.0", "v1.0.0", ("v1.0.0", "v1.1.0"), ("v1.0.0", "v1.1.0")),
        ("1.x", "1.0.0", ("0.9.0",), (None, "0.9.0")),
        ("1.x", "1.0.0", (), (None, None)),
        ("3.0.0-rc.1", "3.0.0-rc.1", ("3.0.0-rc.1", "3.0.0-rc.2", "2.0.0"), ("3.0.0-rc.1", "3.0.0-rc.2")),
        ("", "", ("1.0.0-rc.1", "1.0.0-rc.2"), (None, "1.0.0-rc.2")),
        ("1.x", "1.0.0", ("not a version", "1.0.0"), ("1.0.0", "1.0.0")),
    ],
)
def test_newest_in_range_and_at_all(
    harness: Harness, asked: str, locked: str, versions: Sequence[str], found: tuple[str | None, str | None]
) -> None:
    chart = status(harness, *offered(*versions), asked=asked, locked=locked)
    assert (chart.in_range, chart.newest) == found
    assert chart.fitting == chart.newest


@pytest.mark.parametrize(
    ("kubernetes", "fitting"), [("1.33", "3.0.0"), ("1.29", "2.0.0"), ("1.20", "1.0.0"), ("v1.33.4-gke.100", "3.0.0")]
)
def test_newest_for_the_target(harness: Harness, kubernetes: str, fitting: str) -> None:
    releases = [
        *offered("1.0.0"),
        *offered("2.0.0", kube_version=">=1.25.0-0"),
        *offered("3.0.0", kube_version=">= 1.30.0-0 < 2.0.0-0"),
        *offered("4.0.0", kube_version="not a range"),
    ]
    chart = status(harness, *releases, kubernetes=kubernetes)
    assert (chart.fitting, chart.newest, chart.is_outdated) == (fitting, "4.0.0", fitting != "1.0.0")


def test_the_catalog_knows_versions_that_do_not_fit(harness: Harness) -> None:
    """A component of the catalog whose newest version needs a newer Kubernetes than an older one does."""
    library = packaged()
    component, new, old = next(
        (component, component.versions[0], component.versions[1])
        for component in library.components()
        if len(component.versions) > 1
        and catalog_versions.chart_of(component, component.versions[0])
        and not catalog_versions.supports(component.versions[0], 25)
        and catalog_versions.supports(component.versions[1], 25)
    )
    chart = catalog_versions.chart_of(component, new)
    helm = HelmSource(
        chart=chart["chart"], release="x", repository=chart.get("repository", REPOSITORY), version=old.version
    )
    releases = offered(new.version, old.version)
    found = status(harness, *releases, helm=helm, locked=old.version, kubernetes="1.25", name=component.name)
    assert (found.fitting, found.newest, found.is_outdated) == (old.version, new.version, False)
    assert not found.is_current, "there is a newer one"


def test_what_is_to_be_said_about_a_chart(harness: Harness) -> None:
    assert status(harness, *offered("1.0.0")).is_current
    assert not status(harness, *offered("1.0.0", "1.1.0")).is_current
    withdrawn = status(harness, *offered("0.9.0"))
    assert (withdrawn.is_withdrawn, withdrawn.is_outdated, withdrawn.is_current) == (True, False, False)
    deprecated = status(harness, ChartRelease(version="1.0.0", deprecated=True))
    assert (deprecated.is_deprecated, deprecated.is_current) == (True, False)
    new = status(harness, *offered("1.0.0"), locked="")
    assert (new.locked, new.in_range, new.is_withdrawn) == ("", "1.0.0", False)


def test_a_range_that_is_none_is_an_error_of_its_component(harness: Harness) -> None:
    chart = status(harness, *offered("1.0.0"), asked="no range")
    (error,) = chart.errors
    assert isinstance(error, ForgeError)
    assert error.where == "input/config.yaml:shop"
    assert "component shop: " in error.message


def test_a_bug_is_not_an_error_of_a_component(harness: Harness) -> None:
    source = HelmSource(chart="shop", release="shop", repository=REPOSITORY)
    request = OutdatedRequest(
        stack=harness.stack(harness.component("shop", helm=source)), lock=Lock(), catalog=packaged()
    )
    with pytest.raises(ExceptionGroup):
        outdated(request, Broken(), harness.engine, harness.toolbox.workers, harness.reporter)


@pytest.mark.parametrize(
    ("tag", "tags", "newest"),
    [
        ("v1.2.3", ("v1.2.3", "v1.10.0", "v1.9.0", "2.0.0", "web-v3.0.0"), "v1.10.0"),
        ("1.2.3", ("1.2.3", "v2.0.0", "1.3"), "1.3"),
        ("web-1.2.3", ("web-1.2.3", "web-1.2.4", "db-2.0.0", "web-2.0.0-rc.1", "2.0.0"), "web-1.2.4"),
        ("web-2.0.0-rc.1", ("web-2.0.0-rc.1", "web-2.0.0-rc.2", "web-1.9.0"), "web-2.0.0-rc.2"),
        ("k8s-2-1.0.0", ("k8s-2-1.0.0", "k8s-2-1.1.0", "k8s-3-9.0.0"), "k8s-2-1.1.0"),
        ("v1.2", ("v1.2", "v1.2.0"), "v1.2"),
        ("v1", ("v1", "v2", "v2.0.0"), "v1"),
        ("stable", ("stable", "v2.0.0"), "stable"),
    ],
)
def test_newest_tag_with_the_same_prefix(harness: Harness, tag: str, tags: Sequence[str], newest: str) -> None:
    commit = "a" * 40
    source = HelmSource(chart="web", release="web", repository=f"git+https://git.example.com/repo@{tag}")
    entry = LockedSource(address=chart_address(source), asked=tag, version=commit, digest=Digest.of(b""))
    lock = Lock({"web": LockedComponent(name=ComponentName("web"), sources=(entry,))})
    request = OutdatedRequest(stack=harness.stack(harness.component("web", helm=source)), lock=lock, catalog=packaged())
    offers = Listed(git=GitOffer(commit=commit, tag=tag, tags=tags))
    (found,) = outdated(request, offers, harness.engine, harness.toolbox.workers, harness.reporter).sources
    assert (found.locked, found.in_range, found.newest, found.fitting) == (tag, tag, newest, newest)
    assert (found.is_outdated, found.is_current) == (newest != tag, newest == tag)
