"""remove of a stack from one cluster of a central Argo CD, and of what Argo CD's cluster keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cluster_forge.gitops import git_server
from cluster_forge.gitops.argocd import central
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver.argocd import central_removal, central_stacks
from cluster_forge.stages.deliver.argocd.central_removal import CentralRemoval
from cluster_forge.stages.deliver.cluster_records import audit_log, lease, releases
from cluster_forge.stages.deliver.cluster_records.leased_cluster import LeasedCluster
from cluster_forge.stages.deliver.removal import permissions, stack_removal
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.removal.request import RemoveRequest
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralPlan:
    """What would go: ``components`` in the order in which they go, and ``objects`` of all of them."""

    components: tuple[str, ...]
    objects: int


def planned(removal: CentralRemoval, tools: DeliverTools) -> CentralPlan:
    """What would be removed; nothing is changed.

    Raises:
        UnknownNameError: if Argo CD has nothing of the stack for a cluster of this name.
    """
    stack, cluster = removal.stack, removal.cluster
    there = removal.applications()
    is_known = cluster in stack.clusters or there or releases.listed(tools.cluster, stack.name, cluster)
    if stack.pins and not is_known:
        raise central_stacks.unknown_cluster(stack, cluster)
    gone = [target for application in there for target in central_removal.sorted_out(application)[0]]
    return CentralPlan(components=tuple(map(central.folder, there)), objects=len(gone))


def foretold(removal: CentralRemoval) -> Deletion:
    """What Argo CD would delete in the cluster, and what it would leave, as the Applications list it; nothing is changed."""
    sorted_out = map(central_removal.sorted_out, removal.applications())
    return sum((Deletion(deleted=gone, kept=kept) for gone, kept in sorted_out), Deletion())


def remove(removal: CentralRemoval, run: str, tools: DeliverTools) -> Deletion:
    """Remove the stack from the cluster; after the last one what all clusters had in common goes, too.

    Raises:
        BusyError: if a deployment of the stack is running, or has taken the lease over.
        PreflightError, ExceptionGroup: for what the user may not do; nothing was changed.
        ForgeError, ExceptionGroup: as `CentralRemoval.run`.
    """
    stack, cluster = removal.stack.name, removal.cluster
    applications = map(ObjectId.of, removal.applications())
    deleted = permissions.of_deletions([*applications, removal.stack.application_set])
    permissions.check([*permissions.of_notes(), *deleted], tools.cluster, judges_namespaces=False)
    # Of the lease; a removal that was killed may have deleted it.
    creation.create_namespace(git_server.NAMESPACE, tools.cluster)
    with lease.held(stack, tools, run=run) as held:
        tools = replace(tools, cluster=LeasedCluster(tools.cluster, held))
        removal = replace(removal, stack=central_stacks.again(removal.stack, tools.cluster), tools=tools)
        entry = audit_log.removal(stack, "", run, tools, cluster)
        with audit_log.failure_kept(tools, entry):
            done = removal.run()
        others = releases.remove_of(stack, cluster, tools)
        if others or set(removal.stack.clusters) - {cluster}:
            audit_log.append(tools, stack, entry)
            return done
        done += stack_removal.forget(RemoveRequest(stack=stack, timeout=removal.timeout, run=run), tools)
        return done + removal.end()
