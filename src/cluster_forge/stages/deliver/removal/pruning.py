"""Pruning: what a stack holds no longer leaves the cluster, after a delivery that has succeeded (ADR 0039).

The claim of the stack is the inventory: what it lists and the plan does not is pruned, unless others have taken it over, or it
holds data. Argo CD and Flux prune by themselves, and never what holds data.
"""

from __future__ import annotations

from functools import partial

from cluster_forge.gitops import ownership, removal
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.stages.deliver.cluster_records import claims
from cluster_forge.stages.deliver.removal import deletion
from cluster_forge.stages.deliver.removal.bystanders import Bystanders, strangers
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.tools import DeliverTools


def prune(plan: DeployPlan, tools: DeliverTools, *, timeout: float, prune_data: bool = False) -> Deletion:
    """Delete what left the stack; what it holds data with is kept, and stays claimed, unless ``prune_data``.

    Nothing for a narrowed stack, and only what holds data where an engine delivers. What the stack still has, or another one claims, goes with
    nothing: it keeps its Namespace and its CRD also with ``prune_data``.

    Raises:
        DeploymentError, ExceptionGroup: for each object that does not go in time; it stays claimed.
        ClusterError, RefusedError: if the cluster does not say, or refuses.
    """
    if plan.narrowed:
        return Deletion()
    is_direct = plan.delivery is Delivery.DIRECT
    claimed = claims.entries(tools.cluster, plan.stack)
    wanted = set(ownership.read(plan.claim[ownership.OBJECTS].decode()))
    wanted |= {item.id for part in plan.parts for item in part.objects}
    gone = [identity for identity in claimed if identity not in wanted and (is_direct or identity.holds_data)]
    doomed = [identity for identity in gone if prune_data or not identity.holds_data]
    done = Deletion(kept=tuple((identity, "it holds data") for identity in gone if identity not in set(doomed)))
    if not doomed:
        return done
    others = {**claims.of_others(tools.cluster, plan.stack), **dict.fromkeys(wanted, plan.stack)}
    bystanders = Bystanders(claimed=others, with_volumes=prune_data)
    spared = partial(removal.owner, plan.stack, strangers=strangers(tools.cluster, plan.stack))
    for phase in removal.phases(doomed, plan.kubernetes.minor):
        one = deletion.delete(phase, tools, spared=spared, timeout=timeout, bystanders=bystanders)
        claims.take_out(tools.cluster, plan.stack, one.released)
        done += one
    return done
