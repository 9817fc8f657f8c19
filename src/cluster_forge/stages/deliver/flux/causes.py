"""Why a component that Flux applies is not ready: its Kustomization says only that it waits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import trouble
from cluster_forge.stages.deliver.trouble import Cause

_KINDS: Final = frozenset(
    {
        *(("apps", kind) for kind in ("DaemonSet", "Deployment", "StatefulSet")),
        ("batch", "Job"),
        *(("", kind) for kind in ("PersistentVolumeClaim", "Pod", "Service")),
    }
)
"""What Flux waits for (kstatus), and what can take a while."""
_MOST: Final = 3
"""Objects of a component that are named."""


def of(part: Part, cluster: Cluster) -> Iterator[Cause]:
    """The first objects of the component that are in the cluster and not ready."""
    return islice(_unready(part, cluster), _MOST)


def _unready(part: Part, cluster: Cluster) -> Iterator[Cause]:
    for item in part.objects:
        if item.hook or (item.id.group, item.id.kind) not in _KINDS:
            continue
        if cause := trouble.cause(item.id, cluster):
            yield cause
