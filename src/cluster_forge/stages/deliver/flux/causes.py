"""Why a component that Flux applies is not ready: its Kustomization says only that it waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from cluster_forge.manifests import health
from cluster_forge.manifests.health import Status
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import trouble
from cluster_forge.stages.deliver.trouble import Trouble

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """An object that is not ready: what it lacks, and what the cluster says of it."""

    target: ObjectId
    lack: str
    trouble: Trouble = field(default_factory=Trouble)

    def __str__(self) -> str:
        return f"{self.target}: {self.trouble.sentence or self.lack}"


def of(part: Part, cluster: Cluster) -> Iterator[Cause]:
    """The first objects of the component that are in the cluster and not ready.

    Raises:
        ClusterError, RefusedError: if the cluster does not say.
    """
    return islice(_unready(part, cluster), _MOST)


def _unready(part: Part, cluster: Cluster) -> Iterator[Cause]:
    for item in part.objects:
        if item.hook or (item.id.group, item.id.kind) not in _KINDS:
            continue
        live = cluster.get(item.id)
        state = health.of(live) if live else None
        if state and state.status is not Status.READY:
            yield Cause(target=item.id, lack=state.message, trouble=trouble.of(item.id, cluster))
