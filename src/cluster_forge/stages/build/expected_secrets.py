"""The Secrets that a stack expects: what its rendered objects refer to and nothing creates, with what components say of them.

A component that is not rendered yet counts with the Secrets that its description lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum

from cluster_forge.checks import secret_references
from cluster_forge.checks.inventory import Inventory, Place
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import normalize
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack import variant
from cluster_forge.stack.component import Component, ExpectedSecret
from cluster_forge.stack.model import Stack
from cluster_forge.stack.operated_kind import OperatedKind
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.rendering import render_jobs, sourced_tree
from cluster_forge.stages.build.rendering.component_sources import has_sources, is_url, sourced_folder
from cluster_forge.stages.build.working_tree import FOLDER, WorkingTree
from cluster_forge.stages.toolbox import Toolbox

Objects = Mapping[ComponentName, Sequence[Manifest]]


class Basis(StrEnum):
    """What the list is made from."""

    WORKING = "working"
    INPUT = "input"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSecret:
    """A Secret with the component that expects it; ``from_store``: External Secrets creates it from a store's entry."""

    component: ComponentName
    secret: ExpectedSecret
    from_store: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretList:
    """The Secrets, what the list is made from, and the components that are not rendered."""

    basis: Basis
    secrets: tuple[ListedSecret, ...]
    not_rendered: tuple[ComponentName, ...] = ()


def basis_of(stack: Stack, files: Workspace) -> Basis:
    """What there is to make a list from; reads no object."""
    working = working_tree.load(files)
    wanted = {variant.folder(stack), variant.folder(replace(stack, left_out=()))}  # the whole stack has it, too
    if working and working.is_smelted and working.record.holds in wanted:
        return Basis.WORKING
    sourced = [f"input/{sourced_folder(component)}" for component in stack.components if has_sources(component)]
    is_rendered = not sourced or any(files.read_tree(folder) for folder in sourced)
    return Basis.INPUT if is_rendered else Basis.DESCRIPTION


