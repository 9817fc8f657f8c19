"""Sources are fetched and locked, or looked up in the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stages.conftest import RecordingReporter

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, FetchError, LockError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack.component import Component, HelmSource
from cluster_forge.stack.lock import Lock, LockedComponent
from cluster_forge.stages.build import locking
from cluster_forge.stages.build.rendering.component_sources import ComponentSources

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

URL = "https://example.com/a.yaml"
REPOSITORY = "https://charts.example.com"
ADDRESS = f"{REPOSITORY} web"


def fetch(harness: Harness, *components: Component, lock: Lock | None = None) -> dict[ComponentName, ComponentSources]:
    reporter = RecordingReporter()
    sources = locking.fetch(components, lock or Lock(), harness.sources, harness.toolbox.workers, reporter)
    expected = [component.name for component in components for _ in locking.sources_of(component)]
    assert [item for _, item in reporter.begun] == expected
    assert [item for _, _, item, _ in reporter.events] == expected
    return sources


def lock_of(sources: dict[ComponentName, ComponentSources]) -> Lock:
    return Lock().having(LockedComponent(name=name, sources=entry.locked) for name, entry in sources.items())


class TestSources:
    def test_a_component_has_a_chart_and_urls(self, harness: Harness) -> None:
        helm = HelmSource(chart="web", release="web", repository="https://charts.example.com", version="1.x")
        component = harness.component("web", helm=helm, manifests=(URL, "web/", "web/a.yaml"))
        described = [(source.address, source.asked, source.is_local) for source in locking.sources_of(component)]
        assert described == [(ADDRESS, "1.x", False), (URL, "", False)]

    def test_the_address_of_a_local_chart_is_its_path(self, harness: Harness) -> None:
        component = harness.component("web", helm=HelmSource(chart="./charts/web", release="web"))
        (source,) = locking.sources_of(component)
        assert (source.address, source.asked, source.is_local) == ("./charts/web", "", True)


class TestFetch:
    def test_versions_are_resolved_and_locked(self, harness: Harness) -> None:
        for version in ("1.0.0", "1.1.0", "2.0.0-rc.1"):
            harness.chart("web", {}, version=version)
        harness.url(URL, harness.config_map("a"))
        component = harness.component(
            "web",
            helm=HelmSource(chart="web", release="web", repository=REPOSITORY, version=">=1"),
            manifests=(URL,),
        )
        sources = fetch(harness, component)[component.name]
        assert sources.chart
        assert (sources.chart.address, sources.chart.version) == (ADDRESS, "1.1.0")
        assert sources.digests == (sources.chart.digest, Digest.of(harness.sources.urls[URL]))
        assert [(source.address, source.asked, source.version) for source in sources.locked] == [
            (ADDRESS, ">=1", "1.1.0"),
            (URL, "", ""),
        ]

    def test_a_locked_version_is_not_resolved_again(self, harness: Harness) -> None:
        component = harness.component("web", helm=harness.chart("web", {}, version="1.0.0"))
        ranged = harness.component(
            "web", helm=HelmSource(chart="web", release="web", repository="https://charts.example.com", version="1.x")
        )
        lock = lock_of(fetch(harness, ranged))
        harness.chart("web", {}, version="1.5.0")
        harness.sources.asked.clear()
        again = fetch(harness, ranged, lock=lock)[component.name].chart
        assert again
        assert again.version == "1.0.0"
        assert harness.sources.asked == []
        resolved = fetch(harness, component, lock=lock)[component.name].chart
        assert resolved
        assert resolved.version == "1.0.0"
        assert harness.sources.asked == ["web"], "another range is resolved again"

    def test_all_errors_are_raised_with_component_and_place(self, harness: Harness) -> None:
        repository = "https://charts.example.com"
        harness.chart("old", {}, version="1.0.0")
        missing = harness.component("a", helm=HelmSource(chart="nowhere", release="a", repository=repository))
        too_new = harness.component("b", helm=HelmSource(chart="old", release="b", repository=repository, version=">1"))
        gone = harness.component("c", manifests=("https://example.com/gone.yaml",))
        errors = harness.errors(lambda: fetch(harness, missing, too_new, gone))
        assert [type(error) for error in errors] == [FetchError, DescriptionError, FetchError]
        assert [error.message.partition(":")[0] for error in errors] == ["component a", "component b", "component c"]
        assert [error.where for error in errors] == [f"input/config.yaml:{name}" for name in "abc"]
        assert errors[0].fix == "see the repository"

    def test_a_source_that_changed_is_refused(self, harness: Harness) -> None:
        harness.url(URL, harness.config_map("a"))
        component = harness.component("web", manifests=(URL,))
        lock = lock_of(fetch(harness, component))
        harness.store.entries.clear()
        before = Digest.of(harness.sources.urls[URL])
        harness.url(URL, harness.config_map("b"))
        (error,) = harness.errors(lambda: fetch(harness, component, lock=lock))
        assert isinstance(error, LockError)
        assert str(before) in error.message
        assert str(Digest.of(harness.sources.urls[URL])) in error.message


class TestWhenFetched:
    def test_it_is_called_once_for_each_component_with_all_of_its_sources(self, harness: Harness) -> None:
        urls = tuple(harness.url(f"{URL}?{name}", harness.config_map(name)) for name in "ab")
        components = [
            harness.component("web", helm=harness.chart("web", {}), manifests=urls),
            harness.component("url", manifests=(URL, "own.yaml")),
            harness.component("own", manifests=("own.yaml",)),
        ]
        harness.url(URL, harness.config_map("url"))
        calls: list[tuple[str, ComponentSources]] = []
        for workers in (harness.toolbox.workers, ThreadWorkers(8)):
            calls.clear()
            sources = locking.fetch(
                components,
                Lock(),
                harness.sources,
                workers,
                RecordingReporter(),
                when_fetched=lambda component, fetched: calls.append((component.name, fetched)),
            )
            assert dict(calls) == sources
            assert len(calls) == len(components)

    def test_it_is_not_called_for_a_component_that_lacks_a_source(self, harness: Harness) -> None:
        components = [
            harness.component("torn", helm=harness.chart("torn", {}), manifests=(URL, f"{URL}?2")),
            harness.component("web", helm=harness.chart("web", {})),
        ]
        called: list[str] = []
        errors = harness.errors(
            lambda: locking.fetch(
                components,
                Lock(),
                harness.sources,
                ThreadWorkers(8),
                RecordingReporter(),
                when_fetched=lambda component, _: called.append(component.name),
            )
        )
        assert [error.message for error in errors] == [
            f"component torn: {url}: HTTP status 404" for url in (URL, f"{URL}?2")
        ]
        assert called == ["web"]


class TestLookUp:
    def test_nothing_is_fetched(self, harness: Harness) -> None:
        harness.url(URL, harness.config_map("a"))
        component = harness.component("web", helm=harness.chart("web", {}), manifests=(URL, "own.yaml"))
        sources = fetch(harness, component)
        harness.sources.asked.clear()
        assert locking.look_up([component], lock_of(sources), harness.sources) == sources
        assert harness.sources.asked == []

    def test_a_local_chart_is_read_as_it_is_now(self, harness: Harness) -> None:
        component = harness.component("web", helm=HelmSource(chart="./web", release="web"))
        for content in (b"one", b"two"):
            harness.sources.charts["./web", ""] = content
            chart = locking.look_up([component], Lock(), harness.sources)[component.name].chart
            assert chart
            assert chart.digest == Digest.of(content)
            assert harness.store.get(chart.digest) == content

    def test_all_missing_sources_are_reported_together(self, harness: Harness) -> None:
        components = [
            harness.component("a", helm=harness.chart("a", {})),
            harness.component("b", manifests=("own.yaml",)),
            harness.component("c", manifests=(URL,)),
        ]
        errors = harness.errors(lambda: locking.look_up(components, Lock(), harness.sources))
        assert [(type(error), error.where) for error in errors] == [
            (LockError, "input/config.yaml:a"),
            (LockError, "input/config.yaml:c"),
        ]
        assert all("cluster-forge mine" in str(error.fix) for error in errors)


@pytest.mark.parametrize(("version", "is_locked"), [("1.0.0", True), ("2.0.0", False)])
def test_a_locked_version_is_used_for_its_own_range_only(harness: Harness, version: str, is_locked: bool) -> None:
    for available in ("1.0.0", "2.0.0"):
        harness.chart("web", {}, version=available)
    asked = HelmSource(chart="web", release="web", repository=REPOSITORY, version="1.0.0")
    lock = lock_of(fetch(harness, harness.component("web", helm=asked)))
    component = harness.component(
        "web", helm=HelmSource(chart="web", release="web", repository=REPOSITORY, version=version)
    )
    if is_locked:
        assert locking.look_up([component], lock, harness.sources)
    else:
        assert [
            type(source) for source in harness.errors(lambda: locking.look_up([component], lock, harness.sources))
        ] == [LockError]
