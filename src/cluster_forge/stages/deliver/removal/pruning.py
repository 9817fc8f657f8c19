"""Pruning: what a stack holds no longer leaves the cluster, after a direct delivery that has succeeded (ADR 0039).

The claim of the stack is the inventory: what it lists and the plan does not is pruned, unless others have taken it over, or it
holds data. Argo CD and Flux prune by themselves.
"""

from __future__ import annotations

from functools import partial

from cluster_forge.gitops import applyset, git_server, ownership, removal
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Patch, Query
from cluster_forge.stages.deliver.removal import deletion
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.tools import DeliverTools


def prune(plan: DeployPlan, tools: DeliverTools, *, timeout: float, prune_data: bool = False) -> Deletion:
    """Delete what left the stack; what it holds data with is kept, and stays claimed, unless ``prune_data``.

    Nothing for a narrowed stack, nor where an engine delivers.

    Raises:
        DeploymentError, ExceptionGroup: for each object that does not go in time; it stays claimed.
        ClusterError, RefusedError: if the cluster does not say, or refuses.
    """
    if plan.narrowed or plan.delivery is not Delivery.DIRECT:
        return Deletion()
    claimed = entries(tools.cluster, plan.stack)
    wanted = {identity for identity, _ in ownership.entries(plan.claim[ownership.OBJECTS].decode())}
    gone = [identity for identity in claimed if identity not in wanted]
    doomed = [identity for identity in gone if prune_data or not identity.holds_data]
    done = Deletion(kept=tuple((identity, "it holds data") for identity in gone if identity not in set(doomed)))
    for phase in removal.phases(doomed, plan.kubernetes.minor):
        done += deletion.delete(phase, tools, spared=partial(removal.owner, plan.stack), timeout=timeout)
        unclaim(tools.cluster, plan.stack, {*phase})
    return done


def entries(cluster: Cluster, stack: str) -> dict[ObjectId, str]:
    """The objects that a stack claims in the cluster, each with its last word (`owners`)."""
    return dict(ownership.entries(listed(cluster.get(ownership.claim_id(stack)) or {})))


def stacks(cluster: Cluster) -> tuple[str, ...]:
    """The stacks that claim objects in the cluster."""
    query = Query(
        group="", kind="ConfigMap", namespace=git_server.NAMESPACE, labels=ownership.CLAIM_LABEL, metadata_only=True
    )
    labeled = (body["metadata"].get("labels") or {} for body in cluster.list(query).items)
    return tuple(sorted({str(labels.get(STACK_LABEL, "")) for labels in labeled} - {""}))


def listed(claim: Body) -> str:
    """The list in a claim."""
    value = (claim.get("data") or {}).get(ownership.OBJECTS)
    return value if isinstance(value, str) else ""


def unclaim(cluster: Cluster, stack: str, gone: set[ObjectId]) -> None:
    """Take objects out of the claim, and out of what it says as the parent of an ApplySet."""
    parent = ownership.claim_id(stack)
    claim = cluster.get(parent)
    if claim is None:
        return
    left = {identity: word for identity, word in ownership.entries(listed(claim)) if identity not in gone}
    lines = "".join(ownership.line(identity, left[identity]) for identity in sorted(left))
    change: dict[str, object] = {"data": {ownership.OBJECTS: lines}}
    if applyset.ID in (claim["metadata"].get("labels") or {}):
        change["metadata"] = {"annotations": applyset.inventory(parent, left)}
    cluster.patch(parent, change, Patch.MERGE, manager=FIELD_MANAGER)
