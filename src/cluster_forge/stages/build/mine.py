"""mine: fetch, verify and lock every source, and render it into `input/<component>/manifests/sourced/`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.ports.sources import Pinned, Sources
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack import lock_file
from cluster_forge.stack.lock import FILE, Lock, LockedComponent, LockedSource
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages.build import sourced_tree, locking
from cluster_forge.stages.toolbox import Pins, Toolbox, has_sources, sourced_folder
from cluster_forge.stages.build.locking import ResolvedSources
from cluster_forge.stages.build.render import ComponentObjects, render


@dataclass(frozen=True, slots=True, kw_only=True)
class MineRequest:
    """The stack and its lock. ``update`` names the components whose sources are resolved anew.

    ``whole`` renders the stack with what was never outside (so that smelt need not). Components with an `Upstream` are
    mined when ``upstream`` says so, and otherwise where their folder is missing.
    """

    stack: Stack
    lock: Lock
    update: frozenset[str] = frozenset()
    whole: bool = False
    upstream: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MineResult:
    """What was found. ``contents`` are all components' objects, where the whole stack was rendered.

    ``objects`` counts what came from outside, ``reused`` names the components whose folder was right already.
    """

    lock: Lock
    pins: Mapping[ComponentName, Pins]
    contents: Mapping[ComponentName, ComponentObjects] | None
    objects: Mapping[ComponentName, int]
    reused: frozenset[ComponentName]

    def chart(self, name: str) -> Pinned | None:
        """The chart that a component came from, if it has one."""
        pins = self.pins.get(ComponentName(name))
        return pins.chart if pins else None


def mine(request: MineRequest, toolbox: Toolbox, sources: Sources, reporter: Reporter) -> MineResult:
    """Fetch and lock; write what was rendered, and the lock.

    Raises:
        ForgeError, ExceptionGroup: every error: FetchError, OfflineError, ArchiveError, LockError, RenderError,
            ManifestError. Nothing is written then, but what was fetched stays in the store.
    """
    stack = request.stack
    ahead = [_from_upstream(each) for each in stack.components if _is_due(each, request, toolbox.files)]
    listed = [each for each in stack.components if has_sources(each)]
    reporter.stage_started("mine", sum(len(locking.sources_of(each)) for each in (*ahead, *listed)))

    known = request.lock.only(request.lock.components.keys() - request.update)
    above = locking.fetched(ahead, known, sources, toolbox.workers, reporter)
    found = locking.fetched(listed, known, sources, toolbox.workers, reporter)
    old = render(replace(stack, components=tuple(ahead)), above.pins, Lock(), toolbox, reporter) if ahead else {}
    if old:
        toolbox.files.replace_trees(
            {_folder(name, stack): _above(content, _folder(name, stack)) for name, content in old.items()}
        )
    due = stack if request.whole or listed else replace(stack, components=())  # any CRD may change what a chart gives
    contents = render(due, found.pins, request.lock, toolbox, reporter)
    locked = _keep(stack, contents, found, request.lock, toolbox)
    for finding in _overwritten(locked, request.lock, contents):
        reporter.finding_reported(finding)
    lock = request.lock.having(locked)
    lock = lock.having(_with_sources(name, each, lock, found.pins) for name, each in above.locked.items() if each)
    if lock != request.lock:
        toolbox.files.write(FILE, lock_file.emit(lock).encode())
    made = {content.component.name: content.made for content in (*old.values(), *contents.values()) if content.made}
    if made:
        reporter.stage_finished("mine", f"{counted(len(made), 'component')} with sources, pinned in {FILE}")
    return MineResult(
        lock=lock,
        pins=found.pins,
        contents=contents if request.whole else None,
        objects={name: each.objects for name, each in made.items()},
        reused=frozenset(name for name, each in made.items() if each.kept),
    )


def _keep(
    stack: Stack, contents: dict[ComponentName, ComponentObjects], found: ResolvedSources, lock: Lock, toolbox: Toolbox
) -> list[LockedComponent]:
    """Write what was made now, and give what the lock has to say of every component with sources.

    ``contents`` then have it as it will be read back.
    """
    trees: dict[str, FileTree] = {}
    locked = []
    for name, content in list(contents.items()):
        if content.made is None:
            continue
        component, pins = content.component, found.pins[name]
        before = lock.component(name)
        if content.made.kept and before:
            locked.append(replace(before, sources=found.locked[name]))
            continue
        folder = f"input/{sourced_folder(component)}"
        tree, made = sourced_tree.written(content.made, component, folder)
        contents[name] = replace(content, made=made)
        trees[folder] = tree
        rendered = sourced_tree.fingerprint(
            component, pins=pins, announced=content.made.announced, stack=stack, toolbox=toolbox, content=tree.digest
        )
        locked.append(
            LockedComponent(
                name=name, sources=found.locked[name], rendered=rendered, required_apis=sourced_tree.required_apis_text(content.made)
            )
        )
    toolbox.files.replace_trees(trees)
    return locked


def _with_sources(
    name: ComponentName, sources: tuple[LockedSource, ...], lock: Lock, has_own: Collection[str]
) -> LockedComponent:
    """What the lock has to say of a component with an `Upstream`, which may have sources of its own, too."""
    own = lock.component(name) if name in has_own else None
    return replace(own, sources=own.sources + sources) if own else LockedComponent(name=name, sources=sources)


def _above(content: ComponentObjects, folder: str) -> FileTree:
    """The folder of a component with an `Upstream`: what that excludes never gets into it."""
    component = content.component
    return sourced_tree.written(content.made, component, folder, component.exclude)[0] if content.made else FileTree({})


def _overwritten(
    locked: Iterable[LockedComponent], before: Lock, contents: Mapping[ComponentName, ComponentObjects]
) -> Iterator[Finding]:
    """The folders that were edited by hand: what was made now is just what the lock has, and was not there any more."""
    for each in locked:
        made = contents[each.name].made if each.name in contents else None
        old = before.component(each.name)
        if made and not made.kept and old and old.rendered and old.rendered == each.rendered:
            yield Finding(
                code="hand-edited",
                severity=Severity.WARNING,
                component=each.name,
                where=f"input/{sourced_folder(contents[each.name].component)}/",
                message="was not as mine left it, and is made anew",
                fix="change values, `exclude` objects, or edit working/: what lies here is always made from the sources",
            )


def _is_due(component: Component, request: MineRequest, files: Workspace) -> bool:
    upstream = component.upstream
    return upstream is not None and (request.upstream or not files.read_tree(f"input/{upstream.folder}"))


def _from_upstream(component: Component) -> Component:
    """The component as its upstream makes it, before anything of one's own is added."""
    upstream = component.upstream
    assert upstream is not None
    return replace(
        component,
        namespace=upstream.namespace or component.namespace,
        helm=upstream.helm,
        manifests=upstream.manifests,
        values=upstream.values,
        exclude=upstream.exclude,
    )


def _folder(name: ComponentName, stack: Stack) -> str:
    upstream = stack.component(name).upstream
    assert upstream is not None
    return f"input/{upstream.folder}"
