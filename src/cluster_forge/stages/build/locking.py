"""Which bytes every source of a stack stands for: looked up in the lock, or fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cluster_forge.foundation.errors import ForgeError, raise_all
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.lock import Lock, LockedSource, chart_address, manifest_address
from cluster_forge.stack.model import Component, HelmSource
from cluster_forge.stages.build.component_sources import ComponentSources, is_url, not_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of one component as described: a chart, or a URL of manifests."""

    component: Component
    helm: HelmSource | None = None
    url: str = ""

    @property
    def address(self) -> str:
        """The address as the lock has it."""
        return chart_address(self.helm) if self.helm else manifest_address(self.url)

    @property
    def asked(self) -> str:
        """The version range in the description."""
        return self.helm.version if self.helm else ""

    @property
    def is_local(self) -> bool:
        """Whether it is a chart in ``input/``: read as it is now, never fetched."""
        return self.helm is not None and self.helm.is_local

    def locked_in(self, lock: Lock) -> LockedSource | None:
        return lock.source(self.component.name, self.address, self.asked)


def sources_of(component: Component) -> list[Source]:
    """The component's chart and the URLs among its manifests."""
    charts = [Source(component=component, helm=component.helm)] if component.helm else []
    return charts + [Source(component=component, url=entry) for entry in component.manifests if is_url(entry)]


def look_up(components: Iterable[Component], lock: Lock, sources: Sources) -> dict[ComponentName, ComponentSources]:
    """Each component's sources as locked; nothing is fetched. Charts in ``input/`` are read as they are now.

    Raises:
        LockError, ExceptionGroup: for each source that is not in the lock.
        ArchiveError: for a broken local chart.
    """

    def resolve(source: Source) -> LockedSource:
        if source.is_local and source.helm:
            return sources.chart(source.helm, None)
        locked = source.locked_in(lock)
        if locked is None:
            raise not_locked(source.component, source.address)
        return locked

    return _by_component(components, lambda listed: _one_by_one(resolve, listed))


def fetch(
    components: Iterable[Component], lock: Lock, sources: Sources, workers: Workers, reporter: Reporter
) -> dict[ComponentName, ComponentSources]:
    """Each component's sources, fetched where the store lacks them; versions that are not locked are resolved.

    Raises:
        ExceptionGroup: the errors of all sources: FetchError, OfflineError, ArchiveError, LockError, DescriptionError.
    """

    def resolve(source: Source) -> LockedSource:
        locked, name = source.locked_in(lock), source.component.name
        reporter.item_started("mine", name)
        try:
            fetched = sources.chart(source.helm, locked) if source.helm else sources.manifest(source.url, locked)
        except ForgeError as error:
            where = error.where or source.component.where
            fix = error.fix.replace("--update NAME", f"--update {name}") if error.fix else None
            raise type(error)(f"component {name}: {error.message}", where=where, fix=fix) from error
        reporter.item_finished("mine", name, f"{source.address} {fetched.version}".rstrip(), digest=str(fetched.digest))
        return fetched

    return _by_component(components, lambda listed: workers.map(resolve, listed))


def _one_by_one(resolve: Callable[[Source], LockedSource], sources: Sequence[Source]) -> list[LockedSource]:
    locked: list[LockedSource] = []
    errors: list[ForgeError] = []
    for source in sources:
        try:
            locked.append(resolve(source))
        except ForgeError as error:
            errors.append(error)
    raise_all(errors)
    return locked


def _by_component(
    components: Iterable[Component], resolve: Callable[[Sequence[Source]], list[LockedSource]]
) -> dict[ComponentName, ComponentSources]:
    """The sources of all components resolved in one go, then sorted back to their components."""
    listed = [(component, sources_of(component)) for component in components]
    locked = iter(resolve([source for _, sources in listed for source in sources]))
    by_component = {}
    for component, sources in listed:
        pairs = [(source, next(locked)) for source in sources]
        by_component[component.name] = ComponentSources(
            chart=next((entry for source, entry in pairs if source.helm), None),
            manifests={source.url: entry for source, entry in pairs if not source.helm},
        )
    return by_component
