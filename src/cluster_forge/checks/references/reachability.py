"""Whether a Service is in the stack and can be reached at a port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import Place, spec_of
from cluster_forge.checks.references import missing
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

HTTPS: Final = 443


def problem(checked: CheckedStack, named_by: Manifest, place: Place, port: object) -> str:
    """Why a Service cannot be reached at a port (a number, or the name of one); empty if it can, or may be.

    A headless one is reached at its Pods' ports.
    """
    inventory = checked.inventory
    if inventory.is_created_at_run_time(place):
        return ""
    service = inventory.services.get(place)
    if service is None:
        is_there = checked.presence.has(("", "Service", *place), named_by)
        is_operated = not checked.is_closed and checked.presence.has_foreign_pods(place[0])
        return "" if is_there or is_operated else "no such Service"
    spec = spec_of(service)
    declared = [mapping(one) for one in sequence(spec.get("ports"))]
    ports = sorted((one.get("port") for one in declared), key=str)
    if port is None or port in ports or spec.get("type") == "ExternalName":
        return ""
    if isinstance(port, str) and any(one.get("name") == port for one in declared):
        return ""
    if spec.get("clusterIP") == "None":
        workloads = inventory.pods_of(service)
        if not workloads or any(pods.has_port(port) for pods in workloads):
            return ""
    return f"the Service has no port {port}, only {', '.join(map(str, ports))}"


def called_by_the_api_server(
    checked: CheckedStack, manifest: Manifest, service: Mapping[str, Any], field: str
) -> Iterator[Finding]:
    """The finding about a Service that the API server calls, at port 443 by default."""
    name, namespace = service.get("name"), service.get("namespace")
    if not isinstance(name, str) or not isinstance(namespace, str) or not name or not namespace:
        return
    reason = problem(checked, manifest, (namespace, name), service.get("port") or HTTPS)
    if reason:
        message = f"the API server calls Service {namespace}/{name}: {reason}"
        yield missing.finding(checked, manifest, message, field=field)
