"""The paths of kinds and objects on an API server ("API Concepts", resource URIs)."""

from __future__ import annotations

from urllib.parse import quote

from cluster_forge.ports.cluster import ServedKind


def of_kind(kind: ServedKind, namespace: str = "") -> str:
    """All objects of a kind: ``/apis/apps/v1/namespaces/shop/deployments``."""
    root = f"/apis/{_part(kind.group)}" if kind.group else "/api"
    inside = f"/namespaces/{_part(namespace)}" if namespace and kind.is_namespaced else ""
    return f"{root}/{_part(kind.version)}{inside}/{_part(kind.plural)}"


def of_object(kind: ServedKind, namespace: str, name: str, subresource: str = "") -> str:
    """One object, or a part of it: ``/api/v1/namespaces/shop/pods/web-0/log``."""
    path = f"{of_kind(kind, namespace)}/{_part(name)}"
    return f"{path}/{_part(subresource)}" if subresource else path


def _part(text: str) -> str:
    """One step of a path, whatever is in it: no name leads elsewhere."""
    return "%2E" * len(text) if text in (".", "..") else quote(text, safe=":")
