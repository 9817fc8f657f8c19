"""Routes lead somewhere: those of the Gateway API have their Gateway with the listener that they name; they and Ingresses lead
to Services with the port.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import spec_of
from cluster_forge.checks.references import missing, reachability
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_GROUP: Final = "gateway.networking.k8s.io"
_ROUTES: Final = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for kind in _ROUTES:
        for route in checked.of_kind[_GROUP, kind]:
            yield from _of_route(checked, route)
    for ingress in checked.of_kind["networking.k8s.io", "Ingress"]:
        for backend, field in _backends(ingress):
            service = mapping(backend.get("service"))
            port = mapping(service.get("port"))
            yield from _backend(checked, ingress, service, port.get("name") or port.get("number"), field)


def _of_route(checked: CheckedStack, route: Manifest) -> Iterator[Finding]:
    spec = spec_of(route)
    for number, parent in enumerate(map(mapping, sequence(spec.get("parentRefs")))):
        if (parent.get("group", _GROUP), parent.get("kind", "Gateway")) == (_GROUP, "Gateway"):
            yield from _gateway(checked, route, parent, field_path.text(("spec", "parentRefs", number)))
    for number, rule in enumerate(map(mapping, sequence(spec.get("rules")))):
        for place, backend in enumerate(map(mapping, sequence(rule.get("backendRefs")))):
            if (backend.get("group") or "", backend.get("kind", "Service")) == ("", "Service"):
                field = field_path.text(("spec", "rules", number, "backendRefs", place))
                yield from _backend(checked, route, backend, backend.get("port"), field)


def _backends(ingress: Manifest) -> Iterator[tuple[Mapping[str, Any], str]]:
    spec = spec_of(ingress)
    steps: tuple[Step, ...] = ("spec", "defaultBackend")
    yield mapping(spec.get("defaultBackend")), field_path.text(steps)
    for number, rule in enumerate(map(mapping, sequence(spec.get("rules")))):
        for place, path in enumerate(map(mapping, sequence(mapping(rule.get("http")).get("paths")))):
            steps = ("spec", "rules", number, "http", "paths", place, "backend")
            yield mapping(path.get("backend")), field_path.text(steps)


def _backend(
    checked: CheckedStack, route: Manifest, service: Mapping[str, Any], port: object, field: str
) -> Iterator[Finding]:
    if not isinstance(service.get("name"), str):
        return
    place = (str(service.get("namespace") or route.id.namespace), service["name"])
    if problem := reachability.problem(checked, route, place, port):
        yield missing.finding(checked, route, f"backend {'/'.join(place)}: {problem}", field=field)


def _gateway(checked: CheckedStack, route: Manifest, parent: Mapping[str, Any], field: str) -> Iterator[Finding]:
    namespace, name = str(parent.get("namespace") or route.id.namespace), str(parent.get("name"))
    target = (_GROUP, "Gateway", namespace, name)
    gateway = checked.inventory.by_id.get(target)
    if gateway is None:
        if not checked.presence.has(target, route):
            yield missing.finding(checked, route, f"no such Gateway: {namespace}/{name}", field=field)
        return
    listeners = [mapping(listener).get("name") for listener in sequence(spec_of(gateway).get("listeners"))]
    if parent.get("sectionName") not in (None, *listeners):
        text = f"the Gateway {namespace}/{name} has no listener {parent['sectionName']}"
        yield missing.finding(checked, route, text, field=field)
