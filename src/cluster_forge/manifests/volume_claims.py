"""The PersistentVolumeClaims that StatefulSets create: no manifest has them.

Source: Kubernetes, "StatefulSets" ("Stable Storage", "PersistentVolumeClaim retention").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

STATEFUL_SET = ("apps", "StatefulSet")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class VolumeClaims:
    """The claims of one template: ``<name>-0``, ``<name>-1`` and so on, in ``namespace``, for a StatefulSet."""

    namespace: str
    name: str
    stateful_set: str


def of(identity: ObjectId, body: Body) -> Iterator[VolumeClaims]:
    """The claims of an object that stay in the cluster without it."""
    if not are_deleted(identity, body):
        for name in _templates(identity, body):
            yield VolumeClaims(namespace=identity.namespace, name=f"{name}-{identity.name}", stateful_set=identity.name)


def are_deleted(identity: ObjectId, body: Body) -> bool:
    """Whether the object is a StatefulSet that Kubernetes deletes together with its claims."""
    if not _templates(identity, body):
        return False
    policy = body["spec"].get("persistentVolumeClaimRetentionPolicy")
    return isinstance(policy, dict) and policy.get("whenDeleted") == "Delete"


def _templates(identity: ObjectId, body: Body) -> tuple[str, ...]:
    """The names of the templates of a StatefulSet; those that have none do not count."""
    spec = body.get("spec") if (identity.group, identity.kind) == STATEFUL_SET else None
    templates = spec.get("volumeClaimTemplates") if isinstance(spec, dict) else None
    metadata = [template.get("metadata") for template in templates or () if isinstance(template, dict)]
    return tuple(str(one["name"]) for one in metadata if isinstance(one, dict) and one.get("name"))
