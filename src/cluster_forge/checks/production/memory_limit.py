"""Every container has a memory limit, or its Pod has, so that a leak ends one pod and not a node."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of, pod_of

CODE = "memory-limit"


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    if _has_limit(pod_of(manifest.body)):
        return
    for container in containers_of(manifest.body):
        if not _has_limit(container):
            message = f"container {container.get('name')} has no memory limit"
            yield report.warning(
                manifest, CODE, message, fix="set `resources.limits.memory` of the container in the values"
            )


def _has_limit(owner: object) -> bool:
    """Whether a container, or a whole Pod, has one."""
    return bool(mapping(mapping(mapping(owner).get("resources")).get("limits")).get("memory"))
