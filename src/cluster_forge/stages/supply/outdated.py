"""outdated: for every source of a stack what there is by now: versions of charts, tags and commits in Git, images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cluster_forge.catalog import versions as catalog_versions
from cluster_forge.catalog.library import Library
from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.git_addresses import GitAddress, is_commit
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.versions import SemanticVersion, newest_first, spelled, tagged
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.rendering import HelmEngine
from cluster_forge.ports.sources import ChartRelease, GitOffer, Offers
from cluster_forge.ports.workers import Workers
from cluster_forge.stack import version_ranges
from cluster_forge.stack.lock import LockedSource, image_address
from cluster_forge.stack.model import Target
from cluster_forge.stages.build import locking
from cluster_forge.stages.build.casting import base_image
from cluster_forge.stages.build.locking import Source
from cluster_forge.stages.supply.locked_stack import LockedStack
from cluster_forge.stages.supply.source_status import SourceStatus

_STAGE = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedRequest(LockedStack):
    """The stack and its lock; the catalog knows which versions of its components support which Kubernetes."""

    catalog: Library


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedResult:
    """The sources of the stack in its order, what their charts depend on, the base image and catalogs in Git; and the
    addresses of the sources that have no versions.
    """

    sources: tuple[SourceStatus, ...]
    unversioned: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A source as locked, how to find what there is by now, and how its errors are worded."""

    known: SourceStatus
    ask: Callable[[SourceStatus], SourceStatus]
    in_place: Callable[[ForgeError], ForgeError] = lambda error: error

    @property
    def key(self) -> tuple[str, ...]:
        """What it is known by: a component and its upstream may have the same source."""
        return self.known.title, self.known.address, self.known.asked

    def answer(self) -> SourceStatus:
        try:
            return self.ask(self.known)
        except (ForgeError, ExceptionGroup) as error:
            return replace(self.known, errors=tuple(map(self.in_place, expected(error))))


def outdated(
    request: OutdatedRequest, offers: Offers, engine: HelmEngine, workers: Workers, reporter: Reporter
) -> OutdatedResult:
    """Ask where all sources come from; a place that does not answer is an error of its sources only."""
    asking = _Asking(request, offers, engine)

    def ask(question: _Question) -> SourceStatus:
        reporter.item_started(_STAGE, question.known.title)
        status = question.answer()
        reporter.item_finished(_STAGE, status.title, status.newest or "")
        return status

    questions = list({question.key: question for question in asking.questions()}.values())
    reporter.stage_started(_STAGE, len(questions))
    statuses = workers.map(ask, questions)
    reporter.stage_finished(_STAGE, f"{counted(len(statuses), 'source')} compared with what there is by now")
    return OutdatedResult(sources=tuple(statuses), unversioned=tuple(dict.fromkeys(asking.unversioned())))


