"""Charts are rendered while others are still being fetched: the same results and errors, whatever takes how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.stages.conftest import OneByOne

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.errors import FetchError, LockError, ManifestError, RenderError
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.workers import Workers
from cluster_forge.stack import lock_file
from cluster_forge.stack.chart_dependencies import ChartDependency
from cluster_forge.stack.component import Component, HelmSource
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import Stack

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

PATIENCE = 20
"""Seconds after which a test gives up waiting."""
WIDGET = "example.com/v1"
GONE = "https://example.com/gone.yaml"


class HookedSources:
    """`ports.Sources` that calls ``before`` with the chart's name or the URL of whatever is fetched."""

    def __init__(self, inner: Sources, before: Callable[[str], object]) -> None:
        self._inner = inner
        self._before = before

    def chart(self, source: HelmSource, locked: LockedSource | None) -> LockedSource:
        self._before(source.chart)
        return self._inner.chart(source, locked)

    def image(
        self, reference: ImageReference, architectures: Sequence[str], locked: LockedSource | None
    ) -> LockedSource:
        return self._inner.image(reference, architectures, locked)

    def dependencies(self, source: HelmSource, chart: LockedSource) -> Sequence[ChartDependency]:
        return self._inner.dependencies(source, chart)

    def manifest(self, url: str, locked: LockedSource | None) -> LockedSource:
        self._before(url)
        return self._inner.manifest(url, locked)


class HookedRenderer:
    """`ports.Renderer` that calls ``before`` with the component of each job."""

    def __init__(self, inner: Renderer, before: Callable[[str], object]) -> None:
        self._inner = inner
        self._before = before
        self.version = inner.version
        self.required_apis = inner.required_apis
        self.release = inner.release

    def render(self, job: RenderJob) -> RenderedBatch:
        self._before(job.component)
        return self._inner.render(job)


def use(
    harness: Harness,
    workers: Workers,
    *,
    fetching: Callable[[str], object] = lambda _: None,
    rendering: Callable[[str], object] = lambda _: None,
) -> None:
    harness.sources = HookedSources(harness.sources, fetching)  # type: ignore[assignment]
    renderer = HookedRenderer(harness.toolbox.renderer, rendering)
    harness.toolbox = replace(harness.toolbox, workers=workers, fetchers=workers, renderer=renderer)


def chart(harness: Harness, name: str, template: str = "", **changes: object) -> Component:
    """A component with a chart, by default one that has a ConfigMap and asks for no API version."""
    templates = {"map.yaml": template or harness.config_map(name)}
    return harness.component(name, helm=harness.chart(name, templates), **changes)


def asking(harness: Harness, name: str, api: str = WIDGET) -> Component:
    """A component whose chart writes whether the API version is visible."""
    there = f'{{{{ .Capabilities.APIVersions.Has "{api}" | quote }}}}'
    return chart(harness, name, harness.config_map(name, f"there: {there}"))


def mixed(harness: Harness) -> Stack:
    """Charts that wait for nothing, for some API versions and for any; URLs and own files."""
    any_api = "there: {{ .Capabilities.APIVersions.Has .Values.api | quote }}"
    return harness.stack(
        asking(harness, "web"),
        chart(harness, "any", harness.config_map("any", any_api), values={"api": "gadgets.io/v1"}),
        *(chart(harness, f"plain-{number}") for number in range(4)),
        chart(harness, "crds", harness.crd("Widget")),
        harness.component(
            "gadget", manifests=(harness.url("https://example.com/g.yaml", harness.crd("Gadget", "gadgets.io")),)
        ),
        harness.component("own", manifests=(harness.input("own.yaml", harness.config_map("own")),)),
        asking(harness, "builtin", "policy/v1"),
    )


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


