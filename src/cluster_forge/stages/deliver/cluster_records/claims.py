"""The claims of stacks as they are in a cluster (`gitops.ownership`): which objects each stack has there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.gitops import applyset, git_server, ownership
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Patch, Query

_ALL: Final = Query(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, labels=ownership.CLAIM_LABEL)


def entries(cluster: Cluster, stack: str) -> dict[ObjectId, str]:
    """The objects that a stack claims, each with its last word (`owners`); none where it has no claim."""
    return of(cluster.get(ownership.claim_id(stack)) or {})


def of(claim: Body) -> dict[ObjectId, str]:
    """What is listed in a claim; a list that people have damaged has none."""
    listed = (claim.get("data") or {}).get(ownership.OBJECTS)
    return dict(ownership.entries(listed if isinstance(listed, str) else ""))


def by_stack(cluster: Cluster) -> Iterator[tuple[str, Mapping[ObjectId, str]]]:
    """Every claim in the cluster: its stack, and the entries."""
    for body in cluster.list(_ALL).items:
        yield str((body["metadata"].get("labels") or {}).get(STACK_LABEL, "")), of(body)


def of_others(cluster: Cluster, stack: str) -> dict[ObjectId, str]:
    """The objects that other stacks claim, each with its stack."""
    return {identity: other for other, claimed in by_stack(cluster) if other != stack for identity in claimed}


def crds(cluster: Cluster, stack: str) -> tuple[str, ...]:
    """The names of the CRDs that a stack claims."""
    return tuple(target.name for target in entries(cluster, stack) if (target.group, target.kind) == CRD)


def stacks(cluster: Cluster) -> tuple[str, ...]:
    """The stacks that claim objects."""
    return tuple(sorted({stack for stack, _ in by_stack(cluster)} - {""}))


def write(
    cluster: Cluster, stack: str, claimed: Mapping[ObjectId, str], metadata: Mapping[str, Any] | None = None
) -> None:
    """Replace the entries of a claim that is there, and what ``metadata`` has of labels and annotations (null: none)."""
    change = {"data": {ownership.OBJECTS: lines(claimed)}, **({"metadata": metadata} if metadata else {})}
    cluster.patch(ownership.claim_id(stack), change, Patch.MERGE, manager=FIELD_MANAGER)


def take_out(cluster: Cluster, stack: str, gone: set[ObjectId]) -> None:
    """Take objects out of a claim, and out of what it says as the parent of an ApplySet."""
    parent = ownership.claim_id(stack)
    claim = cluster.get(parent)
    if claim is None:
        return
    left = {identity: word for identity, word in of(claim).items() if identity not in gone}
    is_set = applyset.ID in (claim["metadata"].get("labels") or {})
    write(cluster, stack, left, {"annotations": applyset.inventory(parent, left)} if is_set else None)


def lines(claimed: Mapping[ObjectId, str]) -> str:
    """The list of a claim."""
    return "".join(ownership.line(identity, claimed[identity]) for identity in sorted(claimed))
