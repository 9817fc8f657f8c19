"""Pruning: what a stack holds no longer leaves the cluster, after a direct delivery that has succeeded (ADR 0039).

The claim of the stack is the inventory: what it lists and the plan does not is pruned, unless others have taken it over, or it
holds data. Argo CD and Flux prune by themselves.
"""

from __future__ import annotations

from functools import partial

from cluster_forge.gitops import ownership, removal
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.stages.deliver.cluster_records import claims
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
    claimed = claims.entries(tools.cluster, plan.stack)
    wanted = set(ownership.read(plan.claim[ownership.OBJECTS].decode()))
    gone = [identity for identity in claimed if identity not in wanted]
    doomed = [identity for identity in gone if prune_data or not identity.holds_data]
    done = Deletion(kept=tuple((identity, "it holds data") for identity in gone if identity not in set(doomed)))
    for phase in removal.phases(doomed, plan.kubernetes.minor):
        done += deletion.delete(phase, tools, spared=partial(removal.owner, plan.stack), timeout=timeout)
        claims.take_out(tools.cluster, plan.stack, {*phase})
    return done
