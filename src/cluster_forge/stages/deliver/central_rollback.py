"""rollback of one cluster of a central Argo CD: its pin goes back to the tag of an earlier release, the others stay.

Which clusters there are, and how they are rolled out, is read from the ApplicationSet: no description is needed. Only Argo CD
reaches the cluster, so what going back would lose comes from a comparison with the newest release.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.gitops.argocd.central import Pin
from cluster_forge.gitops.release import Release
from cluster_forge.stages.deliver import obstacles, rollback
from cluster_forge.stages.deliver.argocd import central_stacks
from cluster_forge.stages.deliver.argocd.central import CentralCluster, CentralRequest
from cluster_forge.stages.deliver.argocd.central_stacks import CentralStack
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.rollback import RollbackRequest
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralRollbackRequest:
    """``cluster`` goes back to its release ``to`` of a stack, or to the last good one before the newest; ``is_forced``: also
    where data would be lost.
    """

    stack: CentralStack
    cluster: str
    to: int | None
    options: DeployOptions
    run: str
    is_forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralRollback:
    """The release to go back to, and the rollout that does it; ``unseen`` is what was not looked at, in words. ``obstacles`` keep
    the stack from going back.
    """

    release: Release
    rollout: CentralRequest
    unseen: str
    obstacles: tuple[ForgeError, ...]


def planned(request: CentralRollbackRequest, tools: DeliverTools) -> CentralRollback:
    """What going back would do.

    Raises:
        UnknownNameError: if Argo CD does not deliver the stack to a cluster of this name.
        ReleaseError, ExceptionGroup: as `rollback.kept`, and if the newest release is damaged.
    """
    stack, pin = request.stack, _pin(request.stack, request.cluster)
    chosen, deployment = rollback.kept(RollbackRequest(stack=stack.name, to=request.to), tools, pin.cluster)
    unseen, losses = (
        (f"what going back would lose in {pin.cluster} was not looked at", ())
        if request.is_forced
        else _losses(request, chosen, deployment, tools)
    )
    rollout = CentralRequest(
        clusters=(CentralCluster(name=pin.cluster, deployment=deployment, parts=(), step=int(pin.step)),),
        described=None,
        at_once=stack.at_once,
        options=replace(request.options, namespace=stack.application_set.namespace),
        run=request.run,
        cause=rollback.cause(chosen),
    )
    return CentralRollback(release=chosen, rollout=rollout, unseen=unseen, obstacles=losses)


def _losses(
    request: CentralRollbackRequest, chosen: Release, deployment: Deployment, tools: DeliverTools
) -> tuple[str, tuple[ForgeError, ...]]:
    """What would be lost if the cluster is as its newest release has it, behind what that leaves out, in words.

    Raises:
        ReleaseError, ExceptionGroup: if that release is damaged.
    """
    name = request.cluster
    newest = releases.listed(tools.cluster, request.stack.name, name)[-1]
    there = deployment if newest == chosen or not newest.folders else releases.deployment(newest, tools)
    losses = obstacles.between(deployment, there, tools)
    if losses is None:
        silent = (
            f"release {newest.number} does not say what going back would lose in {name}, which only Argo CD reaches"
        )
        return silent, ()
    compared = (
        f"only Argo CD reaches {name}: the release was compared with release {newest.number}, not with what is there"
    )
    return compared, tuple(losses)


def _pin(stack: CentralStack, cluster: str) -> Pin:
    for pin in stack.pins:
        if pin.cluster == cluster:
            return pin
    raise central_stacks.unknown_cluster(stack, cluster)
