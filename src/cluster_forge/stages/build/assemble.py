"""From the objects of every component to the parts of a stack: each object once, in its namespace, in its wave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests import duplicates, hooks, normalize, order
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.hooks import HookUse
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.kubernetes_apis import BUILT_IN_NAMESPACES
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages.build import sourced_tree
from cluster_forge.stages.build.component_sources import ComponentSources
from cluster_forge.stages.build.rendered_component import RenderedComponent

NAMESPACES = ComponentName("namespaces")
"""The part with the namespaces that the stack uses and no component defines."""

_HOOKS = "hooks"
"""The folder in a part's own for hooks that an installation does not run."""

_LEVELS = ("restricted", "baseline", "privileged")
"""Pod Security Standards, the strictest first."""


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
    parts = _parts(placed, sources)
    missing = _missing_namespaces(stack, manifests)
    if missing:
        parts = _with_namespaces(parts)
        manifests[NAMESPACES] = (*manifests.get(NAMESPACES, ()), *missing)
    singles = duplicates.between((part.name, manifests[part.name]) for part in parts)
    findings = [finding for one in placed for finding in one.findings]
    findings += [finding for single in singles.values() for finding in single.findings]
    return Assembly(
        parts=tuple(replace(part, objects=_objects(str(part.name), singles[part.name].manifests)) for part in parts),
        later_hooks=tuple(hook for one in placed for hook in _objects(f"{one.component.name}/{_HOOKS}", one.later)),
        findings=(*findings, *_unknown_kinds(singles.values(), scopes)),
    )


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
    uses = {
        use: [manifest for manifest in single.manifests if hooks.use_of(manifest.facts.hook) is use] for use in HookUse
    }
    return _Placed(
        component=component,
        applied=_sorted([*uses[HookUse.NONE], *uses[HookUse.INSTALL]]),
        later=_sorted(uses[HookUse.LATER]),
        findings=(*single.findings, *_dropped_hooks(component, uses), *_unused_excludes(component, matched)),
    )


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


def _unused_excludes(component: Component, matched: set[str]) -> list[Finding]:
    return [
        Finding(
            code="unused-ignore",
            severity=Severity.WARNING,
            component=component.name,
            where=component.where,
            message=f"exclude {name!r} matches no object",
            fix="write the file name of an object in working/, or remove the entry",
        )
        for name in component.exclude
        if name not in matched
    ]


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


def _parts(placed: Sequence[_Placed], sources: Mapping[ComponentName, ComponentSources]) -> list[Part]:
    """The parts by wave and name, without their objects."""
    units = [
        order.Unit(
            name=one.component.name,
            wave=one.component.wave,
            after=frozenset(one.component.needs),
            holds=[manifest.id for manifest in one.applied],
        )
        for one in placed
    ]
    waves = order.waves(units)
    parts = [
        _part(one.component, waves[one.component.name], sources.get(one.component.name, ComponentSources()))
        for one in placed
    ]
    return sorted(parts, key=lambda part: (part.wave, part.name))


def _part(component: Component, wave: int, sources: ComponentSources) -> Part:
    chart = sources.chart
    return Part(
        name=component.name,
        namespace=component.namespace or "default",
        wave=wave,
        needs=component.needs,
        version=chart.version if chart else "",
        source=chart.address if chart else " ".join(sorted(source.address for source in sources.manifests.values())),
        digest=str(chart.digest) if chart else "",
    )


def _with_namespaces(parts: Sequence[Part]) -> list[Part]:
    """The parts with that of the namespaces first; a component of that name is used if the stack has one."""
    wave = min(part.wave for part in parts) - order.STEP
    own = next((part for part in parts if part.name == NAMESPACES), None)
    first = own or Part(name=NAMESPACES, namespace="default", wave=wave)
    return [replace(first, wave=min(first.wave, wave)), *(part for part in parts if part.name != NAMESPACES)]


def _missing_namespaces(stack: Stack, manifests: Mapping[ComponentName, Sequence[Manifest]]) -> list[Manifest]:
    """The namespaces that are used and that no component defines."""
    everything = list(chain.from_iterable(manifests.values()))
    defined = {
        manifest.id.name for manifest in everything if (manifest.id.group, manifest.id.kind) == ("", "Namespace")
    }
    used = {manifest.id.namespace for manifest in everything if manifest.id.namespace}
    used.update(name for component in stack.components for name in component.extra_namespaces)
    levels = _pod_security_levels(stack, manifests)
    return [_namespace(name, levels.get(name, "")) for name in sorted(used - defined - BUILT_IN_NAMESPACES)]


def _pod_security_levels(stack: Stack, manifests: Mapping[ComponentName, Sequence[Manifest]]) -> dict[str, str]:
    """The strictest level that fits every component in a namespace; no level where a component does not declare one."""
    declared = {component.name: component.pod_security for component in stack.components}
    used: dict[str, set[str]] = {}
    for component, objects in manifests.items():
        for namespace in {manifest.id.namespace for manifest in objects if manifest.id.namespace}:
            used.setdefault(namespace, set()).add(declared.get(component, ""))
    return {name: max(levels, key=_LEVELS.index) for name, levels in used.items() if "" not in levels}


def _namespace(name: str, level: str) -> Manifest:
    labels = {"app.kubernetes.io/managed-by": "cluster-forge"}
    if level:
        labels["pod-security.kubernetes.io/enforce"] = level
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": labels, "name": name}}
    return Manifest.of(body, Provenance(component=NAMESPACES, origin="added: used by the stack"))


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


def _unknown_kinds(singles: Iterable[duplicates.Deduplicated], scopes: Scopes) -> list[Finding]:
    """A warning for each kind that neither the target version nor a CRD of the stack defines."""
    unknown: dict[tuple[str, str], list[ObjectId]] = {}
    first: dict[tuple[str, str], Manifest] = {}
    for manifest in chain.from_iterable(single.manifests for single in singles):
        kind = manifest.id.group, manifest.id.kind
        if scopes.is_namespaced(*kind) is None:
            unknown.setdefault(kind, []).append(manifest.id)
            first.setdefault(kind, manifest)
    return [
        Finding(
            code="missing-crd",
            severity=Severity.WARNING,
            component=first[kind].provenance.component,
            object=ids[0],
            where=first[kind].provenance.origin,
            message=f"{counted(len(ids), 'object')} of kind {kind[1]} ({kind[0]}): neither the target version nor the stack defines it",
            fix="add the component that brings its CRD; its namespace cannot be filled in without",
        )
        for kind, ids in sorted(unknown.items())
    ]
