"""Pruning: what a stack holds no longer leaves the cluster, after a direct delivery that has succeeded (ADR 0039).

The claim of the stack is the inventory: what it lists and the plan does not is pruned, unless others have taken it over, or it
holds data. Argo CD and Flux prune by themselves.
"""

from __future__ import annotations

from functools import partial

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.gitops import applyset, ownership, removal
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Patch
from cluster_forge.stages.deliver import deletion
from cluster_forge.stages.deliver.deletion import Deletion
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


def listed(claim: Body) -> str:
    """The list in a claim."""
    value = (claim.get("data") or {}).get(ownership.OBJECTS)
    return value if isinstance(value, str) else ""


def unclaim(cluster: Cluster, stack: str, gone: set[ObjectId]) -> None:
    """Take objects out of the claim, and out of what it says as the parent of an ApplySet."""
    left = {identity: word for identity, word in entries(cluster, stack).items() if identity not in gone}
    parent = ownership.claim_id(stack)
    change = {
        "metadata": {"annotations": applyset.inventory(parent, left)},
        "data": {ownership.OBJECTS: "".join(ownership.line(identity, left[identity]) for identity in sorted(left))},
    }
    try:
        cluster.patch(parent, change, Patch.MERGE, manager=FIELD_MANAGER)
    except RefusedError as error:
        if error.status != 404:
            raise
