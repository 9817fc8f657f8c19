"""Which bytes every source of a stack stands for: looked up in the lock, or fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.component import Component, HelmSource, KustomizeSource, Upstream
from cluster_forge.stack.kustomization import remotes
from cluster_forge.stack.lock import (
    Lock,
    LockedSource,
    chart_address,
    chart_asked,
    chart_source,
    kustomization_address,
    kustomization_asked,
    manifest_address,
    manifest_asked,
)
from cluster_forge.stack.model import Stack
from cluster_forge.stack.version_ranges import intersection
from cluster_forge.stages.build.rendering.component_sources import ComponentSources, is_url, not_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of one component as described: a chart, a kustomization, or a URL of manifests."""

    component: Component
    helm: HelmSource | None = None
    kustomize: KustomizeSource | None = None
    url: str = ""
    is_base: bool = False
    """Whether the URL is that of a kustomization in Git, which another one uses: its whole repository is fetched."""

    @property
    def address(self) -> str:
        """The address as the lock has it."""
        if self.helm:
            return chart_address(self.helm)
        return kustomization_address(self.kustomize) if self.kustomize else manifest_address(self.url)

    @property
    def asked(self) -> str:
        """The version range or the REF in the description."""
        if self.helm:
            return chart_asked(self.helm)
        return kustomization_asked(self.kustomize) if self.kustomize else manifest_asked(self.url)

    @property
    def git(self) -> GitAddress | None:
        """Its address in Git, if it is there."""
        if self.helm:
            return self.helm.git
        if self.kustomize:
            return self.kustomize.git
        return GitAddress.parse(self.url) if is_git(self.url) else None

    @property
    def is_local(self) -> bool:
        """Whether it is a chart or a kustomization in ``input/``: read as it is now, never fetched."""
        if self.helm:
            return self.helm.is_local
        return self.kustomize is not None and self.kustomize.git is None

    def resolved(self, sources: Sources, locked: LockedSource | None) -> LockedSource:
        """The bytes that it stands for; see `Sources`."""
        if self.helm:
            return sources.chart(self.helm, locked)
        if self.kustomize:
            git = self.kustomize.git
            return sources.tree(git, locked) if git else sources.kustomization(self.kustomize)
        if self.is_base:
            return sources.tree(GitAddress.parse(self.url), locked)
        return sources.manifest(self.url, locked)

    def locked_in(self, lock: Lock) -> LockedSource | None:
        return lock.source(self.component.name, self.address, self.asked)


def sources_of(component: Component) -> list[Source]:
    """The component's chart, its kustomization, what that refers to elsewhere, and the URLs among its manifests."""
    single = [Source(component=component, helm=component.helm)] if component.helm else []
    single += [Source(component=component, kustomize=component.kustomize)] if component.kustomize else []
    named = component.kustomize.urls if component.kustomize else ()
    urls = {url: not remotes.is_file(url) for url in named} | dict.fromkeys(filter(is_url, component.manifests), False)
    return single + [Source(component=component, url=url, is_base=is_base) for url, is_base in urls.items()]


def fetched_sources(stack: Stack) -> list[Source]:
    """Every source in the description that is fetched, those of an `Upstream` too; charts in ``input/`` are not."""
    upstream = [as_upstream(component, component.upstream) for component in stack.components if component.upstream]
    return [
        source
        for component in (*upstream, *stack.components)
        for source in sources_of(component)
        if not source.is_local
    ]


def locked_dependencies(stack: Stack, lock: Lock) -> list[Source]:
    """The charts that charts in folders depend on: what the lock has for a component besides the sources in its description."""
    upstream = [as_upstream(component, component.upstream) for component in stack.components if component.upstream]
    described = {
        (component.name, source.address, source.asked)
        for component in (*upstream, *stack.components)
        for source in sources_of(component)
    }
    return [
        Source(component=component, helm=chart_source(entry))
        for component in stack.components
        if (locked := lock.component(component.name)) and _is_folder(component)
        for entry in locked.sources
        if (component.name, entry.address, entry.asked) not in described and " " in entry.address
        if not is_git(entry.address)
    ]


def _is_folder(component: Component) -> bool:
    """Whether a chart of the component, or of its upstream, is a folder: archives have all of their dependencies."""
    charts = (component.helm, component.upstream.helm if component.upstream else None)
    return any(chart.is_local or chart.git for chart in charts if chart)


def as_upstream(component: Component, upstream: Upstream) -> Component:
    """The component as its upstream renders it, before anything of the description is added."""
    return replace(
        component,
        namespace=upstream.namespace or component.namespace,
        helm=upstream.helm,
        kustomize=None,
        manifests=upstream.manifests,
        values=upstream.values,
        exclude=upstream.exclude,
    )


