"""Whose the objects of a stack are in a cluster, and claiming them (ADR 0018), as `deploy.sh` does it.

`facts` asks the cluster, and `owners.judge` judges; nothing is changed. `claim` and `take_over` follow, in this order, before
the first object of the stack is applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.gitops import applyset, engine, owners, ownership
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.owners import Claimed, Facts, LiveApplication, LiveObject, Verdict
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests import managed_fields
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Patch, Propagation, Query
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver.cluster_records import claims
from cluster_forge.stages.deliver.tools import DeliverTools

RUN: Final = "cluster-forge/run"
"""On the claim: the deployment that wrote it last. A `deploy.sh` that finds another one there ends."""
_FEW: Final = 3
"""So many namespaces are listed one by one; the objects of a kind in more of them come in one listing of the cluster."""


def facts(plan: DeployPlan, tools: DeliverTools, hooks: Iterable[ObjectId] = ()) -> Facts:
    """What the cluster says of the stack's objects, for `owners.judge`.

    ``hooks`` are those that the deployment applies itself, and deletes. They come and go, so they are not claimed; what has the
    name of one may belong to others all the same.

    Raises:
        ClusterError, RefusedError: if it does not say.
    """
    cluster = tools.cluster
    wanted = {**dict.fromkeys(hooks, owners.UNTRACKED), **listed(plan)}
    namespace = plan.argocd.namespace if plan.argocd else engine.NAMESPACE
    return Facts(
        stack=plan.stack,
        root=_root(plan),
        wanted=wanted,
        claims=tuple(_claims(cluster)),
        applications=tuple(_applications(cluster, namespace)),
        live=tuple(_live_of(wanted, tools)),
    )


def claim(plan: DeployPlan, verdict: Verdict, tools: DeliverTools, *, run: str) -> None:
    """Write the list of the stack's objects into the namespace of all stacks, which is there.

    ``run`` names this deployment (``HOST/PROCESS/TIME``).

    What the verdict lets the stack adopt leaves the claims of other stacks. What has left the stack stays claimed until it is
    pruned, data and the rest of a narrowed stack beyond that.
    """
    cluster = tools.cluster
    own = listed(plan)
    for stack in sorted({foreign.stack for foreign in verdict.foreign if foreign.stack and not foreign.is_at_work}):
        theirs = {identity: word for identity, word in claims.entries(cluster, stack).items() if identity not in own}
        claims.write(cluster, stack, theirs)
    body = tools.reader.read(plan.claim[ownership.CLAIM].decode())
    metadata = body["metadata"]
    is_direct = plan.delivery is Delivery.DIRECT
    claimed = claims.entries(cluster, plan.stack)  # the verdict may be older than the lease
    if plan.narrowed:
        own = {**claimed, **own}
    else:
        gone = sorted({*claimed, *verdict.staying, *verdict.leaving} - own.keys())
        own |= {
            one: owners.STAYS_BEHIND if one.holds_data else owners.LEAVES for one in gone if one.holds_data or is_direct
        }
    inventory = applyset.inventory(ownership.claim_id(plan.stack), own) if is_direct else {}
    marked = {**metadata, "annotations": {**metadata.get("annotations", {}), **inventory, RUN: run}}
    data = {ownership.OBJECTS: claims.lines(own)}
    if not creation.create({**body, "metadata": marked, "data": data}, cluster):
        labels = {ownership.ENVIRONMENT_LABEL: None, **metadata["labels"]}  # null: no environment any more
        claims.write(cluster, plan.stack, own, {"labels": labels, "annotations": marked["annotations"]})


def take_over(plan: DeployPlan, verdict: Verdict, tools: DeliverTools) -> None:
    """Before the root Application of the stack is applied: end Applications of the older naming without their objects, and
    give objects that another component has now the tracking id of its Application.

    Until the root is applied, neither it nor the Applications that lose or get objects sync by themselves: at their revision
    of before they would prune the objects.
    """
    if not plan.argocd:
        return
    cluster, namespace = tools.cluster, plan.argocd.namespace
    for name in verdict.older:
        target = engine.application_id(name, namespace)
        _patch(cluster, target, {"metadata": {"finalizers": None}, "operation": None})
        cluster.delete(target, Propagation.ORPHAN)
    if verdict.moves:
        names = {_root(plan), *(name for move in verdict.moves for name in (move.former, move.new))}
        for name in sorted(names, key=lambda name: (name != _root(plan), name)):
            target = engine.application_id(name, namespace)
            if cluster.get(target):
                _patch(cluster, target, {"spec": {"syncPolicy": {"automated": None}}})
        for move in verdict.moves:
            _patch(cluster, move.id, {"metadata": {"annotations": {owners.TRACKING: move.new_tracking_id}}})


def listed(plan: DeployPlan) -> dict[ObjectId, str]:
    """The objects that a stack claims, each with its last word."""
    return dict(ownership.entries(plan.claim[ownership.OBJECTS].decode()))


def _root(plan: DeployPlan) -> str:
    return plan.argocd.sync.name if plan.argocd else ""


def _live_of(wanted: Mapping[ObjectId, str], tools: DeliverTools) -> Iterator[LiveObject]:
    """Those of the objects that are in the cluster: a listing for each kind and namespace, or for each kind that is in many."""
    for items in tools.workers.map(lambda query: _listing(query, tools.cluster), _queries(wanted, tools.cluster)):
        yield from (item for item in items if item.id in wanted)


def _queries(wanted: Mapping[ObjectId, str], cluster: Cluster) -> Iterator[Query]:
    """What to list: nothing of kinds that are not served, nor of namespaces that are not there."""
    served = cluster.served()
    names: dict[tuple[str, str], dict[str, list[str]]] = {}
    for identity in wanted:
        names.setdefault((identity.group, identity.kind), {}).setdefault(identity.namespace, []).append(identity.name)
    present = {namespace["metadata"]["name"] for namespace in cluster.list(_all("", "Namespace")).items}
    for (group, kind), by_namespace in sorted(names.items()):
        if not served.find(group, kind):
            continue
        there = {namespace: listed for namespace, listed in by_namespace.items() if namespace in {"", *present}}
        if len(there) > _FEW:
            yield _all(group, kind)
            continue
        for namespace, listed in sorted(there.items()):
            fields = f"metadata.name={listed[0]}" if len(listed) == 1 else ""
            yield Query(group=group, kind=kind, namespace=namespace, fields=fields, metadata_only=True)


def _all(group: str, kind: str) -> Query:
    return Query(group=group, kind=kind, metadata_only=True)


def _listing(query: Query, cluster: Cluster) -> list[LiveObject]:
    return [_live(body["metadata"], query) for body in cluster.list(query).items]


def _live(metadata: Mapping[str, Any], query: Query) -> LiveObject:
    annotations = metadata.get("annotations") or {}
    return LiveObject(
        id=query.id_of({"metadata": metadata}),
        tracking_id=annotations.get(owners.TRACKING, ""),
        release=annotations.get(owners.HELM_RELEASE, ""),
        managers=tuple(fields.get("manager", "") for fields in metadata.get("managedFields") or ()),
        fingerprint=managed_fields.fingerprint({"metadata": metadata}, FIELD_MANAGER),
        is_going="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers") or ()),
    )


def _claims(cluster: Cluster) -> Iterator[Claimed]:
    for stack, claimed in claims.by_stack(cluster):
        for identity, application in claimed.items():
            yield Claimed(stack=stack, id=identity, application=application)


def _applications(cluster: Cluster, namespace: str) -> Iterator[LiveApplication]:
    for body in cluster.list(Query(group=engine.GROUP, kind="Application", namespace=namespace)).items:
        metadata = body["metadata"]
        source = (body.get("spec") or {}).get("source") or {}
        stack = (metadata.get("labels") or {}).get(STACK_LABEL, "")
        yield LiveApplication(name=metadata["name"], stack=stack, path=source.get("path", ""))


def _patch(cluster: Cluster, target: ObjectId, change: Body) -> None:
    cluster.patch(target, change, Patch.MERGE, manager=FIELD_MANAGER)