def from_description(stack: Stack) -> SecretList:
    """The list of a stack that is not rendered."""
    names = tuple(component.name for component in stack.components)
    return SecretList(basis=Basis.DESCRIPTION, secrets=_listed(_declared(stack), _stored(stack)), not_rendered=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimeSecrets:
    """What is known of Secrets beside the objects.

    ``operated`` and ``created`` are those that operators and programs create at run time. ``replaceable`` are declared for
    values that name them: if no object does, other values name another Secret. Other declared Secrets may be read by a
    fixed name.
    """

    operated: Sequence[OperatedKind] = ()
    created: AbstractSet[Place] = frozenset()
    replaceable: AbstractSet[Place] = frozenset()


def from_objects(stack: Stack, toolbox: Toolbox, known: RunTimeSecrets) -> SecretList:
    """The list from what `smelt` wrote, or from what `mine` wrote and ``input/`` has.

    Raises:
        RenderError, ManifestError, ExceptionGroup: for files that do not hold Kubernetes objects.
    """
    basis = basis_of(stack, toolbox.files)
    working = working_tree.load(toolbox.files) if basis is Basis.WORKING else None
    objects = _of_working(stack, working, toolbox) if working else _of_input(stack, toolbox)
    manifests = [manifest for component in objects.values() for manifest in component]
    inventory = Inventory(manifests, secrets=known.created, operated=known.operated)
    present = inventory.secrets | {place for manifest in manifests for place in secret_references.created_for(manifest)}
    stored = _stored(stack) | _stored_by(manifests)
    entries = _with_references(_declared(stack), objects, present)
    unnamed = {
        place
        for place, (component, _) in _declared(stack).items()
        if component in objects and place not in stored and not _is_mentioned(place, manifests)
    }
    replaced = {place for place in unnamed if place in known.replaceable or _is_replaced(place, entries, unnamed)}
    return SecretList(
        basis=basis,
        secrets=_listed({place: entry for place, entry in entries.items() if place not in replaced}, stored),
        not_rendered=tuple(component.name for component in stack.components if component.name not in objects),
    )


Entries = Mapping[Place, tuple[ComponentName, ExpectedSecret]]


def _declared(stack: Stack) -> Entries:
    return {
        (secret.namespace, secret.name): (component.name, secret)
        for component in stack.components
        for secret in component.secrets
    }


def _listed(entries: Entries, stored: set[Place]) -> tuple[ListedSecret, ...]:
    return tuple(
        ListedSecret(component=component, secret=secret, from_store=place in stored)
        for place, (component, secret) in entries.items()
    )


def _with_references(declared: Entries, objects: Objects, present: set[Place]) -> Entries:
    """The declared Secrets with all keys that are read, and those that are referred to and neither declared nor present."""
    entries = dict(declared)
    for component, manifests in objects.items():
        for manifest in manifests:
            for reference in (*secret_references.required(manifest), *secret_references.others(manifest)):
                place = (manifest.id.namespace, reference.name)
                if place in present and place not in declared:
                    continue
                name, secret = entries.get(place) or (component, _referred(place, manifest))
                keys = dict(secret.keys)
                if reference.key:
                    keys.setdefault(reference.key, f"read by {manifest.id}")
                entries[place] = (name, replace(secret, keys=keys))
    return entries


def _referred(place: Place, manifest: Manifest) -> ExpectedSecret:
    purpose = f"{manifest.id} refers to it, and it is not in the stack (a program may create it)"
    return ExpectedSecret(name=place[1], namespace=place[0], keys={}, purpose=purpose)


def _is_replaced(place: Place, entries: Entries, unnamed: AbstractSet[Place]) -> bool:
    """Whether objects of the same component read the keys of a Secret from another one."""
    component, secret = entries[place]
    return bool(secret.keys) and any(
        other.keys.keys() >= secret.keys.keys()
        for at, (name, other) in entries.items()
        if name == component and at not in unnamed
    )


def _is_mentioned(place: Place, manifests: Iterable[Manifest]) -> bool:
    """Whether an object names the Secret, alone or within a text: operators read names from many fields."""
    name = re.compile(rb"(?<![a-z0-9.-])" + re.escape(place[1].encode()) + rb"(?![a-z0-9-]|\.[a-z0-9])")
    return any(name.search(manifest.document.json) for manifest in manifests)


def _stored(stack: Stack) -> set[Place]:
    return {
        (metadata.get("namespace") or component.namespace or "default", metadata.get("name", ""))
        for component in stack.components
        for body in component.objects
        if body.get("kind") == "ExternalSecret" and (metadata := body.get("metadata") or {})
    }


def _stored_by(manifests: Iterable[Manifest]) -> set[Place]:
    external = (manifest for manifest in manifests if manifest.id.kind == "ExternalSecret")
    return {(manifest.id.namespace, manifest.id.name) for manifest in external}


def _of_working(stack: Stack, working: WorkingTree, toolbox: Toolbox) -> Objects:
    names = {part.name for part in working.record.parts}
    objects: dict[ComponentName, Sequence[Manifest]] = {}
    for component in stack.components:
        if component.name in names:
            start = f"{component.name}/"
            files = {path: content for path, content in working.tree.files.items() if path.startswith(start)}
            job = render_jobs.of_folder(FileTree(files), FOLDER, component)
            objects[component.name] = render_jobs.run(job, toolbox.renderer).manifests
    return objects


def _of_input(stack: Stack, toolbox: Toolbox) -> Objects:
    """The objects of components that have no sources or that `mine` has rendered, in their namespaces."""
    objects: dict[ComponentName, Sequence[Manifest]] = {}
    for component in stack.components:
        if not has_sources(component) or toolbox.files.read_tree(f"input/{sourced_folder(component)}"):
            try:
                objects[component.name] = [*_in_input(component, toolbox)]
            except ManifestError:  # what `manifests` names is not there yet: `mine` says so
                objects.pop(component.name, None)
    scopes = Scopes.of(
        stack.target.kubernetes.minor, [manifest for component in objects.values() for manifest in component]
    )
    return {
        component.name: [
            normalize.placed(manifest, "" if component.keep_namespace else component.namespace or "default", scopes)
            for manifest in objects[component.name]
        ]
        for component in stack.components
        if component.name in objects
    }


def _in_input(component: Component, toolbox: Toolbox) -> Iterator[Manifest]:
    entries = [entry for entry in component.manifests if not is_url(entry)]
    entries += [sourced_folder(component)] if has_sources(component) else []
    jobs = [render_jobs.of_entry(entry, component, toolbox.files) for entry in dict.fromkeys(entries)]
    if render_jobs.has_description_objects(component):
        jobs.append(render_jobs.of_description(component, toolbox.files))
    for job in jobs:
        for manifest in render_jobs.run(job, toolbox.renderer).manifests:
            if not sourced_tree.is_excluded(manifest, component):
                yield manifest
