"""The catalog as lists and pages show it: plain data, from a component's file alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cluster_forge.catalog import measurements, wiring
from cluster_forge.catalog.component_format import CatalogComponent
from cluster_forge.catalog.library import Library
from cluster_forge.stack.model import Size


def entry(component: CatalogComponent, minor: int) -> dict[str, Any]:
    """A component in a list; ``version`` is the one for a minor version of Kubernetes, None where there is none."""
    version = wiring.chosen_version(component, minor)
    return {
        "name": component.name,
        "title": component.title,
        "category": component.category,
        "version": version.version if version else None,
        "lifecycle": component.lifecycle.state,
        "description": component.description,
    }


def page(component: CatalogComponent, library: Library, minor: int, size: Size) -> dict[str, Any]:
    """Everything that a component's file says, as it is at a size, and what it came to when it was rendered."""
    life = component.lifecycle
    known = measurements.packaged().get(component.name, {})
    return {
        **entry(component, minor),
        "homepage": component.homepage,
        "license": component.license,
        "lifecycle": {key: value for key, value in life.model_dump().items() if value},
        "namespace": component.namespace,
        "podSecurity": component.pod_security,
        "architectures": component.architectures,
        "versions": [{"version": each.version, "kubernetes": each.kubernetes} for each in component.versions],
        "needs": [_need(each.name, each.reason, library) for each in component.needed if size in each.sizes],
        "provides": list(component.provides),
        "excludes": [{"name": each.name, "reason": each.reason} for each in component.excludes],
        "neededBy": needed_by(component, library),
        "wiring": [
            {"with": each.all_of, "without": each.none_of, "purpose": each.purpose}
            for each in component.wiring
            if size in each.sizes
        ],
        "secrets": [
            {
                "name": each.name,
                "namespace": each.namespace or component.namespace,
                "keys": each.keys,
                "purpose": each.purpose,
            }
            for each in component.secrets
            if size in each.sizes
        ],
        "footprint": {each: _footprint(found) for each, found in known.items()},
        "images": known.get(size, {}).get("images", []),
        "makesSecrets": component.makes_secrets,
        "runtimeImages": component.images,
        "exceptions": [{"rule": each.rule, "reason": each.reason} for each in component.exceptions],
        "health": component.health,
        "notes": component.notes.strip(),
        "upgrade": component.upgrade.strip(),
        "collections": [name for name, each in library.collections.items() if component.name in each.members],
    }


def _footprint(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "images"}


def needed_by(component: CatalogComponent, library: Library) -> list[str]:
    """The components that need it, or a capability that it gives."""
    gives = {component.name, *component.provides}
    return [each.name for each in library.components() if any(need.name in gives for need in each.needed)]


def _need(name: str, reason: str, library: Library) -> Mapping[str, Any]:
    by: Sequence[str] = library.providers(name)
    return {"name": name, "reason": reason, "by": list(by)}
