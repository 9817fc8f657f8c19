"""Each endpoint is scraped once: two monitors of the same Service and port store every sample twice, and double sums.

Monitors with different paths, parameters or relabelings get different samples (prometheus-operator, "Endpoint").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from cluster_forge.checks import monitored, report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "duplicate-scrape"
_MONITOR: Final = ("monitoring.coreos.com", "ServiceMonitor")
_FILTERS: Final = ("params", "relabelings", "metricRelabelings")
"""By which one endpoint gives different samples to two monitors."""


def findings(checked: CheckedStack) -> Iterator[Finding]:
    taken: dict[tuple[ObjectId, str], Manifest] = {}
    for monitor in checked.of_kind[_MONITOR]:
        endpoints = [*_endpoints(monitor)]
        for service in _services(checked, monitor) if endpoints else ():
            ports = _numbers(service)
            for text, port, field in endpoints:
                number = ports.get(port)
                first = taken.setdefault((service.id, f"{number} {text}"), monitor) if number is not None else monitor
                if first is not monitor:
                    yield report.warning(
                        monitor,
                        CODE,
                        f"scrapes port {port} of {service.id}, and so does {first.id} of {first.provenance.component}",
                        fix="leave one of the two monitors out by the values of its chart, or select other Services",
                        field=field,
                    )


def _services(checked: CheckedStack, monitor: Manifest) -> Iterator[Manifest]:
    namespaces = monitored.namespaces(monitor)
    for service in checked.inventory.labeled_services.selected(
        mapping(mapping(monitor.body.get("spec")).get("selector"))
    ):
        if namespaces is None or service.id.namespace in namespaces:
            yield service


def _numbers(service: Manifest) -> Mapping[Any, Any]:
    """The number of each port of a Service, by its name and by what it leads to."""
    ports = [mapping(port) for port in sequence(mapping(service.body.get("spec")).get("ports"))]
    return {
        name: port.get("port")
        for port in ports
        for name in (port.get("targetPort"), port.get("name"))
        if isinstance(name, str | int)
    }


def _endpoints(monitor: Manifest) -> Iterator[tuple[str, Any, str]]:
    """What each endpoint asks for as text, its port, and its field."""
    for number, endpoint in enumerate(map(mapping, sequence(mapping(monitor.body.get("spec")).get("endpoints")))):
        port = endpoint.get("port") or endpoint.get("targetPort")
        if isinstance(port, str | int):
            filters = {name: endpoint[name] for name in _FILTERS if endpoint.get(name)}
            text = f"{endpoint.get('path') or '/metrics'} {orjson.dumps(filters, option=orjson.OPT_SORT_KEYS).decode()}"
            yield text, port, field_path.text(("spec", "endpoints", number))
