"""mine: fetch, verify and lock every source, and render it into `input/<component>/manifests/sourced/`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from cluster_forge.checks import reading
from cluster_forge.foundation.error_groups import gathered, raise_all
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack import lock_file, version_ranges
from cluster_forge.stack.component import Component, Upstream
from cluster_forge.stack.lock import FILE, Lock, LockedComponent, LockedSource
from cluster_forge.stack.model import Stack, Target
from cluster_forge.stages.build import edits, finding_policy, locking, written_files
from cluster_forge.stages.build.casting import base_image
from cluster_forge.stages.build.edits import DiscardedEdits, Edit
from cluster_forge.stages.build.rendering import sourced_tree
from cluster_forge.stages.build.rendering.component_sources import ComponentSources, has_sources, sourced_folder
from cluster_forge.stages.build.rendering.render import render, rendering
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.describe import source_findings
from cluster_forge.stages.toolbox import Toolbox

_NOT_HERE = "mine overwrites this folder: change values, `exclude` objects, or edit working/"


@dataclass(frozen=True, slots=True, kw_only=True)
class MineRequest:
    """The stack and its lock. ``update`` names the components whose versions are resolved again, in the range ``within``, too.

    ``whole`` renders all of the stack, own files included, so that smelt need not; smelt then reports the findings about
    sources, too. Components with an `Upstream` are
    mined if ``upstream`` is set, and otherwise where their folder is missing.
    """

    stack: Stack
    lock: Lock
    update: frozenset[str] = frozenset()
    within: str = ""
    whole: bool = False
    upstream: bool = True

    @property
    def known(self) -> Lock:
        """The lock without what is resolved again: the components in ``update``, and the base image if that is the whole
        stack.
        """
        known = self.lock.only(self.lock.components.keys() - self.update)
        is_whole = not self.stack.left_out and self.update.issuperset(
            component.name for component in self.stack.components
        )
        return replace(known, base=None) if self.update and is_whole else known

    @property
    def expected(self) -> Lock:
        """The lock that results are compared with; new ones of components in ``update`` are accepted, whatever they are."""
        updated = (component for name, component in self.lock.components.items() if name in self.update)
        return self.lock.having(replace(component, inputs=None) for component in updated)


@dataclass(frozen=True, slots=True, kw_only=True)
class MineResult:
    """The lock, and the sources that are in it.

    ``rendered`` are all components with their objects, if ``whole`` was requested. ``objects`` counts the objects of each
    component with sources, ``reused`` names those whose sourced tree was current. ``findings`` are those of this stage,
    ``discarded`` the hand edits of sourced trees that were overwritten.
    """

    lock: Lock
    sources: Mapping[ComponentName, ComponentSources]
    rendered: Mapping[ComponentName, RenderedComponent] | None
    objects: Mapping[ComponentName, int]
    reused: frozenset[ComponentName]
    findings: tuple[Finding, ...] = ()
    discarded: tuple[DiscardedEdits, ...] = ()

    def chart(self, name: str) -> LockedSource | None:
        """The chart of a component, if it has one."""
        sources = self.sources.get(ComponentName(name))
        return sources.chart if sources else None


def mine(request: MineRequest, toolbox: Toolbox, sources: Sources, reporter: Reporter) -> MineResult:
    """Fetch and lock the sources; write the sourced trees and the lock.

    Raises:
        DescriptionError, ExceptionGroup: for each chart of an exact version, if versions are resolved ``within`` a range.
        ForgeError, ExceptionGroup: the errors of all components: FetchError, OfflineError, ArchiveError, LockError,
            RenderError, ManifestError, EditedError. Nothing is written then, but what was fetched stays in the store.
    """
    stack = request.stack
    upstream = [
        locking.as_upstream(component, component.upstream)
        for component in stack.components
        if component.upstream and _is_due(component.upstream, request, toolbox.files)
    ]
    sourced = [component for component in stack.components if has_sources(component)]
    if request.within:
        raise_all(version_ranges.within_errors((*upstream, *sourced), request.within))
    number = sum(len(locking.sources_of(component)) for component in (*upstream, *sourced))
    reporter.stage_started("mine", number + (stack.image.base is not None))
    warnings = () if request.whole else finding_policy.unignored(source_findings.findings(stack), stack.finding_policy)
    for finding in warnings:  # before a password is sent
        reporter.finding_reported(finding)
    fetch = partial(
        locking.fetch,
        lock=request.known,
        sources=sources,
        workers=toolbox.fetchers,
        reporter=reporter,
        within=request.within,
    )
    base = _base(request, sources, reporter, lambda: fetch((*upstream, *sourced)))
    locked_upstream = fetch(upstream)
    to_render = stack if request.whole or sourced else replace(stack, components=())  # any CRD may change a chart
    if upstream:  # their folders come first: entries of `manifests` may be in them
        locked = fetch(sourced)
        regenerated, upstream_edits = _regenerate_folders(stack, upstream, locked_upstream, toolbox, reporter)
        results = render(to_render, locked, request.expected, toolbox, reporter, regenerates=True)
    else:
        regenerated, upstream_edits = [], DiscardedEdits()
        with rendering(to_render, request.expected, toolbox, reporter, regenerates=True) as begun:
            locked = fetch(sourced, when_fetched=begun.add_sources)
            results = begun.finish()
    entries, rendered, sourced_edits = _write_sourced_trees(stack, results, locked, request.lock, toolbox)
    discarded = tuple(filter(None, (upstream_edits, sourced_edits)))
    findings = (*(kept.finding("input/", _NOT_HERE) for kept in discarded), *_lost_in_reading(results))
    for finding in findings:
        reporter.finding_reported(finding)
    lock = replace(_lock(request.lock, entries, locked, locked_upstream), base=base)
    if lock != request.lock:
        toolbox.files.write(FILE, lock_file.emit(lock).encode())
    mined = [result for result in (*regenerated, *rendered.values()) if has_sources(result.component)]
    counts = {result.name: result.sourced_count for result in mined}
    if counts:
        reporter.stage_finished("mine", f"{counted(len(counts), 'component')} with sources, locked in {FILE}")
    return MineResult(
        lock=lock,
        sources=locked,
        rendered=rendered if request.whole else None,
        objects=counts,
        reused=frozenset(result.name for result in mined if result.reused_tree),
        findings=(*warnings, *findings),
        discarded=discarded,
    )


def _base(
    request: MineRequest, sources: Sources, reporter: Reporter, fetch_others: Callable[[], object]
) -> LockedSource | None:
    """The locked base image; if there is an error, together with those of the other sources."""
    try:
        return base_image.fetch(request.stack, request.known, sources, reporter)
    except ForgeError as error:
        problem = error

    def fail() -> None:
        raise problem

    gathered((fail, fetch_others))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SourcedTree:
    """A component's lock entry, its objects as they are read from the sourced tree, and the tree; None: it is there already.

    ``lost`` are the hand edits that it overwrites.
    """

    entry: LockedComponent
    component: RenderedComponent
    tree: FileTree | None = None
    lost: tuple[Edit, ...] = ()

    @property
    def folder(self) -> str:
        return f"input/{sourced_folder(self.component.component)}"


def _write_sourced_trees(
    stack: Stack,
    rendered: Mapping[ComponentName, RenderedComponent],
    locked: Mapping[ComponentName, ComponentSources],
    lock: Lock,
    toolbox: Toolbox,
) -> tuple[list[LockedComponent], dict[ComponentName, RenderedComponent], DiscardedEdits]:
    """Write the sourced trees. Returns the lock entries of all components with sources, all objects as written, and the
    hand edits that were overwritten.

    Raises:
        EditedError, ExceptionGroup: for each folder that has files which mine did not write; nothing is written then.
    """
    trees = gathered(
        partial(_sourced_tree, result, locked[name], lock.component(name), stack.target, toolbox)
        for name, result in rendered.items()
        if has_sources(result.component)
    )
    discarded = edits.keep([edit for tree in trees for edit in tree.lost], toolbox.kept_edits)
    toolbox.files.replace_trees({tree.folder: tree.tree for tree in trees if tree.tree is not None})
    written = {tree.component.name: tree.component for tree in trees}
    return [tree.entry for tree in trees], {**rendered, **written}, discarded


def _sourced_tree(
    result: RenderedComponent,
    sources: ComponentSources,
    before: LockedComponent | None,
    target: Target,
    toolbox: Toolbox,
) -> _SourcedTree:
    """What is written for a component with sources; ``before`` is its entry in the lock.

    Raises:
        EditedError: if its folder has files which mine did not write.
    """
    if result.reused_tree and before:
        return _SourcedTree(entry=replace(before, sources=sources.locked), component=result)
    component, files = result.component, toolbox.files
    engine = sourced_tree.engine(component, toolbox)
    folder = f"input/{sourced_folder(component)}"
    sourced_tree.refuse_others(folder, before, files)
    tree, written = sourced_tree.build_tree(result)
    to_write = sourced_tree.with_origins(tree, written)
    fingerprint = sourced_tree.fingerprint(
        component, sources, visible_apis=result.visible_apis, target=target, engine=engine, tree=tree.digest
    )
    is_as_locked = before is not None and before.rendered == fingerprint
    return _SourcedTree(
        entry=LockedComponent(
            name=result.name,
            sources=sources.locked,
            rendered=fingerprint,
            inputs=sourced_tree.inputs(component, sources, result.visible_apis, target, engine),
            required_apis=sourced_tree.locked_apis(result),
            remarks=tuple(map(str, result.remarks)),
        ),
        component=written,
        tree=written_files.recorded(to_write),
        lost=tuple(written_files.lost_edits(folder, to_write, files, is_as_written=is_as_locked)),
    )


def _lock(
    before: Lock,
    entries: Iterable[LockedComponent],
    locked: Mapping[ComponentName, ComponentSources],
    upstream: Mapping[ComponentName, ComponentSources],
) -> Lock:
    """The lock with the entries of this run; a component with an `Upstream` may have sources of its own, too."""
    lock = before.having(entries)
    added = []
    for name, sources in upstream.items():
        own = lock.component(name) if name in locked else None
        entry = own or LockedComponent(name=name)
        added.append(replace(entry, sources=entry.sources + sources.locked))
    return lock.having(added)


def _lost_in_reading(rendered: Mapping[ComponentName, RenderedComponent]) -> Iterator[Finding]:
    """What the sourced trees no longer show of what the sources have."""
    for result in rendered.values():
        for group in result.sourced:
            yield from reading.findings(group.manifests)


def _is_due(upstream: Upstream, request: MineRequest, files: Workspace) -> bool:
    return request.upstream or not files.read_tree(f"input/{upstream.folder}")


def _regenerate_folders(
    stack: Stack,
    upstream: list[Component],
    locked: Mapping[ComponentName, ComponentSources],
    toolbox: Toolbox,
    reporter: Reporter,
) -> tuple[list[RenderedComponent], DiscardedEdits]:
    """Render the components with an `Upstream` into their folders, without the objects that it excludes. Returns the
    hand edits there that were overwritten, too.
    """
    rendered = render(replace(stack, components=tuple(upstream)), locked, Lock(), toolbox, reporter)
    trees = {}
    lost: list[Edit] = []
    for name, result in rendered.items():
        described = stack.component(name).upstream
        assert described is not None
        folder = f"input/{described.folder}"
        sourced_tree.refuse_others(folder, None, toolbox.files, is_upstream=True)
        tree, _ = sourced_tree.build_tree(result, described.exclude)
        trees[folder] = written_files.recorded(tree)
        lost += written_files.lost_edits(folder, tree, toolbox.files)
    discarded = edits.keep(lost, toolbox.kept_edits)
    toolbox.files.replace_trees(trees)
    return list(rendered.values()), discarded
