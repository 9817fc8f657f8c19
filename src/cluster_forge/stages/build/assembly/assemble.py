"""From the objects of every component to the parts of a stack: each object once, in its namespace, in its wave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from cluster_forge.checks import reading
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.names import ComponentName, counted, listed
from cluster_forge.graph.component_order import ComponentOrder
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests import duplicates, hooks, retention
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.hooks import HookUse
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import (
    after_changes,
    assembly_findings,
    collection,
    data_hooks,
    engine_settings,
    ordering,
    stack_namespaces,
)
from cluster_forge.stages.build.assembly.collection import Collected
from cluster_forge.stages.build.assembly.stack_namespaces import NAMESPACES
from cluster_forge.stages.build.assembly.transforming import Objects, TransformedObjects
from cluster_forge.stages.build.rendering.component_sources import ComponentSources
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent

Transform = Callable[[Objects, Scopes], TransformedObjects]
"""Runs plug-ins and functions on the objects of components."""

if TYPE_CHECKING:
    from cluster_forge.stages.build.assembly.declared_changes import DeclaredChanges

_HOOKS = "hooks"
"""The folder in a part's own for hooks that an installation does not run."""
_RUNS = frozenset(("Job", "Pod"))
_SHOWN = 3
"""Hooks that a finding names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The parts by wave and name, the hooks that are only written as data (``<part>/hooks/…``), and the findings of putting
    them together. ``manifests`` are the objects of the parts by their file, with their templates.
    """

    parts: tuple[Part, ...]
    later_hooks: tuple[PartObject, ...]
    graph: ObjectGraph
    order: ComponentOrder
    findings: tuple[Finding, ...]
    manifests: Mapping[str, Manifest]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A component's objects as the description changes them; ``later`` are the hooks that an installation does not run."""

    component: Component
    applied: tuple[Manifest, ...]
    later: tuple[Manifest, ...]
    findings: tuple[Finding, ...]


def assemble(
    stack: Stack,
    rendered: Mapping[ComponentName, RenderedComponent],
    sources: Mapping[ComponentName, ComponentSources],
    transform: Transform,
) -> Assembly:
    """Put the stack together; ``transform`` changes objects once they have their namespaces, before the description does.

    Raises:
        OrderError: if components need each other in a cycle.
        PatchError, ExceptionGroup: for each patch that does not fit an object.
        ManifestError: if two objects of a component would be written to the same file.
    """
    scopes = collection.scopes(stack, rendered)
    collected = [collection.of(component, rendered[component.name], scopes) for component in stack.components]
    transformed = transform({one.component.name: one.manifests for one in collected}, scopes)
    changes = _changes(stack, transformed.objects)
    changed = changes.applied() if changes else transformed.objects
    if changes:  # a patch may take out a CRD
        scopes = Scopes.of(stack.target.kubernetes.minor, chain.from_iterable(changed.values()))
    placed = [_placed(one, rendered[one.component.name], changed[one.component.name]) for one in collected]
    graph, order = ordering.ordered(stack, {one.component.name: one.applied for one in placed}, scopes)
    parts = ordering.parts(stack, order, sources)
    manifests = ordering.split({one.component.name: one.applied for one in placed}, ordering.early_names(stack, order))
    undefined = stack_namespaces.undefined(stack, manifests)
    if changes:
        undefined = changes.applied_to(undefined)
    if undefined:
        parts = stack_namespaces.with_part(parts)
        manifests[NAMESPACES] = (*manifests.get(NAMESPACES, ()), *undefined)
    singles = duplicates.between((part.name, manifests[part.name]) for part in parts)
    parts, objects = _with_namespaces(stack, parts, {name: single.manifests for name, single in singles.items()})
    findings = [finding for one in placed for finding in one.findings]
    findings += [*transformed.findings, *(changes.findings() if changes else ())]
    findings += [finding for single in singles.values() for finding in single.findings]
    findings += ordering.conflicts(stack, order)
    findings += ordering.together(stack, order)
    annotation = after_changes.retention_annotation(stack)
    kept = {name: [retention.retained(manifest, annotation) for manifest in objects[name]] for name in objects}
    assembled = tuple(replace(part, objects=_objects(str(part.name), kept[part.name])) for part in parts)
    by_path = {
        known.path: manifest
        for part in assembled
        for known, manifest in zip(part.objects, objects[part.name], strict=True)
    }
    origins = {path: manifest.provenance.origin for path, manifest in by_path.items()}
    findings += assembly_findings.missing_engine(stack, assembled)
    findings += engine_settings.findings(stack, assembled, origins)
    own = (manifest for result in rendered.values() for group in result.own for manifest in group.manifests)
    return Assembly(
        parts=assembled,
        graph=graph,
        order=order,
        later_hooks=tuple(hook for one in placed for hook in _objects(f"{one.component.name}/{_HOOKS}", one.later)),
        findings=(*findings, *reading.findings(own)),
        manifests=by_path,
    )


