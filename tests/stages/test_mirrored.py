"""What a mirror gets and what the lock is compared with: charts, manifests, and the base of the stack's image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from tests.stages.conftest import Harness

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, LockError
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.mirrors import MirrorCheck
from cluster_forge.stack.component import Upstream
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import ImageSettings, Stack
from cluster_forge.stages.build.casting import base_image
from cluster_forge.stages.supply import lock_check, mirrored
from cluster_forge.stages.supply.lock_check import SourceState
from cluster_forge.stages.supply.locked_stack import LockedStack

URL, BASE = "https://example.com/crds.yaml", "registry.example.com/base:1"


class MemoryMirror:
    """`ports.MirrorWriter` in a dict."""

    def __init__(self) -> None:
        self.contents: dict[LockedSource, bytes] = {}

    def write(
        self, sources: Sequence[LockedSource], content: Callable[[LockedSource], bytes]
    ) -> Sequence[LockedSource]:
        added = [source for source in sources if source not in self.contents]
        self.contents |= {source: content(source) for source in added}
        return added

    def check(self, wanted: Sequence[LockedSource]) -> MirrorCheck:
        missing = [source for source in wanted if source not in self.contents]
        return MirrorCheck(files=len(self.contents), problems=tuple(FetchError(source.title) for source in missing))


@pytest.fixture
def stack(harness: Harness) -> Stack:
    """Two components with one chart, a manifest, a chart in input/, and a base image; mined and locked."""
    chart = harness.chart("web", {})
    harness.sources.charts["./own", ""] = b"own"
    harness.url(URL, harness.config_map("crds"))
    harness.sources.images[BASE] = (Digest.of(b"index"), b"archive")
    stack = harness.stack(
        harness.component("one", helm=chart),
        harness.component("two", helm=chart, manifests=(URL,)),
        image=ImageSettings(base=ImageReference.parse(BASE)),
    )
    harness.mine(stack)
    return stack


def test_every_source_is_copied_once(harness: Harness, stack: Stack) -> None:
    mirror = MemoryMirror()
    locked = LockedStack(stack=stack, lock=harness.lock)
    result = mirrored.create(locked, mirror, harness.toolbox, harness.sources, harness.reporter)
    assert [source.address for source in result.sources] == [
        *("https://charts.example.com web", "https://example.com/crds.yaml", BASE)
    ]
    assert result.added == set(result.sources)
    assert mirror.contents[result.sources[2]] == b"archive"
    assert mirrored.create(locked, mirror, harness.toolbox, harness.sources, harness.reporter).added == frozenset()
    assert [source.users for source in locked.sources()] == [("one", "two"), ("two",), (base_image.ITEM,)]
    assert mirrored.verify(locked, mirror) == MirrorCheck(files=3)


def test_nothing_is_copied_unless_everything_is_there_as_locked(harness: Harness, stack: Stack) -> None:
    mirror = MemoryMirror()
    locked = LockedStack(stack=stack, lock=harness.lock)
    harness.store.entries.clear()
    harness.sources.images[BASE] = (Digest.of(b"index"), b"another")
    del harness.sources.urls[URL]
    errors = harness.errors(lambda: mirrored.create(locked, mirror, harness.toolbox, harness.sources, harness.reporter))
    assert [type(error) for error in errors] == [FetchError, LockError]
    assert mirror.contents == {}


def test_what_is_not_locked_is_an_error_of_all(harness: Harness, stack: Stack) -> None:
    unlocked = LockedStack(stack=stack, lock=replace(harness.lock, base=None, components={}))
    errors = harness.errors(unlocked.sources)
    assert [error.message.partition(":")[0] for error in errors] == [
        *("component one", "component two", "component two", "image")
    ]
    assert all(isinstance(error, LockError) for error in errors)


def test_the_upstream_of_a_component_is_a_source(harness: Harness) -> None:
    upstream = Upstream(folder="web/manifests/sourced", helm=harness.chart("web", {}))
    stack = harness.stack(harness.component("web", manifests=("web/manifests/sourced",), upstream=upstream))
    harness.mine(stack)
    (source,) = LockedStack(stack=stack, lock=harness.lock).sources()
    assert source.locked.address == "https://charts.example.com web"


def test_each_locked_source_is_compared(harness: Harness, stack: Stack) -> None:
    locked = LockedStack(stack=stack, lock=harness.lock)
    harness.store.entries.clear()
    harness.sources.images[BASE] = (Digest.of(b"index"), b"another")
    del harness.sources.urls[URL]
    checked = lock_check.verify(locked, harness.sources, harness.toolbox.workers, harness.reporter)
    assert [one.state for one in checked] == [SourceState.SAME, SourceState.UNKNOWN, SourceState.DIFFERENT]
    assert checked[2].errors[0].message.startswith("image: ")
