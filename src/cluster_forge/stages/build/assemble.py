"""From the objects of every component to the parts of a stack: each object once, in its namespace, in its wave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests import hooks, normalize, order, duplicates
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.hooks import HookUse
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages.build import sourced_tree
from cluster_forge.stages.build.render import ComponentObjects

NAMESPACES = ComponentName("namespaces")
"""The part that holds the namespaces which the stack uses and nobody makes."""

_LEVELS = ("restricted", "baseline", "privileged")
"""Pod Security Standards, the strictest first."""

_ALWAYS_THERE = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One component with its objects; ``later`` are the hooks that an installation does not run."""

    name: ComponentName
    namespace: str
    wave: int
    needs: tuple[ComponentName, ...]
    manifests: tuple[Manifest, ...]
    later: tuple[Manifest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The parts by wave and name, and what was found."""

    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]


def assemble(stack: Stack, contents: Mapping[ComponentName, ComponentObjects]) -> Assembled:
    """Put the stack together.

    Raises:
        OrderError: if components need each other in a circle.
    """
    every = [
        manifest
        for content in contents.values()
        for group in content.groups
        for manifest in group.manifests
        if not sourced_tree.is_excluded(manifest, content.component)
    ]
    scopes = Scopes.of(stack.target.kubernetes.minor, every)
    findings: list[Finding] = []
    parts = []
    for component in stack.components:
        part, found = _part(component, contents[component.name], scopes)
        parts.append(part)
        findings += found
    parts = _with_namespaces(_in_order(stack, parts), stack)
    singles = duplicates.between((part.name, part.manifests) for part in parts)
    findings += chain.from_iterable(single.findings for single in singles.values())
    findings += _without_scope(singles.values(), scopes)
    return Assembled(
        parts=tuple(replace(part, manifests=singles[part.name].manifests) for part in parts),
        findings=tuple(findings),
    )


def _part(component: Component, content: ComponentObjects, scopes: Scopes) -> tuple[Part, list[Finding]]:
    namespace = "" if component.keep_namespace else component.namespace or "default"
    left_out: set[str] = set()
    groups = [
        [
            placed
            for manifest in group.manifests
            if not _is_excluded(manifest, placed := normalize.placed(manifest, namespace, scopes), component, left_out)
        ]
        for group in content.groups
    ]
    single = duplicates.within(groups, later_replaces=component.later_replaces)
    uses = {use: [each for each in single.manifests if hooks.use_of(each.facts.hook) is use] for use in HookUse}
    part = Part(
        name=component.name,
        namespace=component.namespace or "default",
        wave=component.wave or 0,
        needs=component.needs,
        manifests=_sorted([*uses[HookUse.NONE], *uses[HookUse.INSTALL]]),
        later=_sorted(uses[HookUse.LATER]),
    )
    findings = [*single.findings, *_dropped(component, uses), *_idle_excludes(component, left_out)]
    return part, findings


def _sorted(manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """By identity: a chart's own order would differ from that of the folder which `mine` wrote."""
    return tuple(sorted(manifests, key=lambda manifest: manifest.id))


def _is_excluded(manifest: Manifest, placed: Manifest, component: Component, left_out: set[str]) -> bool:
    """Whether ``exclude`` names the object, as it was rendered or as it lies in its namespace."""
    if not component.exclude:
        return False
    found = (sourced_tree.names(manifest) | sourced_tree.names(placed)) & set(component.exclude)
    left_out.update(found)
    return bool(found)


def _idle_excludes(component: Component, left_out: set[str]) -> list[Finding]:
    return [
        Finding(
            code="unused-ignore",
            severity=Severity.WARNING,
            component=component.name,
            where=component.where,
            message=f"exclude {name!r} leaves nothing out",
            fix="write the name of an object's file in working/",
        )
        for name in component.exclude
        if name not in left_out
    ]


def _dropped(component: Component, uses: Mapping[HookUse, Sequence[Manifest]]) -> list[Finding]:
    told = {
        HookUse.TEST: "for `helm test` only: not shipped",
        HookUse.LATER: f"for upgrades, rollbacks or deletions: kept in working/{component.name}/hooks/, not applied",
    }
    return [
        Finding(
            code="hook-dropped",
            severity=Severity.NOTICE,
            component=component.name,
            where=component.where,
            message=f"{counted(len(uses[use]), 'hook')} ({', '.join(sorted({str(each.id) for each in uses[use]}))}): {why}",
        )
        for use, why in told.items()
        if uses[use]
    ]


def _in_order(stack: Stack, parts: Sequence[Part]) -> list[Part]:
    given = {component.name: component.wave for component in stack.components}
    units = [
        order.Unit(
            name=part.name,
            wave=given[part.name],
            after=frozenset(part.needs),
            holds=[each.id for each in part.manifests],
        )
        for part in parts
    ]
    waves = order.waves(units)
    return sorted((replace(part, wave=waves[part.name]) for part in parts), key=lambda part: (part.wave, part.name))


def _with_namespaces(parts: Sequence[Part], stack: Stack) -> list[Part]:
    """The parts, and before them one with the namespaces that are used and that nobody makes."""
    made = {
        each.id.name for part in parts for each in part.manifests if (each.id.group, each.id.kind) == ("", "Namespace")
    }
    used = {each.id.namespace for part in parts for each in part.manifests if each.id.namespace}
    used.update(name for component in stack.components for name in component.extra_namespaces)
    missing = sorted(used - made - _ALWAYS_THERE)
    if not missing:
        return list(parts)
    levels = _levels(parts, stack)
    manifests = tuple(_namespace(name, levels.get(name, "")) for name in missing)
    wave = min(part.wave for part in parts) - order.STEP
    own = [part for part in parts if part.name == NAMESPACES]
    others = [part for part in parts if part.name != NAMESPACES]
    first = own[0] if own else Part(name=NAMESPACES, namespace="default", wave=wave, needs=(), manifests=())
    return [replace(first, wave=min(first.wave, wave), manifests=first.manifests + manifests), *others]


def _levels(parts: Sequence[Part], stack: Stack) -> dict[str, str]:
    """The strictest Pod Security level that every component keeps which uses a namespace, where all of them say one."""
    said = {component.name: component.pod_security for component in stack.components}
    used: dict[str, set[str]] = {}
    for part in parts:
        for name in {each.id.namespace for each in part.manifests if each.id.namespace}:
            used.setdefault(name, set()).add(said.get(part.name, ""))
    return {name: max(levels, key=_LEVELS.index) for name, levels in used.items() if "" not in levels}


def _namespace(name: str, level: str) -> Manifest:
    labels = {"app.kubernetes.io/managed-by": "cluster-forge"}
    if level:
        labels["pod-security.kubernetes.io/enforce"] = level
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": labels, "name": name}}
    return Manifest.of(body, Provenance(component=NAMESPACES, origin="made because the stack uses it"))


def _without_scope(singles: Iterable[duplicates.Deduplicated], scopes: Scopes) -> list[Finding]:
    """A warning for each kind that neither the target version nor a CRD of the stack knows."""
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
