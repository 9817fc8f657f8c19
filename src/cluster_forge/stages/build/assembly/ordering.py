"""The parts of a stack in their order, which follows from their objects, and the findings about waves that contradict it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from cluster_forge.catalog import readiness_index
from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph import component_order, described_fields
from cluster_forge.graph.component_order import ComponentOrder, Ordered
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests import order
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding, Mending, Severity
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.rendering.component_sources import ComponentSources

Objects = Mapping[ComponentName, Sequence[Manifest]]
"""The objects of every component."""


def ordered(stack: Stack, objects: Objects, scopes: Scopes) -> tuple[ObjectGraph, ComponentOrder]:
    """The graph of ``objects``, and the order of the components that follows from it and from the description.

    Raises:
        OrderError: if components need each other in a cycle.
    """
    graph = ObjectGraph(
        [*chain.from_iterable(objects.values())],
        scopes,
        fields=described_fields.of(stack.components),
        awaited=readiness_index.packaged().keys(),
    )
    components = [Ordered(name=one.name, wave=one.wave, needs=one.needs) for one in stack.components]
    return graph, component_order.of(components, graph)


def parts(stack: Stack, order: ComponentOrder, sources: Mapping[ComponentName, ComponentSources]) -> list[Part]:
    """The parts by wave and name, without their objects; the CRDs of components that are split have parts of their own."""
    early = early_names(stack, order)
    all_parts = [_part(one, order, early, sources.get(one.name, ComponentSources())) for one in stack.components]
    by_name = {part.name: part for part in all_parts}
    for name, crds in early.items():
        all_parts.append(_early(by_name[name], crds, order))
    return sorted(all_parts, key=lambda part: (part.wave, part.name))


def split(objects: Objects, early: Mapping[ComponentName, ComponentName]) -> dict[ComponentName, tuple[Manifest, ...]]:
    """The objects of every part: ``early`` are the parts that get the CRDs of a component, by its name."""
    result = {name: tuple(manifests) for name, manifests in objects.items()}
    for name, crds in early.items():
        result[crds] = tuple(one for one in objects[name] if _is_early(one))
        result[name] = tuple(one for one in objects[name] if not _is_early(one))
    return result


def early_names(stack: Stack, order: ComponentOrder) -> dict[ComponentName, ComponentName]:
    """The names of the parts with the CRDs of components that are split: ``<component>-crds``, or one that is free."""
    taken = {component.name for component in stack.components}
    names: dict[ComponentName, ComponentName] = {}
    for name in sorted(order.early):
        free = ComponentName(f"{name}-crds")
        while free in taken:
            free = ComponentName(f"{free}-early")
        taken.add(free)
        names[name] = free
    return names


def conflicts(stack: Stack, order: ComponentOrder) -> Iterator[Finding]:
    """A warning for each wave that is set and that is not after those of the components that this one needs."""
    places = {component.name: component.where for component in stack.components}
    for name, other in order.conflicts:
        wave, before = order.waves[name], order.waves[other]
        reason = next((f": {edge.sentence}" for edge in order.links[name, other].edges if edge.is_hard), "")
        yield Finding(
            code="wave-conflict",
            severity=Severity.WARNING,
            component=name,
            where=places[name],
            message=f"wave {wave} is not after wave {before} of {other}, which it needs{reason}",
            fix=f"remove `wave: {wave}`, or write one above {before}",
            mending=Mending(where=places[name], key="wave"),
        )


def together(stack: Stack, order: ComponentOrder) -> Iterator[Finding]:
    """A notice for each set of components that need each other, and come up side by side."""
    places = {component.name: component.where for component in stack.components}
    for group in order.together:
        first, *others = sorted(group)
        yield Finding(
            code="order-cycle",
            severity=Severity.NOTICE,
            component=first,
            where=places[first],
            message=f"needs objects of {', '.join(others)}, and the other way round: they are applied side by side",
            fix="put them into one component, or move the objects that both need to one of its own",
        )


def _is_early(manifest: Manifest) -> bool:
    return (manifest.id.group, manifest.id.kind) == CRD and not manifest.facts.hook


def _part(
    component: Component,
    order: ComponentOrder,
    early: Mapping[ComponentName, ComponentName],
    sources: ComponentSources,
) -> Part:
    single = sources.chart or sources.kustomization
    name = component.name
    crds = [early[other] for other in order.through_definitions(name)] + ([early[name]] if name in early else [])
    inferred = sorted({*order.required(name), *crds} - set(component.needs))
    return Part(
        name=name,
        namespace=component.namespace or "default",
        wave=order.waves[name],
        needs=(*component.needs, *inferred),
        after=tuple(order.preferred(name)),
        version=single.version if single else "",
        source=single.address if single else " ".join(sorted(source.address for source in sources.manifests.values())),
        digest=str(single.digest) if single else "",
    )


def _early(part: Part, name: ComponentName, component_order: ComponentOrder) -> Part:
    """The part with a component's CRDs, before all that need them."""
    users = [one for one, other in component_order.links if other == part.name]
    earliest = min(component_order.waves[one] for one in (part.name, *users))
    return replace(part, name=name, wave=min(order.FIRST, earliest - order.STEP), needs=(), after=())
