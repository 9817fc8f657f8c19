"""outdated: for every chart of a stack the versions that its repository has by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from cluster_forge.catalog import versions as catalog_versions
from cluster_forge.catalog.library import Library
from cluster_forge.foundation.errors import DescriptionError, ForgeError, expected
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.foundation.versions import SemanticVersion, newest_first, spelled
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.rendering import HelmEngine
from cluster_forge.ports.sources import ChartRelease, ChartReleases
from cluster_forge.ports.workers import Workers
from cluster_forge.stack import version_ranges
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import HelmSource, Target
from cluster_forge.stages.build import locking
from cluster_forge.stages.build.locking import Source
from cluster_forge.stages.supply.locked_stack import LockedStack

_STAGE = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedRequest(LockedStack):
    """The stack and its lock; the catalog knows which versions of its components support which Kubernetes."""

    catalog: Library


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartStatus:
    """A chart as locked, and what its repository offers: the newest version in the range of the description, the newest
    one for the target's Kubernetes version, and the newest one at all. None: there is none.

    ``locked`` is empty for a chart that is not in the lock. ``releases`` are those that are named here, by version.
    ``errors`` are there instead of versions if the repository could not be asked.
    """

    component: ComponentName
    address: str
    asked: str
    locked: str = ""
    in_range: str | None = None
    fitting: str | None = None
    newest: str | None = None
    releases: Mapping[str, ChartRelease] = field(default_factory=dict)
    errors: tuple[ForgeError, ...] = ()

    @property
    def is_outdated(self) -> bool:
        """Whether a version for the target is newer than the locked one."""
        return self.fitting is not None and _is_newer(self.fitting, self.locked)

    @property
    def is_withdrawn(self) -> bool:
        """Whether the repository does not offer the locked version any more."""
        return bool(self.locked) and not self.errors and self.locked not in self.releases

    @property
    def is_deprecated(self) -> bool:
        """Whether the maintainers call the chart deprecated: its newest version says so (Helm, "Deprecating Charts")."""
        return any(
            release.deprecated for version, release in self.releases.items() if version in (self.newest, self.locked)
        )

    @property
    def is_current(self) -> bool:
        """Whether nothing is to be said about it."""
        has_newer = self.newest is not None and _is_newer(self.newest, self.locked)
        return not (has_newer or self.errors or self.is_withdrawn or self.is_deprecated)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedResult:
    """The charts of the stack in its order, and the addresses of its sources that have no versions."""

    charts: tuple[ChartStatus, ...]
    unversioned: tuple[str, ...]


def outdated(
    request: OutdatedRequest, repositories: ChartReleases, engine: HelmEngine, workers: Workers, reporter: Reporter
) -> OutdatedResult:
    """Ask the repositories of all charts; a repository that does not answer is an error of its charts only."""
    described = locking.fetched_sources(request.stack)
    charts = [(source, source.helm) for source in described if source.helm and not source.helm.git]

    def ask(item: tuple[Source, HelmSource]) -> ChartStatus:
        source, helm = item
        reporter.item_started(_STAGE, source.component.name)
        try:
            status = _compared(source, repositories.releases(helm), request, engine)
        except (ForgeError, ExceptionGroup) as error:
            status = ChartStatus(
                component=source.component.name,
                address=source.address,
                asked=source.asked,
                locked=_locked(source, request.lock),
                errors=tuple(locking.of_component(source.component, inner) for inner in expected(error)),
            )
        reporter.item_finished(_STAGE, source.component.name, status.newest or "")
        return status

    reporter.stage_started(_STAGE, len(charts))
    statuses = workers.map(ask, charts)
    reporter.stage_finished(_STAGE, f"{counted(len(statuses), 'chart')} compared with their repositories")
    return OutdatedResult(
        charts=tuple(statuses),
        unversioned=tuple(dict.fromkeys(source.address for source in described if not source.helm or source.helm.git)),
    )


def _compared(
    source: Source, releases: Sequence[ChartRelease], request: OutdatedRequest, engine: HelmEngine
) -> ChartStatus:
    locked = _locked(source, request.lock)
    by_version = {release.version: release for release in releases}
    offered = newest_first(by_version)
    candidates = (
        offered if _is_prerelease(locked) else [text for text in offered if not _is_prerelease(text)] or offered
    )
    refused = _refused_by_catalog(source, request.catalog, request.stack.target)
    supports = partial(_supports, target=request.stack.target, engine=engine, known={})
    in_range = spelled(source.asked, by_version)
    if in_range is None and not version_ranges.is_exact(source.asked):
        in_range = engine.newest_in_range(source.asked or "*", offered)
    fitting = next((text for text in candidates if text not in refused and supports(by_version[text])), None)
    newest = next(iter(candidates), None)
    return ChartStatus(
        component=source.component.name,
        address=source.address,
        asked=source.asked,
        locked=locked,
        in_range=in_range,
        fitting=fitting,
        newest=newest,
        releases={
            text: by_version[text] for text in (locked, in_range, fitting, newest) if text and text in by_version
        },
    )


def _locked(source: Source, lock: Lock) -> str:
    locked = source.locked_in(lock)
    return locked.version if locked else ""


def _supports(release: ChartRelease, *, target: Target, engine: HelmEngine, known: dict[str, bool]) -> bool:
    """Whether the chart's ``kubeVersion`` allows the target, as Helm compares it (``chartutil.IsCompatibleRange``): a
    range that cannot be read allows none. ``known`` has what was asked before.
    """
    constraint = release.kube_version
    if constraint and constraint not in known:
        try:
            known[constraint] = engine.newest_in_range(constraint, [target.kubernetes.release]) is not None
        except DescriptionError:
            known[constraint] = False
    return not constraint or known[constraint]


def _refused_by_catalog(source: Source, catalog: Library, target: Target) -> Collection[str]:
    """The versions of the chart that do not support the target, as the catalog knows; those that it lacks are not refused."""
    name = source.component.name
    if name not in catalog.names or source.helm is None:
        return ()
    component = catalog.component(name)
    return {
        version.version
        for version in component.versions
        if catalog_versions.chart_of(component, version).get("chart") == source.helm.chart
        and not catalog_versions.supports(version, target.kubernetes.minor)
    }


def _is_prerelease(text: str) -> bool:
    version = SemanticVersion.parse(text)
    return version is not None and not version.release


def _is_newer(text: str, than: str) -> bool:
    version, other = SemanticVersion.parse(text), SemanticVersion.parse(than)
    return version > other if version and other else text != than