def locked_as(source: Source, lock: Lock) -> LockedSource:
    """The source as locked.

    Raises:
        LockError: if it is not in the lock.
    """
    locked = source.locked_in(lock)
    if locked is None:
        raise not_locked(source.component, source.address)
    return locked


def fetch_source(source: Source, locked: LockedSource | None, sources: Sources, *, within: str = "") -> LockedSource:
    """The source, fetched if the store lacks it; its version is resolved if it is not locked, also in the range ``within``.

    Raises:
        FetchError, OfflineError, ArchiveError, LockError, DescriptionError: with the component and its place.
    """
    helm = source.helm
    try:
        if helm is None or helm.git or helm.is_local or locked or not within:
            return source.resolved(sources, locked)
        narrowed = replace(helm, version=intersection(helm.version, within))
        return replace(sources.chart(narrowed, None), asked=helm.version)
    except ForgeError as error:
        raise of_component(source.component, error) from error


def of_component(component: Component, error: ForgeError) -> ForgeError:
    """The error of a source, with its component and the place in the description."""
    fix = error.fix.replace("--update NAME", f"--update {component.name}") if error.fix else None
    return type(error)(f"component {component.name}: {error.message}", where=error.where or component.where, fix=fix)


def look_up(components: Iterable[Component], lock: Lock, sources: Sources) -> dict[ComponentName, ComponentSources]:
    """Each component's sources as locked; nothing is fetched. What is in ``input/`` is read as it is now.

    Raises:
        LockError, ExceptionGroup: for each source that is not in the lock.
        ArchiveError: for a broken local chart.
    """

    def resolve(source: Source) -> LockedSource:
        if source.is_local:
            return source.resolved(sources, None)
        return locked_as(source, lock)

    def look_up_all(component: Component) -> tuple[ComponentName, ComponentSources]:
        locked = _of_component(component, gathered(partial(resolve, source) for source in sources_of(component)))
        return component.name, _with_dependencies(
            component, locked, sources, lambda needed: gathered(partial(resolve, source) for source in needed)
        )

    return dict(gathered(partial(look_up_all, component) for component in components))


def fetch(  # noqa: PLR0913 - what a stage has, and who waits for it
    components: Iterable[Component],
    lock: Lock,
    sources: Sources,
    workers: Workers,
    reporter: Reporter,
    *,
    within: str = "",
    when_fetched: Callable[[Component, ComponentSources], None] = lambda _component, _sources: None,
) -> dict[ComponentName, ComponentSources]:
    """Each component's sources, fetched where the store lacks them; versions that are not locked are resolved,
    also in the range ``within``.

    ``when_fetched`` is called for each component as soon as all of its sources are fetched, from any thread.

    Raises:
        ExceptionGroup: the errors of all sources: FetchError, OfflineError, ArchiveError, LockError, DescriptionError.
    """

    def resolve(source: Source, *, within: str = within) -> LockedSource:
        name = source.component.name
        reporter.item_started("mine", name)
        fetched = fetch_source(source, source.locked_in(lock), sources, within=within)
        reporter.item_finished("mine", name, f"{source.address} {fetched.version}".rstrip(), digest=str(fetched.digest))
        return fetched

    def fetch_all(component: Component) -> tuple[ComponentName, ComponentSources]:
        fetched = _of_component(component, workers.map(resolve, sources_of(component)))
        fetched = _with_dependencies(component, fetched, sources, partial(workers.map, partial(resolve, within="")))
        when_fetched(component, fetched)
        return component.name, fetched

    return dict(workers.map(fetch_all, components))


def _with_dependencies(
    component: Component,
    locked: ComponentSources,
    sources: Sources,
    resolve: Callable[[Sequence[Source]], Iterable[LockedSource]],
) -> ComponentSources:
    """The sources with the charts that the component's chart depends on and does not contain."""
    if not component.helm or not locked.chart:
        return locked
    needed = sources.dependencies(component.helm, locked.chart)
    if not needed:
        return locked
    resolved = resolve([Source(component=component, helm=dependency.source) for dependency in needed])
    by_path = {one.path(entry.version): entry for one, entry in zip(needed, resolved, strict=True)}
    return replace(locked, dependencies=by_path)


def _of_component(component: Component, locked: Iterable[LockedSource]) -> ComponentSources:
    """The component's `sources_of` as locked."""
    pairs = list(zip(sources_of(component), locked, strict=True))
    return ComponentSources(
        chart=next((entry for source, entry in pairs if source.helm), None),
        kustomization=next((entry for source, entry in pairs if source.kustomize), None),
        manifests={source.url: entry for source, entry in pairs if source.url},
    )
