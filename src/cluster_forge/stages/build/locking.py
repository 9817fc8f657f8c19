"""Which bytes every source of a stack stands for: from the lock, or found now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from cluster_forge.foundation.addresses import as_key
from cluster_forge.foundation.errors import ForgeError, raise_all
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.sources import Pinned, Sources
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.lock import Lock, LockedSource
from cluster_forge.stack.model import Component, HelmSource
from cluster_forge.stages.toolbox import Pins, is_url, not_mined


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of one component: a chart, or the URL of manifests."""

    component: Component
    helm: HelmSource | None = None
    url: str = ""

    @property
    def address(self) -> str:
        """As the lock calls it: a URL, a path relative to ``input/``, or a repository and the chart's name."""
        if self.helm is None:
            return as_key(self.url)
        return f"{as_key(self.helm.repository)} {self.helm.chart}" if self.helm.repository else self.helm.chart

    @property
    def asked(self) -> str:
        return self.helm.version if self.helm else ""

    @property
    def is_local(self) -> bool:
        """Whether it lies in ``input/``, so that it is read anew each time and never fetched."""
        return self.helm is not None and self.helm.is_local


@dataclass(frozen=True, slots=True)
class ResolvedSources:
    """What the sources came to, by component, and the same as the lock keeps it."""

    pins: dict[ComponentName, Pins] = field(default_factory=dict)
    locked: dict[ComponentName, tuple[LockedSource, ...]] = field(default_factory=dict)


def sources_of(component: Component) -> list[Source]:
    """The component's chart and the URLs among its manifests."""
    charts = [Source(component=component, helm=component.helm)] if component.helm else []
    return charts + [Source(component=component, url=entry) for entry in component.manifests if is_url(entry)]


def from_lock(components: Iterable[Component], lock: Lock, sources: Sources) -> ResolvedSources:
    """The sources as the lock has them; nothing is fetched. Charts in ``input/`` are read as they are now.

    Raises:
        LockError, ExceptionGroup: for each source that is not in the lock; ArchiveError for a broken local chart.
    """

    def find(source: Source) -> Pinned:
        if source.is_local and source.helm:
            return sources.chart(source.helm, None)
        locked = _locked(source, lock)
        if locked is None:
            raise not_mined(source.component, source.address)
        return locked

    return _collect(components, lambda every: _each(find, every))


def fetched(
    components: Iterable[Component],
    lock: Lock,
    sources: Sources,
    workers: Workers,
    reporter: Reporter,
) -> ResolvedSources:
    """The sources, fetched where the store lacks them; those that the lock does not have are resolved.

    Raises:
        ExceptionGroup: of every source's error: FetchError, OfflineError, ArchiveError, LockError, DescriptionError.
    """

    def find(source: Source) -> Pinned:
        locked, name = _locked(source, lock), source.component.name
        reporter.item_started("mine", name)
        try:
            pin = sources.chart(source.helm, locked) if source.helm else sources.manifest(source.url, locked)
        except ForgeError as error:
            place = error.where or source.component.where
            fix = error.fix.replace("--update NAME", f"--update {name}") if error.fix else None
            raise type(error)(f"component {name}: {error.message}", where=place, fix=fix) from error
        reporter.item_finished("mine", name, f"{source.address} {pin.version}".rstrip(), digest=str(pin.digest))
        return pin

    return _collect(components, lambda every: workers.map(find, every))


def _each(find: Callable[[Source], Pinned], every: Sequence[Source]) -> list[Pinned]:
    found: list[Pinned] = []
    errors: list[ForgeError] = []
    for source in every:
        try:
            found.append(find(source))
        except ForgeError as error:
            errors.append(error)
    raise_all(errors)
    return found


def _collect(components: Iterable[Component], find: Callable[[Sequence[Source]], list[Pinned]]) -> ResolvedSources:
    listed = list(components)
    every = [source for component in listed for source in sources_of(component)]
    by_component: dict[ComponentName, list[tuple[Source, Pinned]]] = {component.name: [] for component in listed}
    for source, pin in zip(every, find(every), strict=True):
        by_component[source.component.name].append((source, pin))
    found = ResolvedSources()
    for name, pairs in by_component.items():
        chart = next((pin for source, pin in pairs if source.helm), None)
        manifests = {source.url: pin for source, pin in pairs if not source.helm}
        found.pins[name] = Pins(chart=chart, manifests=manifests)
        found.locked[name] = tuple(
            LockedSource(address=source.address, asked=source.asked, version=pin.version, digest=pin.digest)
            for source, pin in pairs
        )
    return found


def _locked(source: Source, lock: Lock) -> Pinned | None:
    entry = lock.source(source.component.name, source.address, source.asked)
    return Pinned(address=entry.address, version=entry.version, digest=entry.digest) if entry else None