def _with_namespaces(
    stack: Stack, parts: list[Part], objects: Mapping[ComponentName, Sequence[Manifest]]
) -> tuple[list[Part], Mapping[ComponentName, Sequence[Manifest]]]:
    """The parts and their objects, with each namespace in a part that is applied before those that use it."""
    earlier = stack_namespaces.needed_earlier(stack, parts, objects)
    if not earlier:
        return parts, objects
    return stack_namespaces.with_part(parts), stack_namespaces.moved(objects, earlier)


def _changes(stack: Stack, objects: Objects) -> DeclaredChanges | None:
    """What the description changes in the objects; None if it changes nothing."""
    if not stack.has_changes:
        return None
    from cluster_forge.stages.build.assembly.declared_changes import DeclaredChanges  # noqa: PLC0415 - most stacks have none

    return DeclaredChanges(stack, objects)


def _placed(collected: Collected, rendered: RenderedComponent, changed: Sequence[Manifest]) -> _Placed:
    component = collected.component
    manifests = data_hooks.settled(changed)
    uses = {use: [manifest for manifest in manifests if hooks.use_of(manifest.facts.hook) is use] for use in HookUse}
    return _Placed(
        component=component,
        applied=_sorted([*uses[HookUse.NONE], *uses[HookUse.INSTALL]]),
        later=_sorted(uses[HookUse.LATER]),
        findings=(
            *collected.findings,
            *_dropped_hooks(component, uses),
            *assembly_findings.remarks(rendered),
            *_about_objects(rendered, [*uses[HookUse.NONE], *uses[HookUse.INSTALL]], collection.namespace(component)),
        ),
    )


def _about_objects(rendered: RenderedComponent, applied: Sequence[Manifest], namespace: str) -> Iterator[Finding]:
    """The findings about single objects, each as it was rendered."""
    ids = {(manifest.id.group, manifest.id.kind, manifest.id.name) for manifest in applied}
    for manifest in chain.from_iterable(group.manifests for group in rendered.groups):
        if (manifest.id.group, manifest.id.kind, manifest.id.name) in ids:
            yield from assembly_findings.open_subjects(manifest, namespace)
    yield from data_hooks.findings(applied)
    yield from assembly_findings.deleted_volumes(applied)


def _sorted(manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """By identity: a chart's own order differs from that of the sourced tree."""
    return tuple(sorted(manifests, key=lambda manifest: manifest.id))


def _dropped_hooks(component: Component, uses: Mapping[HookUse, Sequence[Manifest]]) -> list[Finding]:
    reasons = {
        HookUse.TEST: "for `helm test` only: not in the stack",
        HookUse.LATER: f"for upgrades, rollbacks or deletions: in working/{component.name}/{_HOOKS}/, not applied",
    }
    return [
        Finding(
            code="hook-dropped",
            severity=Severity.NOTICE,
            component=component.name,
            where=component.where,
            message=f"{counted(len(uses[use]), 'hook')} ({_listed(uses[use])}): {reason}",
        )
        for use, reason in reasons.items()
        if uses[use]
    ]


def _listed(manifests: Iterable[Manifest]) -> str:
    """The first few, those that do something before those that they need for it."""
    names = [
        str(one)
        for one in sorted({manifest.id for manifest in manifests}, key=lambda one: (one.kind not in _RUNS, str(one)))
    ]
    return listed(names, _SHOWN)


def _objects(folder: str, manifests: Iterable[Manifest]) -> tuple[PartObject, ...]:
    """The objects with their files in ``folder``."""
    objects: dict[str, PartObject] = {}
    for manifest in manifests:
        path = f"{folder}/{manifest.id.file_name}"
        if path in objects:
            raise ManifestError(
                f"{manifest.id} and {objects[path].id} differ only in the case of their kind: both would be {path}",
                where=manifest.provenance.origin,
                fix="remove one of them: no API server serves both kinds",
            )
        objects[path] = PartObject.of(manifest, path)
    return tuple(objects.values())
