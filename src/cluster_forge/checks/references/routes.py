"""Routes of the Gateway API have their Gateway, with the listener that they name, and the Services that they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import missing, reachability
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_GROUP: Final = "gateway.networking.k8s.io"
_ROUTES: Final = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"})


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if manifest.id.group != _GROUP or manifest.id.kind not in _ROUTES:
        return
    spec, namespace = spec_of(manifest), manifest.id.namespace
    for parent in spec.get("parentRefs") or ():
        if (parent.get("group", _GROUP), parent.get("kind", "Gateway")) == (_GROUP, "Gateway"):
            yield from _gateway(manifest, inventory, parent)
    for backend in (backend for rule in spec.get("rules") or () for backend in rule.get("backendRefs") or ()):
        if (backend.get("group") or "", backend.get("kind", "Service")) == ("", "Service"):
            place = (backend.get("namespace") or namespace, str(backend.get("name")))
            problem = reachability.problem(inventory, place, backend.get("port"))
            if problem:
                yield missing.finding(manifest, f"backend {'/'.join(place)}: {problem}")


def _gateway(manifest: Manifest, inventory: Inventory, parent: Mapping[str, Any]) -> Iterator[Finding]:
    namespace, name = str(parent.get("namespace") or manifest.id.namespace), str(parent.get("name"))
    gateway = inventory.by_id.get((_GROUP, "Gateway", namespace, name))
    if gateway is None:
        yield missing.finding(manifest, f"no such Gateway: {namespace}/{name}")
        return
    listeners = [listener.get("name") for listener in spec_of(gateway).get("listeners") or ()]
    if parent.get("sectionName") not in (None, *listeners):
        yield missing.finding(manifest, f"the Gateway {namespace}/{name} has no listener {parent['sectionName']}")
