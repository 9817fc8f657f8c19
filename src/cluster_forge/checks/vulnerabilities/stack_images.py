"""The images that a stack runs, where it names them, and how far an attacker reaches with and to each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import LabelIndex
from cluster_forge.checks.security import pod_standards
from cluster_forge.checks.security.pod_standards import Level
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import images
from cluster_forge.manifests.manifest import Manifest

_ROUTES: Final = frozenset(("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "Ingress", "IngressRoute"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUse:
    """A field of an object that names an image. ``reaches_node``: its Pods do; ``is_exposed``: they serve clients outside."""

    manifest: Manifest
    field: str
    reaches_node: bool
    is_exposed: bool


def uses(checked: CheckedStack) -> Mapping[str, list[ImageUse]]:
    """The uses of each image, by its reference as it is written."""
    exposed = _exposed_services(checked)
    services = [service for service in checked.of_kind.get(("", "Service"), ()) if _place(service) in exposed]
    by_image: defaultdict[str, list[ImageUse]] = defaultdict(list)
    for manifest in checked.manifests:
        if not manifest.facts.images:
            continue
        pods = PodTemplate.of(manifest)
        privileged = [pod for pod in pods if pod_standards.strictest(pod, checked.minor) is Level.PRIVILEGED]
        exposed_pods = [pod for pod in pods if any(_selects(service, manifest, pod) for service in services)]
        for use in images.of(manifest.body):
            concerned = [pod for pod in pods if use.steps[: len(pod.steps)] == pod.steps] or pods
            by_image[use.image].append(
                ImageUse(
                    manifest=manifest,
                    field=use.path,
                    reaches_node=any(pod in privileged for pod in concerned),
                    is_exposed=any(pod in exposed_pods for pod in concerned),
                )
            )
    return by_image


def _exposed_services(checked: CheckedStack) -> set[tuple[str, str]]:
    """The Services that clients outside of the cluster reach: by their type, or by a route to them."""
    exposed = {
        _place(service)
        for service in checked.of_kind.get(("", "Service"), ())
        if mapping(service.body.get("spec")).get("type") in ("LoadBalancer", "NodePort")
    }
    for (_, kind), manifests in checked.of_kind.items():
        if kind in _ROUTES:
            exposed |= {place for route in manifests for place in _targets(route.body.get("spec"), route.id.namespace)}
    return exposed


def _targets(value: object, namespace: str) -> Iterator[tuple[str, str]]:
    """The Services that a route names: ``backend.service.name``, ``backendRefs``, ``services``."""
    if isinstance(value, Mapping):
        service: Mapping[str, Any] = mapping(value.get("service"))
        if service.get("name"):
            yield namespace, str(service["name"])
        for key in ("backendRefs", "services"):
            for reference in map(mapping, sequence(value.get(key))):
                yield str(reference.get("namespace") or namespace), str(reference.get("name"))
        for member in value.values():
            yield from _targets(member, namespace)
    elif isinstance(value, list):
        for item in value:
            yield from _targets(item, namespace)


def _place(service: Manifest) -> tuple[str, str]:
    return (service.id.namespace, service.id.name)


def _selects(service: Manifest, manifest: Manifest, pod: PodTemplate) -> bool:
    selector = mapping(mapping(service.body.get("spec")).get("selector"))
    is_here = service.id.namespace == manifest.id.namespace and bool(selector)
    return is_here and bool(LabelIndex([(pod.labels, pod)]).selected({"matchLabels": selector}))
