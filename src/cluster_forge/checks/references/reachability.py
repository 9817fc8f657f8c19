"""Whether a Service is in the stack and can be reached at a port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.inventory import Inventory, Place, spec_of
from cluster_forge.checks.references import missing
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

HTTPS: Final = 443


def problem(inventory: Inventory, place: Place, port: int | None) -> str:
    """Why a Service cannot be reached at a port; empty if it can. A headless one is reached at its pods' ports."""
    if inventory.is_created_at_run_time(place):
        return ""
    service = inventory.services.get(place)
    if service is None:
        return "no such Service"
    spec = spec_of(service)
    ports = sorted((declared.get("port") for declared in spec.get("ports") or ()), key=str)
    if port is None or port in ports or spec.get("type") == "ExternalName":
        return ""
    if spec.get("clusterIP") == "None":
        workloads = inventory.pods_of(service)
        if not workloads or any(pods.has_port(port) for pods in workloads):
            return ""
    return f"the Service has no port {port}, only {', '.join(map(str, ports))}"


def called_by_the_api_server(
    inventory: Inventory, manifest: Manifest, service: Mapping[str, Any] | None
) -> Iterator[Finding]:
    """The finding about a Service that the API server calls, at port 443 by default."""
    if not service or not service.get("name") or not service.get("namespace"):
        return
    place = (service["namespace"], service["name"])
    reason = problem(inventory, place, service.get("port") or HTTPS)
    if reason:
        yield missing.finding(manifest, f"the API server calls Service {'/'.join(place)}: {reason}")
