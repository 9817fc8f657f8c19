"""Pods that operators make of custom resources, as components say where these have their numbers and requests (``operates``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.fit import pod_reader
from cluster_forge.checks.fit.pod_class import PodClass, Surroundings
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import pod_requests
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.operated_kind import OperatedKind, OperatedPods

Pods = tuple[PodClass, int]
"""The class of Pods, and how many there are."""
_USUAL: Final = (
    OperatedPods(replicas="spec.replicas", default=0, resources="spec.resources"),
    OperatedPods(replicas="spec.instances", default=0, resources="spec.resources"),
)
"""The fields of many operators, for kinds of which no component says more."""


def pods_of(manifest: Manifest, operated: Iterable[OperatedKind], around: Surroundings) -> Iterator[Pods]:
    """The Pods that an operator makes of a custom resource; none of a built-in kind, a definition or a hook."""
    kind = (manifest.id.group, manifest.id.kind)
    if "." not in manifest.id.group or manifest.id.kind == "CustomResourceDefinition" or manifest.facts.hook:
        return
    known = [pods for one in operated if (one.group, one.kind) == kind for pods in one.pods]
    usual = next((pods for pods in _USUAL if _count(manifest.body, pods)), None) if not known else None
    for pods in (usual,) if usual else known:
        parts = sequence(_at(manifest.body, pods.entries)) if pods.entries else (manifest.body,)
        for part in parts:
            pod = _pod_class(mapping(part), pods, manifest.id.namespace, around)
            if pod and (count := _count(mapping(part), pods)):
                yield pod, count


def _pod_class(part: Mapping[str, Any], pods: OperatedPods, namespace: str, around: Surroundings) -> PodClass | None:
    """The class by the template, or by the requests alone; None without requests."""
    if pods.template:
        template = mapping(_at(part, pods.template))
        has_containers = bool(sequence(mapping(template.get("spec")).get("containers")))
        return pod_reader.read(template, namespace, around) if has_containers else None
    requests = pod_requests.of({"containers": [{"resources": mapping(_at(part, pods.resources))}]})
    return PodClass(namespace=namespace, requests=tuple(sorted(requests.items()))) if requests else None


def _count(part: Mapping[str, Any], pods: OperatedPods) -> int:
    value = _at(part, pods.replicas) if pods.replicas else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else pods.default


def _at(body: Mapping[str, Any], path: str) -> Any:
    """The value of a field; None where there is none."""
    value: Any = body
    for step in path.split("."):
        value = mapping(value).get(step)
    return value
