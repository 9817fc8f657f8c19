"""The catalog as `catalog list` and `catalog show` print it: plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster_forge.catalog import measurements, versions
from cluster_forge.catalog.component_format import CatalogComponent, Caution, Secret
from cluster_forge.catalog.library import Library
from cluster_forge.stack.model import Size


def entry(component: CatalogComponent, minor: int) -> dict[str, Any]:
    """A component in a list; ``version`` is the one for a minor version of Kubernetes, None if there is none."""
    version = versions.chosen_version(component, minor)
    return {
        "name": component.name,
        "title": component.title,
        "category": component.category,
        "version": version.version if version else None,
        "lifecycle": component.lifecycle.state,
        "description": component.description,
    }


def texts(component: CatalogComponent) -> tuple[str, ...]:
    """The texts of a component in which `catalog search` looks for words."""
    return (component.name, component.title, component.category, component.description, *component.provides)


def matches(texts: Iterable[str], words: Iterable[str]) -> bool:
    """Whether every word is in one of the texts, in upper or lower case."""
    lower = [text.casefold() for text in texts]
    return all(any(word.casefold() in text for text in lower) for word in words)


def page(component: CatalogComponent, library: Library, minor: int, size: Size) -> dict[str, Any]:
    """A component's file as it applies at a size, with its measurements."""
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
        "versions": [{"version": version.version, "kubernetes": version.kubernetes} for version in component.versions],
        "needs": [_need(need.name, need.reason, library) for need in component.needed if size in need.sizes],
        "provides": list(component.provides),
        "excludes": [{"name": exclusion.name, "reason": exclusion.reason} for exclusion in component.excludes],
        "neededBy": _needed_by(component, library),
        "wiring": [
            {"with": wiring.all_of, "without": wiring.none_of, "purpose": wiring.purpose}
            for wiring in component.wiring
            if size in wiring.sizes
        ],
        "cautions": [_caution(caution) for caution in component.cautions if size in caution.sizes],
        "secrets": [_secret(secret, component) for secret in component.secrets if size in secret.sizes],
        "footprint": {name: _footprint(measured) for name, measured in known.items()},
        "images": known.get(size, {}).get("images", []),
        "makesSecrets": component.makes_secrets,
        "operates": [operated.model_dump() for operated in component.operates],
        "refersTo": [referring.model_dump() for referring in component.refers_to],
        "readiness": [rule.model_dump() for rule in component.readiness],
        "runtimeImages": component.images,
        "exceptions": [{"rule": exception.rule, "reason": exception.reason} for exception in component.exceptions],
        "health": component.health,
        "notes": component.notes.strip(),
        "upgrade": component.upgrade.strip(),
        "collections": [
            name for name, collection in library.collections.items() if component.name in collection.members
        ],
    }


def _secret(secret: Secret, component: CatalogComponent) -> dict[str, Any]:
    return {
        "name": secret.name,
        "namespace": secret.namespace or component.namespace,
        "keys": secret.keys,
        "purpose": secret.purpose,
    }


def _caution(caution: Caution) -> dict[str, Any]:
    return {
        "code": caution.code,
        "kubernetes": caution.kubernetes,
        "target": caution.brought,
        "with": caution.all_of,
        "without": caution.none_of,
        "reason": caution.reason,
        "fix": caution.fix,
    }


def _footprint(measured: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in measured.items() if key != "images"}


def _needed_by(component: CatalogComponent, library: Library) -> list[str]:
    """The components that need it, or a capability that it provides."""
    provided = {component.name, *component.provides}
    return [other.name for other in library.components() if any(need.name in provided for need in other.needed)]


def _need(name: str, reason: str, library: Library) -> Mapping[str, Any]:
    return {"name": name, "reason": reason, "by": list(library.providers(name))}
