"""The namespaces in which a ServiceMonitor or PodMonitor looks."""

from __future__ import annotations

from cluster_forge.checks.inventory import spec_of
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Manifest


def namespaces(monitor: Manifest) -> frozenset[str] | None:
    """The namespaces; None for all."""
    selector = mapping(spec_of(monitor).get("namespaceSelector"))
    if selector.get("any"):
        return None
    return frozenset(map(str, sequence(selector.get("matchNames")))) or frozenset({monitor.id.namespace})
