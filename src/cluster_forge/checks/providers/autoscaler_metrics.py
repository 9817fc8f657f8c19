"""Autoscalers find the API of the metrics that they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.checks.providers.surroundings import Surroundings
from cluster_forge.manifests.manifest import Manifest

EFFECT: Final = "it does not scale, and an Argo CD would call it Degraded"

_RESOURCES, _CUSTOM, _EXTERNAL = "metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"
_SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Resource": _RESOURCES,
        "ContainerResource": _RESOURCES,
        "Pods": _CUSTOM,
        "Object": _CUSTOM,
        "External": _EXTERNAL,
    }
)
"""The API of each type of metric (Kubernetes, "Horizontal Pod Autoscaling", section "Support for metrics APIs")."""

_AUTOSCALER: Final = ("autoscaling", "HorizontalPodAutoscaler")
_VERTICAL: Final = ("autoscaling.k8s.io", "VerticalPodAutoscaler")
_SCALED: Final = frozenset({("keda.sh", "ScaledObject")})
_OF_RESOURCES: Final = frozenset({"cpu", "memory"})


def needs(manifest: Manifest, surroundings: Surroundings) -> Iterator[str]:
    """The capabilities that an object needs and that are missing."""
    for group in sorted(_asked(manifest)):
        if not surroundings.serves(group):
            yield group


def _asked(manifest: Manifest) -> set[str]:
    """The API groups that an autoscaler asks for metrics."""
    kind = manifest.id.group, manifest.id.kind
    if kind == _VERTICAL:
        return {_RESOURCES}
    if kind == _AUTOSCALER:
        metrics = _listed(manifest, "metrics")
        # Without metrics a target of 80 % CPU applies; autoscaling/v1 has no others.
        sources = {str(metric.get("type")) for metric in metrics}
        return {_SOURCES[source] for source in sources & _SOURCES.keys()} or {_RESOURCES}
    if kind in _SCALED:
        triggers = _listed(manifest, "triggers")
        return {_RESOURCES if str(trigger.get("type")) in _OF_RESOURCES else _EXTERNAL for trigger in triggers}
    return set()


def _listed(manifest: Manifest, key: str) -> list[Mapping[str, Any]]:
    spec = manifest.body.get("spec")
    members = spec.get(key) if isinstance(spec, Mapping) else None
    return [member for member in members if isinstance(member, Mapping)] if isinstance(members, list) else []
