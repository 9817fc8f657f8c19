"""Which bytes every source stands for, and what the lock keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stages.conftest import Heard

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, FetchError, LockError
from cluster_forge.stack.lock import Lock, LockedComponent
from cluster_forge.stack.model import Component, HelmSource
from cluster_forge.stages import pin
from cluster_forge.stages.pin import Found

if TYPE_CHECKING:
    from tests.stages.conftest import Workshop

URL = "https://example.com/a.yaml"
REPOSITORY = "https://charts.example.com"
ADDRESS = f"{REPOSITORY} web"


def fetched(workshop: Workshop, *components: Component, lock: Lock | None = None) -> Found:
    heard = Heard()
    found = pin.fetched(components, lock or Lock(), workshop.sources, workshop.tools.workers, heard)
    expected = [each.name for each in components for _ in pin.sources_of(each)]
    assert [item for _, item in heard.begun] == expected
    assert [item for _, _, item, _ in heard.events] == expected
    return found


def locking(found: Found) -> Lock:
    return Lock().having(LockedComponent(name=name, sources=sources) for name, sources in found.locked.items())


class TestSources:
    def test_a_component_has_a_chart_and_urls(self, workshop: Workshop) -> None:
        helm = HelmSource(chart="web", release="web", repository="https://charts.example.com", version="1.x")
        component = workshop.component("web", helm=helm, manifests=(URL, "web/", "web/a.yaml"))
        found = [(each.address, each.asked, each.is_local) for each in pin.sources_of(component)]
        assert found == [(ADDRESS, "1.x", False), (URL, "", False)]

    def test_a_local_chart_is_called_by_its_path(self, workshop: Workshop) -> None:
        component = workshop.component("web", helm=HelmSource(chart="./charts/web", release="web"))
        (source,) = pin.sources_of(component)
        assert (source.address, source.asked, source.is_local) == ("./charts/web", "", True)


class TestFetched:
    def test_versions_are_resolved_and_kept(self, workshop: Workshop) -> None:
        for version in ("1.0.0", "1.1.0", "2.0.0-rc.1"):
            workshop.chart("web", {}, version=version)
        workshop.url(URL, workshop.config_map("a"))
        component = workshop.component(
            "web",
            helm=HelmSource(chart="web", release="web", repository=REPOSITORY, version=">=1"),
            manifests=(URL,),
        )
        found = fetched(workshop, component)
        pins = found.pins[component.name]
        assert pins.chart
        assert (pins.chart.address, pins.chart.version) == (ADDRESS, "1.1.0")
        assert pins.digests == (pins.chart.digest, Digest.of(workshop.sources.urls[URL]))
        assert [(each.address, each.asked, each.version) for each in found.locked[component.name]] == [
            (ADDRESS, ">=1", "1.1.0"),
            (URL, "", ""),
        ]

    def test_what_is_locked_is_taken_as_it_is(self, workshop: Workshop) -> None:
        component = workshop.component("web", helm=workshop.chart("web", {}, version="1.0.0"))
        ranged = workshop.component(
            "web", helm=HelmSource(chart="web", release="web", repository="https://charts.example.com", version="1.x")
        )
        lock = locking(fetched(workshop, ranged))
        workshop.chart("web", {}, version="1.5.0")
        workshop.sources.asked.clear()
        again = fetched(workshop, ranged, lock=lock).pins[component.name].chart
        assert again
        assert again.version == "1.0.0"
        assert workshop.sources.asked == []
        anew = fetched(workshop, component, lock=lock).pins[component.name].chart
        assert anew
        assert anew.version == "1.0.0"
        assert workshop.sources.asked == ["web"], "another range is resolved anew"

    def test_errors_come_together_with_component_and_place(self, workshop: Workshop) -> None:
        repository = "https://charts.example.com"
        workshop.chart("old", {}, version="1.0.0")
        missing = workshop.component("a", helm=HelmSource(chart="nowhere", release="a", repository=repository))
        too_new = workshop.component(
            "b", helm=HelmSource(chart="old", release="b", repository=repository, version=">1")
        )
        gone = workshop.component("c", manifests=("https://example.com/gone.yaml",))
        found = workshop.errors(lambda: fetched(workshop, missing, too_new, gone))
        assert [type(each) for each in found] == [FetchError, DescriptionError, FetchError]
        assert [each.message.partition(":")[0] for each in found] == ["component a", "component b", "component c"]
        assert [each.where for each in found] == [f"input/config.yaml:{name}" for name in "abc"]
        assert found[0].fix == "see the repository"

    def test_what_has_changed_upstream_is_refused(self, workshop: Workshop) -> None:
        workshop.url(URL, workshop.config_map("a"))
        component = workshop.component("web", manifests=(URL,))
        lock = locking(fetched(workshop, component))
        workshop.store.entries.clear()
        before = Digest.of(workshop.sources.urls[URL])
        workshop.url(URL, workshop.config_map("b"))
        (error,) = workshop.errors(lambda: fetched(workshop, component, lock=lock))
        assert isinstance(error, LockError)
        assert str(before) in error.message
        assert str(Digest.of(workshop.sources.urls[URL])) in error.message


class TestFromLock:
    def test_nothing_is_fetched(self, workshop: Workshop) -> None:
        workshop.url(URL, workshop.config_map("a"))
        component = workshop.component("web", helm=workshop.chart("web", {}), manifests=(URL, "own.yaml"))
        found = fetched(workshop, component)
        workshop.sources.asked.clear()
        again = pin.from_lock([component], locking(found), workshop.sources)
        assert again == found
        assert workshop.sources.asked == []

    def test_a_local_chart_is_read_as_it_is_now(self, workshop: Workshop) -> None:
        component = workshop.component("web", helm=HelmSource(chart="./web", release="web"))
        for content in (b"one", b"two"):
            workshop.sources.charts["./web", ""] = content
            chart = pin.from_lock([component], Lock(), workshop.sources).pins[component.name].chart
            assert chart
            assert chart.digest == Digest.of(content)
            assert workshop.store.get(chart.digest) == content

    def test_everything_that_is_missing_is_told_at_once(self, workshop: Workshop) -> None:
        components = [
            workshop.component("a", helm=workshop.chart("a", {})),
            workshop.component("b", manifests=("own.yaml",)),
            workshop.component("c", manifests=(URL,)),
        ]
        found = workshop.errors(lambda: pin.from_lock(components, Lock(), workshop.sources))
        assert [(type(each), each.where) for each in found] == [
            (LockError, "input/config.yaml:a"),
            (LockError, "input/config.yaml:c"),
        ]
        assert all("cluster-forge mine" in str(each.fix) for each in found)


@pytest.mark.parametrize(("version", "is_kept"), [("1.0.0", True), ("2.0.0", False)])
def test_a_lock_counts_for_the_range_that_it_was_made_for(workshop: Workshop, version: str, is_kept: bool) -> None:
    for each in ("1.0.0", "2.0.0"):
        workshop.chart("web", {}, version=each)
    asked = HelmSource(chart="web", release="web", repository=REPOSITORY, version="1.0.0")
    lock = locking(fetched(workshop, workshop.component("web", helm=asked)))
    component = workshop.component(
        "web", helm=HelmSource(chart="web", release="web", repository=REPOSITORY, version=version)
    )
    if is_kept:
        assert pin.from_lock([component], lock, workshop.sources).pins
    else:
        assert [type(each) for each in workshop.errors(lambda: pin.from_lock([component], lock, workshop.sources))] == [
            LockError
        ]
