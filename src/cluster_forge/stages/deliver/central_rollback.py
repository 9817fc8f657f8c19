"""rollback of one cluster of a central Argo CD: its pin goes back to the tag of an earlier release, the others stay.

Which clusters there are, and how they are rolled out, is read from the ApplicationSet: no description is needed. What going
back would lose in the cluster is not looked at: only Argo CD reaches it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cluster_forge.gitops.argocd.central import Pin
from cluster_forge.gitops.release import Release
from cluster_forge.stages.deliver import rollback
from cluster_forge.stages.deliver.argocd import central_stacks
from cluster_forge.stages.deliver.argocd.central import CentralCluster, CentralRequest
from cluster_forge.stages.deliver.argocd.central_stacks import CentralStack
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.rollback import RollbackRequest
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralRollbackRequest:
    """``cluster`` goes back to its release ``to`` of a stack, or to the last good one before the newest."""

    stack: CentralStack
    cluster: str
    to: int | None
    options: DeployOptions
    run: str


def planned(request: CentralRollbackRequest, tools: DeliverTools) -> tuple[Release, CentralRequest]:
    """The release to go back to, and the rollout that does it.

    Raises:
        UnknownNameError: if Argo CD does not deliver the stack to a cluster of this name.
        ReleaseError, ExceptionGroup: as `rollback.kept`.
    """
    stack, pin = request.stack, _pin(request.stack, request.cluster)
    chosen, deployment = rollback.kept(RollbackRequest(stack=stack.name, to=request.to), tools, pin.cluster)
    rollout = CentralRequest(
        clusters=(CentralCluster(name=pin.cluster, deployment=deployment, parts=(), step=int(pin.step)),),
        described=frozenset(stack.clusters),
        at_once=stack.at_once,
        options=replace(request.options, namespace=stack.application_set.namespace),
        run=request.run,
        cause=rollback.cause(chosen),
        template=stack.template,
    )
    return chosen, rollout


def _pin(stack: CentralStack, cluster: str) -> Pin:
    for pin in stack.pins:
        if pin.cluster == cluster:
            return pin
    raise central_stacks.unknown_cluster(stack, cluster)
