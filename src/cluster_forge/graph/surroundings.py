"""What objects use without a name: the default StorageClass, addresses of load balancers, the APIs of
metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.reference import Strength
from cluster_forge.manifests.manifest import Manifest

_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
_DEFAULT_IN_TEXT: Final = f'{_DEFAULT}: "true"'.encode()
_METRICS: Final = {
    "Resource": "metrics.k8s.io",
    "ContainerResource": "metrics.k8s.io",
    "Pods": "custom.metrics.k8s.io",
    "Object": "custom.metrics.k8s.io",
    "External": "external.metrics.k8s.io",
}

_POOLS: Final = (("metallb.io", "IPAddressPool"), ("cilium.io", "CiliumLoadBalancerIPPool"))
"""Kinds of objects from which Services of type LoadBalancer get their addresses."""

OfKind = Mapping[tuple[str, str], Sequence[Manifest]]


def edges(of_kind: OfKind) -> Iterator[Edge]:
    """From claims without a class to the default one, from Services to pools of addresses, and from autoscalers to the APIs of
    their metrics.
    """
    if pool := next((one for kind in _POOLS for one in of_kind.get(kind, ())), None):
        for service in of_kind.get(("", "Service"), ()):
            if mapping(service.body.get("spec")).get("type") == "LoadBalancer":
                yield _use(service, pool, "spec.type", "an address")
    if default := next(_defaults(of_kind), None):
        for claimant, field in _claims(of_kind):
            yield _use(claimant, default, field, "a default StorageClass")
    groups = {one.id.name.partition(".")[2]: one for one in of_kind.get(("apiregistration.k8s.io", "APIService"), ())}
    for scaler in of_kind.get(("autoscaling", "HorizontalPodAutoscaler"), ()) if groups else ():
        metrics = sequence(mapping(scaler.body.get("spec")).get("metrics"))
        kinds = {str(mapping(metric).get("type")) for metric in metrics} or {"Resource"}
        for group in sorted({_METRICS[kind] for kind in kinds & _METRICS.keys()} & groups.keys()):
            yield _use(scaler, groups[group], "spec.metrics", f"the API {group}")


def _use(source: Manifest, target: Manifest, field: str, detail: str) -> Edge:
    return Edge(
        source=source, target=target, reason=Reason.USES, strength=Strength.PREFERRED, field=field, detail=detail
    )


def _defaults(of_kind: OfKind) -> Iterator[Manifest]:
    """Default StorageClasses, and the ConfigMaps with the text of one, from which a driver makes it."""
    for one in of_kind.get(("storage.k8s.io", "StorageClass"), ()):
        if mapping(mapping(one.body.get("metadata")).get("annotations")).get(_DEFAULT) == "true":
            yield one
    for one in of_kind.get(("", "ConfigMap"), ()):
        if _DEFAULT.encode() in one.document.json and _is_default_text(one.body.get("data")):
            yield one


def _is_default_text(data: Any) -> bool:
    return any(_DEFAULT_IN_TEXT.decode() in text for text in mapping(data).values() if isinstance(text, str))


def _claims(of_kind: OfKind) -> Iterator[tuple[Manifest, str]]:
    for one in of_kind.get(("", "PersistentVolumeClaim"), ()):
        if mapping(one.body.get("spec")).get("storageClassName") is None:
            yield one, "spec"
    for one in of_kind.get(("apps", "StatefulSet"), ()):
        templates = sequence(mapping(one.body.get("spec")).get("volumeClaimTemplates"))
        if any(mapping(mapping(template).get("spec")).get("storageClassName") is None for template in templates):
            yield one, "spec.volumeClaimTemplates"
