"""The part with the namespaces of a stack: those that no component defines, and those that must exist earlier than the
component that defines them is applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import hooks, order
from cluster_forge.manifests.hooks import Phase
from cluster_forge.manifests.kubernetes_apis import BUILT_IN_NAMESPACES
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import data_hooks

NAMESPACES: Final = ComponentName("namespaces")
"""The part with the namespaces that the stack uses."""

_LEVELS = ("restricted", "baseline", "privileged")
"""Pod Security Standards, the strictest first."""

Objects = Mapping[ComponentName, Sequence[Manifest]]
"""The objects of every component."""


def with_part(parts: Sequence[Part]) -> list[Part]:
    """The parts with that of the namespaces first; one that is among them already is moved there."""
    wave = min(part.wave for part in parts) - order.STEP
    own = next((part for part in parts if part.name == NAMESPACES), None)
    first = own or Part(name=NAMESPACES, namespace="default", wave=wave)
    return [replace(first, wave=min(first.wave, wave)), *(part for part in parts if part.name != NAMESPACES)]


def undefined(stack: Stack, manifests: Objects) -> list[Manifest]:
    """The namespaces that are used and that no component defines."""
    everything = list(chain.from_iterable(manifests.values()))
    defined = {manifest.id.name for manifest in everything if _is_namespace(manifest)}
    used = {manifest.id.namespace for manifest in everything if manifest.id.namespace}
    used.update(name for component in stack.components for name in component.extra_namespaces)
    levels = _pod_security_levels(stack, manifests)
    return [_namespace(name, levels.get(name, "")) for name in sorted(used - defined - BUILT_IN_NAMESPACES)]


def needed_earlier(stack: Stack, parts: Sequence[Part], manifests: Objects) -> dict[ComponentName, list[Manifest]]:
    """The namespaces that must be there before the component that defines them is applied, by component.

    Another component of the same or an earlier wave uses them, or the component itself does before it applies its
    namespaces: in a hook, or in an object of a lower sync wave. One that is a hook itself is among them: Argo CD
    deletes hooks before it creates them again.
    """
    waves = {part.name: part.wave for part in parts}
    first_use: dict[str, list[tuple[int, ComponentName]]] = {}
    for component in stack.components:
        used = {manifest.id.namespace for manifest in manifests.get(component.name, ())} | {*component.extra_namespaces}
        for name in used:
            first_use.setdefault(name, []).append((waves[component.name], component.name))
    needed: dict[ComponentName, list[Manifest]] = {}
    for part in parts:
        for namespace in filter(_is_namespace, manifests[part.name]):
            name = namespace.id.name
            if name in BUILT_IN_NAMESPACES or part.name == NAMESPACES:
                continue
            is_used = any(wave <= part.wave and user != part.name for wave, user in first_use.get(name, ()))
            if is_used or _is_late(namespace, manifests[part.name]):
                needed.setdefault(part.name, []).append(namespace)
    return needed


def moved(
    manifests: Objects, namespaces: Mapping[ComponentName, Sequence[Manifest]]
) -> dict[ComponentName, tuple[Manifest, ...]]:
    """The objects of every component, with these ``namespaces`` in the part that comes first."""
    gone = {manifest.id for manifest in chain.from_iterable(namespaces.values())}
    result = {name: tuple(one for one in objects if one.id not in gone) for name, objects in manifests.items()}
    first = [*result.get(NAMESPACES, ()), *map(data_hooks.ordinary, chain.from_iterable(namespaces.values()))]
    return {**result, NAMESPACES: tuple(sorted(first, key=lambda manifest: manifest.id))}


def _is_namespace(manifest: Manifest) -> bool:
    return (manifest.id.group, manifest.id.kind) == ("", "Namespace")


def _is_late(namespace: Manifest, manifests: Iterable[Manifest]) -> bool:
    """Whether Argo CD would apply an object in ``namespace``, one of the component's ``manifests``, before it."""
    own = hooks.of(namespace.header)
    if (own.events or own.phases) and Phase.SKIP not in own.phases:
        return True
    inside = (hooks.of(manifest.header) for manifest in manifests if manifest.id.namespace == namespace.id.name)
    return any(Phase.PRE_SYNC in hook.phases or hook.sync_wave < own.sync_wave for hook in inside)


def _pod_security_levels(stack: Stack, manifests: Objects) -> dict[str, str]:
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
