"""The objects of a component as its sources have them: without those that it excludes, each once, in its namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import duplicates, normalize
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import assembly_findings
from cluster_forge.stages.build.rendering import sourced_tree
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A component's objects before anything that the description changes in them."""

    component: Component
    manifests: tuple[Manifest, ...]
    findings: tuple[Finding, ...]


def scopes(stack: Stack, rendered: Mapping[ComponentName, RenderedComponent]) -> Scopes:
    """The scopes of all kinds that the target and the stack define."""
    manifests = [
        manifest
        for result in rendered.values()
        for group in result.groups
        for manifest in group.manifests
        if not sourced_tree.is_excluded(manifest, result.component)
    ]
    return Scopes.of(stack.target.kubernetes.minor, manifests)


def of(component: Component, rendered: RenderedComponent, known: Scopes) -> Collected:
    """The objects of ``component``."""
    matched: set[str] = set()
    groups = [
        [
            placed
            for manifest in group.manifests
            if not _is_excluded(
                manifest, placed := normalize.placed(manifest, namespace(component), known), component, matched
            )
        ]
        for group in rendered.groups
    ]
    single = duplicates.within(groups, later_replaces=component.later_replaces)
    remaining = (manifest.id for manifest in single.manifests)
    return Collected(
        component=component,
        manifests=single.manifests,
        findings=(*single.findings, *assembly_findings.unused_excludes(component, matched, remaining)),
    )


def namespace(component: Component) -> str:
    """The namespace of objects that set none; empty if they stay without."""
    return "" if component.keep_namespace else component.namespace or "default"


def _is_excluded(manifest: Manifest, placed: Manifest, component: Component, matched: set[str]) -> bool:
    """Whether ``exclude`` names the object as it was rendered or as it is in its namespace; adds the name to ``matched``."""
    if not component.exclude:
        return False
    names = (sourced_tree.exclude_names(manifest) | sourced_tree.exclude_names(placed)) & set(component.exclude)
    matched.update(names)
    return bool(names)