@dataclass(frozen=True, slots=True)
class _Asking:
    """The questions about the sources of a stack."""

    request: OutdatedRequest
    offers: Offers
    engine: HelmEngine

    def questions(self) -> Iterator[_Question]:
        stack, lock = self.request.stack, self.request.lock
        for source in locking.fetched_sources(stack):
            if _has_versions(source):
                yield self._of_component(source)
        for source in locking.locked_dependencies(stack, lock):
            assert source.helm
            yield self._of_component(source, dependency=source.helm.chart)
        yield from self._base()
        for locked in lock.catalogs:
            address = replace(GitAddress.parse(locked.address), ref=locked.asked)
            if not address.is_commit:
                known = _known("catalogs", locked.address, locked.asked, locked)
                yield _Question(known=known, ask=partial(self._in_git, address, locked))

    def unversioned(self) -> Iterator[str]:
        """The addresses of what has no versions: manifests by URL, and what is fixed by a commit or a digest."""
        stack, lock = self.request.stack, self.request.lock
        for source in locking.fetched_sources(stack):
            if not _has_versions(source):
                yield source.address
        if stack.image.base and stack.image.base.digest:
            yield str(stack.image.base)
        yield from (locked.address for locked in lock.catalogs if is_commit(locked.asked))

    def _of_component(self, source: Source, dependency: str = "") -> _Question:
        locked = source.locked_in(self.request.lock)
        known = _known(source.component.name, source.address, source.asked, locked, dependency)
        ask = partial(self._in_git, source.git, locked) if source.git else partial(self._chart, source)
        return _Question(known=known, ask=ask, in_place=partial(locking.of_component, source.component))

    def _base(self) -> Iterator[_Question]:
        stack = self.request.stack
        reference = stack.image.base
        if reference is None or reference.digest:
            return
        locked = base_image.as_locked(stack, self.request.lock)
        known = _known(base_image.ITEM, image_address(reference), base_image.platforms(stack), locked)

        def ask(known: SourceStatus) -> SourceStatus:
            digest = self.offers.image_digest(reference, locked)
            if digest is None:
                return replace(known, is_withdrawn=True)
            return replace(_now(known, str(digest)), is_moved=known.locked not in ("", str(digest)))

        yield _Question(known=known, ask=ask, in_place=partial(base_image.in_place, stack))

    def _in_git(self, address: GitAddress, locked: LockedSource | None, known: SourceStatus) -> SourceStatus:
        """A branch is compared by its commit; a tag with the tags that have the same prefix, if it reads as a version."""
        offer = self.offers.in_git(address, locked)
        if not offer.tag:
            return _now(known, offer.commit)
        newest = _newest_like(offer)
        return replace(
            known,
            locked=offer.tag if locked else "",
            in_range=offer.tag,
            fitting=newest,
            newest=newest,
            is_moved=locked is not None and locked.version != offer.commit,
        )

    def _chart(self, source: Source, known: SourceStatus) -> SourceStatus:
        assert source.helm
        request, engine = self.request, self.engine
        by_version = {release.version: release for release in self.offers.releases(source.helm)}
        offered = newest_first(by_version)
        candidates = _candidates(known.locked, offered)
        refused = _refused_by_catalog(source, request.catalog, request.stack.target)
        supports = partial(_supports, target=request.stack.target, engine=engine, known={})
        in_range = spelled(source.asked, by_version)
        if in_range is None and not version_ranges.is_exact(source.asked):
            in_range = engine.newest_in_range(source.asked or "*", offered)
        fitting = next((text for text in candidates if text not in refused and supports(by_version[text])), None)
        newest = next(iter(candidates), None)
        named = (known.locked, in_range, fitting, newest)
        return replace(
            known,
            in_range=in_range,
            fitting=fitting,
            newest=newest,
            is_withdrawn=bool(known.locked) and known.locked not in by_version,
            releases={text: by_version[text] for text in named if text and text in by_version},
        )


def _has_versions(source: Source) -> bool:
    return not source.git.is_commit if source.git else source.helm is not None


def _known(component: str, address: str, asked: str, locked: LockedSource | None, dependency: str = "") -> SourceStatus:
    version = locked.version if locked else ""
    return SourceStatus(component=component, dependency=dependency, address=address, asked=asked, locked=version)


def _now(known: SourceStatus, version: str) -> SourceStatus:
    """The status of a source that has one version at a time."""
    return replace(known, in_range=version, fitting=version, newest=version)


def _newest_like(offer: GitOffer) -> str:
    """The newest tag with the prefix of that of ``offer``; this one itself, if no other is newer."""
    parts = tagged(offer.tag)
    if parts is None:
        return offer.tag
    prefix, version = parts
    others = {other[1]: tag for tag in offer.tags if (other := tagged(tag)) and other[0] == prefix}
    newest = next(iter(_candidates(version, newest_first([version, *others]))))
    return others.get(newest, offer.tag)


def _candidates(locked: str, offered: Sequence[str]) -> Sequence[str]:
    """The versions that count, newest first: without pre-releases, unless the locked one is one, or there is nothing else."""
    if _is_prerelease(locked):
        return offered
    return [text for text in offered if not _is_prerelease(text)] or offered


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