class TestResults:
    @pytest.mark.parametrize("jobs", [1, 2, 8])
    @pytest.mark.parametrize("slow", ["", "web", "crds", "plain-0", "gadget", "own"])
    def test_are_the_same_for_any_number_of_workers_and_any_timing(
        self, harness: Harness, jobs: int, slow: str
    ) -> None:
        stack = mixed(harness)
        expected = harness.again()
        expected.forge(stack)

        def dawdle(what: str) -> None:
            time.sleep(0.15 if slow and slow in what else 0)

        use(harness, ThreadWorkers(jobs), fetching=dawdle, rendering=dawdle)
        harness.forge(stack)
        assert harness.files.files == expected.files.files
        assert lock_file.emit(harness.lock) == lock_file.emit(expected.lock)
        assert harness.engine.renders_of("web") == 1

    def test_a_chart_is_rendered_before_the_next_is_fetched(self, harness: Harness) -> None:
        is_rendered = threading.Event()
        stack = harness.stack(chart(harness, "first"), chart(harness, "second"))

        def wait_for_first(name: str) -> None:
            assert name != "second" or is_rendered.wait(PATIENCE)

        use(harness, ThreadWorkers(2), fetching=wait_for_first, rendering=lambda _: is_rendered.set())
        assert harness.forge(stack).is_written

    def test_own_entries_are_rendered_before_anything_is_fetched(self, harness: Harness) -> None:
        is_rendered = threading.Event()
        own = harness.component("own", manifests=(harness.input("own.yaml", harness.config_map("own")),))
        stack = harness.stack(chart(harness, "web"), own)
        use(
            harness,
            ThreadWorkers(2),
            fetching=lambda _: is_rendered.wait(PATIENCE),
            rendering=lambda name: is_rendered.set() if name == "own" else None,
        )
        with at_most(PATIENCE):
            assert harness.forge(stack).is_written

    def test_the_largest_of_the_fetched_sources_is_rendered_first(self, harness: Harness) -> None:
        """While both workers render, five more sources are fetched; then one worker goes on."""
        rendered: list[str] = []
        may_go_on, may_end = threading.Event(), threading.Event()
        all_but_one = threading.Barrier(2, action=may_go_on.set, timeout=PATIENCE)
        many = [harness.config_map(f"map-{number}", f"a: {'x' * 500}") for number in range(20)]
        large = harness.component("large", manifests=(harness.url("https://example.com/large.yaml", *many),))
        charts = {name: chart(harness, name) for name in ("first", "second", "small", "last", "least")}
        stack = harness.stack(
            charts["first"], charts["second"], charts["small"], large, charts["last"], charts["least"]
        )

        def fetch(name: str) -> None:
            if name in ("last", "least"):
                all_but_one.wait()  # both threads are done with the others
            while name not in ("first", "second") and len(rendered) < 2:
                time.sleep(0.001)

        def render(name: str) -> None:
            rendered.append(name)
            if name in ("first", "second"):
                (may_end if name == rendered[0] else may_go_on).wait(PATIENCE)
            elif len(rendered) == len(stack.components):
                may_end.set()

        use(harness, ThreadWorkers(2), fetching=fetch, rendering=render)
        with at_most(PATIENCE):
            harness.forge(stack)
        assert rendered[2] == "large"

    def test_a_chart_that_asks_for_other_apis_waits_for_all(self, harness: Harness) -> None:
        rendered: list[str] = []
        stack = harness.stack(
            asking(harness, "web"), chart(harness, "late"), chart(harness, "crds", harness.crd("Widget"))
        )
        use(
            harness,
            ThreadWorkers(8),
            fetching=lambda name: time.sleep(0.2 if name == "late" else 0),
            rendering=rendered.append,
        )
        harness.forge(stack)
        assert rendered[-1] == "web"
        assert sorted(rendered) == ["crds", "late", "web"]
        assert '"true"' in harness.working["web/configmap_web_web.yaml"]

    @pytest.mark.parametrize("workers", [OneByOne(), ThreadWorkers(8)])
    def test_crds_that_define_a_built_in_api_version_are_visible_as_ever(
        self, harness: Harness, workers: Workers
    ) -> None:
        """The chart was rendered early without them; the lock has what the last round shows to it."""
        own = harness.component("own", manifests=(harness.input("own.yaml", harness.crd("Budget", "policy")),))
        stack = harness.stack(asking(harness, "web", "policy/v1"), own)
        again = harness.again()
        use(harness, workers)
        mined = harness.mine(stack, whole=True)
        assert mined.rendered
        (web,) = (result for result in mined.rendered.values() if result.name == "web")
        assert web.visible_apis == {"policy/v1"}
        again.lock, again.files.files = harness.lock, harness.files.files
        assert "web" in again.mine(stack).reused

    def test_a_mined_component_is_not_rendered_early(self, harness: Harness) -> None:
        stack = harness.stack(chart(harness, "web"), chart(harness, "other"))
        harness.forge(stack)
        again = harness.again()
        rendered: list[str] = []
        use(again, ThreadWorkers(2), rendering=rendered.append)
        assert again.mine(stack, whole=True).reused == {"web", "other"}
        assert again.engine.requests == []
        assert sorted(rendered) == ["other", "web"], "only the trees are read"


