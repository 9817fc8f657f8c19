"""remove: a stack, or one component of it, out of a cluster: what needs others goes before them (ADR 0039).

What is in the cluster says what goes: the claim of the stack, and the plan in its last release.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from cluster_forge.foundation.errors import PreflightError, ReleaseError, UnknownNameError
from cluster_forge.foundation.names import ComponentName, did_you_mean
from cluster_forge.gitops import ownership, schedule
from cluster_forge.gitops.delivery_mode import TITLES, Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.progress import UNREPORTED_DELIVERY
from cluster_forge.stages.deliver.cluster_records import applied, audit_log, claims, lease, releases
from cluster_forge.stages.deliver.cluster_records.leased_cluster import LeasedCluster
from cluster_forge.stages.deliver.removal import permissions, stack_removal
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.removal.foretold import ForetoldCluster
from cluster_forge.stages.deliver.removal.request import RemoveRequest
from cluster_forge.stages.deliver.removal.stack_removal import StackRemoval
from cluster_forge.stages.deliver.secrets import expected as secrets
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What would go: ``components`` in the order in which they go, ``objects`` of all of them that are claimed."""

    components: tuple[ComponentName, ...]
    objects: int
    plan: DeployPlan | None = field(repr=False, default=None)


def planned(request: RemoveRequest, tools: DeliverTools) -> Removal:
    """What would be removed; nothing is changed.

    Raises:
        ReleaseError: if the stack is not in the cluster.
        UnknownNameError: if it has no such component.
        PreflightError: if others need the component, or Argo CD would put it back.
    """
    claim = tools.cluster.get(ownership.claim_id(request.stack))
    if claim is None:
        here = ", ".join(releases.stacks(tools.cluster)) or "none"
        raise ReleaseError(
            f"the stack {request.stack} is not in this cluster (stacks here: {here})",
            fix="name one that is, or choose another cluster: --context",
        )
    claimed = claims.of(claim)  # empty, if a removal was killed at its end
    plan = releases.last_plan(releases.listed(tools.cluster, request.stack), tools)
    parts = plan.parts if plan else ()
    names = tuple(reversed(list(schedule.prerequisites(parts, plan.fixed if plan else ()))))
    if not request.component:
        return Removal(components=names, objects=len(claimed), plan=plan)
    chosen = _component(request, plan, claimed)
    return Removal(components=(chosen.name,), objects=sum(item.id in claimed for item in chosen.objects), plan=plan)


def remove(request: RemoveRequest, tools: DeliverTools) -> Deletion:
    """Remove the stack or the component; what was deleted, and what stays with the reason.

    Raises:
        ReleaseError, UnknownNameError, PreflightError: as `planned`, and for what the user may not do; nothing was changed.
        BusyError: if a deployment of the stack is running, or has taken the lease over.
        DeploymentError, ExceptionGroup: for each object that does not go in time, with the finalizer that holds it.
    """
    _check_permissions(request, planned(request, tools), tools)
    with lease.held(request.stack, tools, run=request.run) as held:
        tools = replace(tools, cluster=LeasedCluster(tools.cluster, held))
        removal_plan = planned(request, tools)  # another deployment may have ended meanwhile
        entry = audit_log.removal(request.stack, request.component, request.run, tools)
        with audit_log.failure_kept(tools, entry):
            done = StackRemoval.of(request, removal_plan.plan, tools).run(removal_plan.components)
        if not request.component:
            return done + _kept_secrets(removal_plan, tools) + stack_removal.forget(request, tools)
        applied.write(tools.cluster, request.stack, {ComponentName(request.component): None})
        audit_log.append(tools, request.stack, entry)
    return done


def foretold(request: RemoveRequest, tools: DeliverTools) -> Deletion:
    """What a removal would delete, and what would stay with the reason: it runs in a cluster that only notes what is deleted.

    Raises:
        ReleaseError, UnknownNameError, PreflightError, ExceptionGroup: as `remove`.
        ClusterError, RefusedError: if the cluster does not say.
    """
    removal_plan = planned(request, tools)
    _check_permissions(request, removal_plan, tools)
    tools = replace(tools, cluster=ForetoldCluster(tools.cluster), reporter=UNREPORTED_DELIVERY)
    done = StackRemoval.of(request, removal_plan.plan, tools).run(removal_plan.components)
    return done if request.component else done + _kept_secrets(removal_plan, tools)


def _kept_secrets(removal_plan: Removal, tools: DeliverTools) -> Deletion:
    """Secrets with values from ``--secrets``, which belong to no stack."""
    return Deletion(kept=secrets.left(removal_plan.plan.secrets if removal_plan.plan else (), tools.cluster))


def _check_permissions(request: RemoveRequest, removal_plan: Removal, tools: DeliverTools) -> None:
    """Before the first change: a removal that stops in the middle leaves a stack that does not work."""
    if request.component:
        parts = removal_plan.plan.parts if removal_plan.plan else ()
        targets = [item.id for part in parts if part.name == request.component for item in part.objects]
    else:
        targets = list(claims.entries(tools.cluster, request.stack))
    doomed = [target for target in targets if request.data or not target.holds_data]
    judges_namespaces = not request.component and not request.data
    needed = [*permissions.of_notes(), *permissions.of_deletions(doomed)]
    if not request.component:
        needed += permissions.of_namespaces(targets)
        needed += stack_removal.of_delivery(request.stack, tools.cluster)
        if request.data:
            needed += permissions.of_custom_resources(claims.crds(tools.cluster, request.stack), tools.cluster)
    permissions.check(needed, tools.cluster, judges_namespaces=judges_namespaces)


def _component(request: RemoveRequest, plan: DeployPlan | None, claimed: Collection[ObjectId]) -> Part:
    if plan is None:
        raise PreflightError(
            f"no release of {request.stack} in this cluster has its components: deploy.sh has deployed it",
            fix="deploy it with `cluster-forge deploy`, or remove the whole stack",
        )
    chosen = next((part for part in plan.parts if part.name == request.component), None)
    if chosen is None:
        names = [str(part.name) for part in plan.parts]
        raise UnknownNameError(
            f"{request.stack} has no component {request.component} in this cluster{did_you_mean(request.component, names)}",
            fix=f"its components: {', '.join(names)}",
        )
    if plan.delivery is not Delivery.DIRECT:
        title, is_inside = TITLES[plan.engine], plan.argocd is not None and bool(plan.argocd.repository)
        raise PreflightError(
            f"{title} delivers {request.stack}: it would put {request.component} back",
            fix=f"take {request.component} out of the description, {'forge' if is_inside else 'forge, push'} and deploy: "
            f"{title} prunes it",
        )
    there = [part for part in plan.parts if any(item.id in claimed for item in part.objects)]
    if users := [str(part.name) for part in there if chosen.name in part.needs]:
        raise PreflightError(
            f"{chosen.name} is needed by {', '.join(users)}", fix="remove these first, or the whole stack"
        )
    return chosen
