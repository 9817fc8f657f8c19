"""From the objects of every component to the parts of a stack: each object once, in its namespace, in its wave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from cluster_forge.checks import registry
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests import definitions, duplicates, hooks, normalize, order, retention
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.hooks import HookUse
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import GitOpsEngine, Stack
from cluster_forge.stages.build import assembly_findings, data_hooks, sourced_tree, stack_namespaces
from cluster_forge.stages.build.component_sources import ComponentSources
from cluster_forge.stages.build.rendered_component import RenderedComponent
from cluster_forge.stages.build.stack_namespaces import NAMESPACES

_HOOKS = "hooks"
"""The folder in a part's own for hooks that an installation does not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The parts by wave and name, the hooks that are only written as data (``<part>/hooks/…``), and the findings."""

    parts: tuple[Part, ...]
    later_hooks: tuple[PartObject, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A component's objects, each once and in its namespace; ``later`` are the hooks that an installation does not run."""

    component: Component
    applied: tuple[Manifest, ...]
    later: tuple[Manifest, ...]
    findings: tuple[Finding, ...]


def assemble(
    stack: Stack,
    rendered: Mapping[ComponentName, RenderedComponent],
    sources: Mapping[ComponentName, ComponentSources],
) -> Assembly:
    """Put the stack together.

    Raises:
        OrderError: if components need each other in a cycle.
        ManifestError: if two objects of a component would be written to the same file.
    """
    scopes = _scopes(stack, rendered)
    placed = [_placed(component, rendered[component.name], scopes) for component in stack.components]
    manifests = {one.component.name: one.applied for one in placed}
    units = _units(placed)
    waves = order.waves(units)
    parts = _parts(placed, units, waves, sources)
    undefined = stack_namespaces.undefined(stack, manifests)
    if undefined:
        parts = stack_namespaces.with_part(parts)
        manifests[NAMESPACES] = (*manifests.get(NAMESPACES, ()), *undefined)
    singles = duplicates.between((part.name, manifests[part.name]) for part in parts)
    parts, objects = _with_namespaces(stack, parts, {name: single.manifests for name, single in singles.items()})
    findings = [finding for one in placed for finding in one.findings]
    findings += [finding for single in singles.values() for finding in single.findings]
    places = {component.name: component.where for component in stack.components}
    findings += [
        replace(finding, where=places[name])
        for finding in assembly_findings.wave_conflicts(units, waves)
        if (name := finding.component)
    ]
    annotation = retention.FLUX if stack.gitops.engine is GitOpsEngine.FLUX else retention.ARGOCD
    kept = {name: [retention.retained(manifest, annotation) for manifest in objects[name]] for name in objects}
    assembled = tuple(replace(part, objects=_objects(str(part.name), kept[part.name])) for part in parts)
    findings += assembly_findings.missing_engine(stack, assembled)
    return Assembly(
        parts=assembled,
        later_hooks=tuple(hook for one in placed for hook in _objects(f"{one.component.name}/{_HOOKS}", one.later)),
        findings=(
            *findings,
            *_object_findings(stack, rendered.values(), chain.from_iterable(objects.values()), scopes),
        ),
    )


def _with_namespaces(
    stack: Stack, parts: list[Part], objects: Mapping[ComponentName, Sequence[Manifest]]
) -> tuple[list[Part], Mapping[ComponentName, Sequence[Manifest]]]:
    """The parts and their objects, with each namespace in a part that is applied before those that use it."""
    earlier = stack_namespaces.needed_earlier(stack, parts, objects)
    if not earlier:
        return parts, objects
    return stack_namespaces.with_part(parts), stack_namespaces.moved(objects, earlier)


def _scopes(stack: Stack, rendered: Mapping[ComponentName, RenderedComponent]) -> Scopes:
    manifests = [
        manifest
        for result in rendered.values()
        for group in result.groups
        for manifest in group.manifests
        if not sourced_tree.is_excluded(manifest, result.component)
    ]
    return Scopes.of(stack.target.kubernetes.minor, manifests)


def _placed(component: Component, rendered: RenderedComponent, scopes: Scopes) -> _Placed:
    namespace = "" if component.keep_namespace else component.namespace or "default"
    matched: set[str] = set()
    groups = [
        [
            placed
            for manifest in group.manifests
            if not _is_excluded(manifest, placed := normalize.placed(manifest, namespace, scopes), component, matched)
        ]
        for group in rendered.groups
    ]
    single = duplicates.within(groups, later_replaces=component.later_replaces)
    manifests = data_hooks.settled(single.manifests)
    uses = {use: [manifest for manifest in manifests if hooks.use_of(manifest.facts.hook) is use] for use in HookUse}
    return _Placed(
        component=component,
        applied=_sorted([*uses[HookUse.NONE], *uses[HookUse.INSTALL]]),
        later=_sorted(uses[HookUse.LATER]),
        findings=(
            *single.findings,
            *_dropped_hooks(component, uses),
            *assembly_findings.remarks(rendered),
            *assembly_findings.unused_excludes(component, matched),
            *_about_objects(rendered, [*uses[HookUse.NONE], *uses[HookUse.INSTALL]], namespace),
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


def _is_excluded(manifest: Manifest, placed: Manifest, component: Component, matched: set[str]) -> bool:
    """Whether ``exclude`` names the object as it was rendered or as it is in its namespace; adds the name to ``matched``."""
    if not component.exclude:
        return False
    names = (sourced_tree.exclude_names(manifest) | sourced_tree.exclude_names(placed)) & set(component.exclude)
    matched.update(names)
    return bool(names)


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
    return ", ".join(sorted({str(manifest.id) for manifest in manifests}))


def _units(placed: Sequence[_Placed]) -> list[order.Unit]:
    units = [
        order.Unit(
            name=one.component.name,
            wave=one.component.wave,
            after=frozenset(one.component.needs),
            holds=[manifest.id for manifest in one.applied],
        )
        for one in placed
    ]
    needs = definitions.needs({one.component.name: one.applied for one in placed}, order.waves(units))
    return [replace(unit, definitions=needs[unit.name]) for unit in units]


def _parts(
    placed: Sequence[_Placed],
    units: Sequence[order.Unit],
    waves: Mapping[ComponentName, int],
    sources: Mapping[ComponentName, ComponentSources],
) -> list[Part]:
    """The parts by wave and name, without their objects."""
    parts = [
        _part(one.component, unit, waves[unit.name], sources.get(unit.name, ComponentSources()))
        for one, unit in zip(placed, units, strict=True)
    ]
    return sorted(parts, key=lambda part: (part.wave, part.name))


def _part(component: Component, unit: order.Unit, wave: int, sources: ComponentSources) -> Part:
    single = sources.chart or sources.kustomization
    inferred = sorted(unit.definitions.keys() - set(component.needs))
    return Part(
        name=component.name,
        namespace=component.namespace or "default",
        wave=wave,
        needs=(*component.needs, *inferred),
        version=single.version if single else "",
        source=single.address if single else " ".join(sorted(source.address for source in sources.manifests.values())),
        digest=str(single.digest) if single else "",
    )


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


def _object_findings(
    stack: Stack, rendered: Iterable[RenderedComponent], manifests: Iterable[Manifest], scopes: Scopes
) -> list[Finding]:
    """Findings about single objects. What reading them lost is known of own entries only; `mine` reports it of sources."""
    manifests = list(manifests)
    own = (manifest for result in rendered for group in result.own for manifest in group.manifests)
    accepted = (
        manifest
        for manifest in manifests
        if manifest.provenance.component != NAMESPACES  # the objects that use the namespace have the finding
    )
    return [
        *registry.check_reading(own),
        *registry.check_acceptance(accepted, scopes),
        *registry.check_providers(manifests, stack.capabilities),
        *assembly_findings.unknown_kinds(manifests, scopes, stack.target.provides),
    ]