class TestErrors:
    def test_a_failed_fetch_abandons_what_is_being_rendered(self, harness: Harness) -> None:
        """The stage ends without waiting for the chart, and no other one starts."""
        is_rendering, may_end = threading.Event(), threading.Event()
        rendered: list[str] = []

        def render(name: str) -> None:
            rendered.append(name)
            is_rendering.set()
            may_end.wait(PATIENCE)

        components = [chart(harness, f"chart-{number}") for number in range(6)]
        gone = [harness.component(name, manifests=(f"{GONE}?{name}",)) for name in ("gone", "lost")]
        use(
            harness,
            ThreadWorkers(2),
            fetching=lambda name: is_rendering.wait(PATIENCE) if GONE in name else None,
            rendering=render,
        )
        try:
            with at_most(PATIENCE / 2):
                errors = harness.errors(lambda: harness.forge(harness.stack(*components, *gone)))
        finally:
            may_end.set()
        assert [(type(error), error.where) for error in errors] == [
            (FetchError, "input/config.yaml:gone"),
            (FetchError, "input/config.yaml:lost"),
        ]
        assert harness.files.files == {}
        time.sleep(0.1)
        assert len(rendered) <= 2

    @pytest.mark.parametrize("jobs", [1, 2, 8])
    def test_a_chart_that_does_not_render_is_not_reported_with_a_failed_fetch(
        self, harness: Harness, jobs: int
    ) -> None:
        """As without early rendering: charts are looked at when all of them are there."""
        failing = chart(harness, "failing", '{{ fail "no" }}')
        gone = harness.component("gone", manifests=(GONE,))
        use(harness, ThreadWorkers(jobs), fetching=lambda name: time.sleep(0.2 if name == GONE else 0))
        errors = harness.errors(lambda: harness.forge(harness.stack(failing, gone)))
        assert [type(error) for error in errors] == [FetchError]
        assert harness.files.files == {}

    @pytest.mark.parametrize("jobs", [1, 2, 8])
    def test_an_error_in_own_files_comes_before_those_of_charts(self, harness: Harness, jobs: int) -> None:
        failing = chart(harness, "failing", '{{ fail "no" }}')
        own = harness.component("own", manifests=(harness.input("own.yaml", "a: [\n"),))
        use(harness, ThreadWorkers(jobs))
        errors = harness.errors(lambda: harness.forge(harness.stack(failing, own)))
        assert [type(error) for error in errors] == [ManifestError]

    @pytest.mark.parametrize("jobs", [1, 2, 8])
    def test_early_and_late_charts_are_reported_together_in_the_order_of_the_stack(
        self, harness: Harness, jobs: int
    ) -> None:
        guard = '{{ if .Capabilities.APIVersions.Has "example.com/v1" }}{{ end }}{{ fail "late" }}'
        early = [chart(harness, name, f'{{{{ fail "{name}" }}}}') for name in ("one", "two")]
        stack = harness.stack(chart(harness, "late", guard), *early, chart(harness, "fine"))
        use(harness, ThreadWorkers(jobs), rendering=lambda name: time.sleep(0.1 if name == "one" else 0))
        errors = harness.errors(lambda: harness.forge(stack))
        assert [type(error) for error in errors] == [RenderError] * 3
        assert [error.where for error in errors] == [f"input/config.yaml:{name}" for name in ("one", "two", "late")]
        assert harness.files.files == {}

    def test_a_bug_in_an_early_chart_is_raised_as_it_is(self, harness: Harness) -> None:
        def render(_: str) -> None:
            raise ZeroDivisionError("bug")

        stack = harness.stack(chart(harness, "web"), chart(harness, "other"))
        use(harness, ThreadWorkers(2), rendering=render)
        with pytest.raises(ZeroDivisionError, match="bug"):
            harness.forge(stack)

    def test_a_source_that_vanished_from_the_store_is_a_lock_error(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another process may clean the store while this one fetches."""
        url = harness.url("https://example.com/a.yaml", harness.config_map("a"))
        stack = harness.stack(chart(harness, "web"), harness.component("url", manifests=(url,)))
        use(harness, ThreadWorkers(2))
        monkeypatch.setattr(harness.store, "get", lambda _: None)
        errors = harness.errors(lambda: harness.forge(stack))
        assert [(type(error), error.where) for error in errors] == [
            (LockError, "input/config.yaml:web"),
            (LockError, "input/config.yaml:url"),
        ]


def test_render_starts_with_mine_and_counts_every_component_once(harness: Harness) -> None:
    stack = mixed(harness)
    use(harness, ThreadWorkers(8))
    harness.mine(stack, whole=True)
    events = [event for event in harness.reporter.events if event[0] != "advanced"]
    assert events == [
        ("started", "mine", "9"),
        ("started", "render", "10"),
        ("finished", "render", "10 rendered"),
        ("finished", "mine", "9 components with sources, locked in cluster-forge.lock"),
    ]
    advanced = [event[1:3] for event in harness.reporter.events if event[0] == "advanced"]
    assert len(advanced) == len(set(advanced)) == 19
