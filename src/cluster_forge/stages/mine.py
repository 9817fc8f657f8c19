"""mine: fetch, verify and lock every source, and render it into `input/<component>/manifests/sourced/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import emit
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports import HelmEngine, Pinned, Reporter, Sources, StackFiles
from cluster_forge.stack import lock as lock_file
from cluster_forge.stack.lock import Lock, LockedComponent
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages import pin
from cluster_forge.stages.pin import Source
from cluster_forge.stages.render import Content, Group, Pins, Tools, fingerprint, render, sourced_folder
from cluster_forge.stages.smelt import check_target


@dataclass(frozen=True, slots=True, kw_only=True)
class MineRequest:
    """The stack and its lock. ``update`` names the components whose sources are resolved anew.

    ``whole`` also renders what was never outside (so that smelt need not). Components with an `Upstream` are mined
    when ``upstream`` says so, and otherwise where their folder is missing.
    """

    stack: Stack
    lock: Lock
    update: frozenset[str] = frozenset()
    whole: bool = False
    upstream: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """What was found. ``contents`` are all components' objects, where the whole stack was rendered."""

    lock: Lock
    pins: Mapping[ComponentName, Pins]
    contents: Mapping[ComponentName, Content] | None
    objects: Mapping[ComponentName, int]
    reused: frozenset[ComponentName]

    def chart(self, name: str) -> Pinned | None:
        """The chart that a component came from, if it has one."""
        pins = self.pins.get(ComponentName(name))
        return pins.chart if pins else None


def mine(request: MineRequest, tools: Tools, sources: Sources, reporter: Reporter) -> Mined:
    """Fetch and lock; write what was rendered, and the lock.

    Raises:
        ExceptionGroup: of every error: FetchError, OfflineError, ArchiveError, LockError, RenderError, ManifestError.
            Nothing is written then, but what was fetched stays in the store.
    """
    stack = request.stack
    check_target(stack)
    ahead = [_from_upstream(each) for each in stack.components if _is_due(each, request, tools.files)]
    listed = [each for each in stack.components if pin.sources_of(each)]
    reporter.started("mine", sum(len(pin.sources_of(each)) for each in (*ahead, *listed)))

    def told(source: Source, found: Pinned) -> None:
        reporter.advanced("mine", source.component.name, f"{source.address} {found.version}".rstrip())

    above = pin.fetched(ahead, request.lock, request.update, sources, tools.workers, told)
    found = pin.fetched(listed, request.lock, request.update, sources, tools.workers, told)
    old = render(replace(stack, components=tuple(ahead)), above.pins, tools, _nobody) if ahead else {}
    if old:
        tools.files.replace_trees({f"input/{_folder(each)}": _tree(old[each.name]) for each in ahead})
    due = stack if request.whole else replace(stack, components=tuple(listed))
    contents = render(due, found.pins, tools, _nobody)
    trees = {each.name: _tree(contents[each.name]) for each in listed if contents[each.name].sourced}
    rendered = {
        name: rendering(contents[name], found.pins[name], tree, stack, tools.engine) for name, tree in trees.items()
    }
    reused = _unchanged(rendered, request.lock, trees, tools.files)
    tools.files.replace_trees(
        {f"input/{sourced_folder(contents[name].component)}": tree for name, tree in trees.items() if name not in reused}
    )
    lock = request.lock.having(
        LockedComponent(name=name, sources=locked, rendered=rendered.get(name))
        for name, locked in (*above.locked.items(), *found.locked.items())
        if locked
    )
    _write_lock(lock, request.lock, tools.files)
    objects = {name: sum(len(group.manifests) for group in content.sourced) for name, content in {**old, **contents}.items()}
    reporter.finished("mine", f"{len(listed) + len(ahead)} components from outside, pinned in {lock_file.FILE}")
    return Mined(
        lock=lock,
        pins=found.pins,
        contents=contents if request.whole else None,
        objects={each.name: objects[each.name] for each in (*ahead, *listed)},
        reused=frozenset(reused),
    )


def rendering(content: Content, pins: Pins, tree: FileTree, stack: Stack, engine: HelmEngine) -> Digest:
    """The fingerprint that the lock keeps: what decided the render, and what came out."""
    inputs = fingerprint(content.component, pins, content.announced, stack, engine)
    return Digest.of(f"{inputs}\n{tree.digest}\n".encode())


def _write_lock(lock: Lock, before: Lock, files: StackFiles) -> None:
    if lock != before or files.read(lock_file.FILE) is None:
        files.write(lock_file.FILE, lock_file.emit(lock).encode())


def _unchanged(
    rendered: Mapping[ComponentName, Digest], lock: Lock, trees: Mapping[ComponentName, FileTree], files: StackFiles
) -> set[ComponentName]:
    """The components whose folder already holds what was rendered."""
    same = set()
    for name, digest in rendered.items():
        locked = lock.component(name)
        if locked and locked.rendered == digest:
            there = files.read_tree(f"input/{name}/manifests/sourced")
            if there is not None and there.digest == trees[name].digest:
                same.add(name)
    return same


def _is_due(component: Component, request: MineRequest, files: StackFiles) -> bool:
    upstream = component.upstream
    if upstream is None:
        return False
    return request.upstream or not files.read_tree(f"input/{upstream.folder}")


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


def _folder(component: Component) -> str:
    return component.upstream.folder if component.upstream else sourced_folder(component)


def _tree(content: Content) -> FileTree:
    """The objects that came from outside, one to a file, as they were rendered; excluded ones left out."""
    files: dict[str, bytes] = {}
    for manifest in _sourced(content.sourced):
        if not _names(manifest) & set(content.component.exclude):
            document = emit.document(manifest.body).encode()
            files[_free(manifest.id.file_name, files, document)] = document
    return FileTree(files)


def _sourced(groups: Iterable[Group]) -> Iterable[Manifest]:
    return (manifest for group in groups for manifest in group.manifests)


def _names(manifest: Manifest) -> set[str]:
    return {manifest.id.file_name, f"{manifest.id.kind}_{manifest.id.name}.yaml"}


def _free(name: str, files: Mapping[str, bytes], content: bytes) -> str:
    """``name``, or with a number where another object that is called so lies there already."""
    number, found = 1, name
    while files.get(found, content) != content:
        number += 1
        found = f"{name.removesuffix('.yaml')}~{number}.yaml"
    return found


def _nobody(component: Component, objects: int) -> None:
    """`render`'s telling, where what counts was told already."""

