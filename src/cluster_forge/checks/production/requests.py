"""Every container requests CPU and memory, so that the scheduler knows what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of

CODE = "requests"


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    for container in containers_of(manifest.body):
        requests = (container.get("resources") or {}).get("requests") or {}
        missing = [name for name in ("cpu", "memory") if not requests.get(name)]
        if missing:
            message = f"container {container.get('name')} requests no {' and no '.join(missing)}"
            yield report.warning(manifest, CODE, message, fix="set `resources.requests` of the container in the values")
