"""Every container requests CPU and memory, or its Pod does, so that the scheduler knows what it needs.

A limit without a request is the request, too (Kubernetes, "Resource Management for Pods and Containers").
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of, pod_of

CODE = "requests"


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    pod = _requested(pod_of(manifest.body))
    for container in containers_of(manifest.body):
        requested = _requested(container) | pod
        missing = [name for name in ("cpu", "memory") if name not in requested]
        if missing:
            message = f"container {container.get('name')} requests no {' and no '.join(missing)}"
            yield report.warning(manifest, CODE, message, fix="set `resources.requests` of the container in the values")


def _requested(owner: object) -> set[str]:
    """The resources that a container, or a whole Pod, asks for."""
    resources = mapping(mapping(owner).get("resources"))
    return {name for field in ("requests", "limits") for name, value in mapping(resources.get(field)).items() if value}
