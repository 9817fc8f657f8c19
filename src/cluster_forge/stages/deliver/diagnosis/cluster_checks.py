"""What a cluster needs whatever is deployed to it: an API server that answers, a node, a default StorageClass, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from cluster_forge.checks.fit import live_nodes
from cluster_forge.checks.fit.live_nodes import LiveNodes
from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import ForgeError, RefusedError
from cluster_forge.foundation.names import counted
from cluster_forge.gitops import engine
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import ApplyOptions, Cluster, Query
from cluster_forge.stages.deliver import rights
from cluster_forge.stages.deliver.diagnosis.examination import Examined, State
from cluster_forge.stages.deliver.preflight import version
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import annotations_of, name_of

_SKEW: Final = 60
"""Seconds: more, and tokens and certificates are not valid yet, or not any more."""
_DEFAULTS: Final = {
    "StorageClass": (
        "storage.k8s.io",
        "storageclass.kubernetes.io/is-default-class",
        "claims without a class stay Pending",
    ),
    "IngressClass": (
        "networking.k8s.io",
        "ingressclass.kubernetes.io/is-default-class",
        "Ingresses need a class by name",
    ),
}


def examine(cluster: Cluster, clock: Clock) -> Iterator[Examined]:
    """All that a cluster can lack. Of a server that does not answer, only that."""
    try:
        yield _version(cluster)
    except (ForgeError, ExceptionGroup) as error:
        for single in expected(error):
            yield _failed("API server", single)
        return
    checks: tuple[tuple[str, Callable[[], list[Examined]]], ...] = (
        ("permissions", lambda: [_permissions(cluster)]),
        ("clock", lambda: [_time(cluster, clock)]),
        ("APIs", lambda: [_apis(cluster)]),
        ("nodes", lambda: [_nodes(cluster)]),
        ("namespaces", lambda: list(_terminating(cluster))),
        ("StorageClass", lambda: [_default(cluster, "StorageClass")]),
        ("IngressClass", lambda: [_default(cluster, "IngressClass")]),
        ("engine", lambda: list(_engines(cluster))),
    )
    for name, check in checks:
        try:
            yield from check()
        except RefusedError as error:
            yield Examined(
                name=name, state=State.DOUBTFUL, detail=f"cannot be seen: {error.message}", fix=error.fix or ""
            )


def of_problem(problem: Problem) -> Examined:
    """A finding of the checks before a deployment."""
    state, fix = State.MISSING if problem.is_error else State.DOUBTFUL, problem.remedy("deploy with")
    return Examined(name=problem.code, state=state, detail=problem.message, where=problem.where, fix=fix)


def _failed(name: str, error: ForgeError) -> Examined:
    return Examined(name=name, state=State.MISSING, detail=error.message, where=error.where or "", fix=error.fix or "")


def _version(cluster: Cluster) -> Examined:
    about = cluster.about()
    is_old = (about.minor or 0) < version.OLDEST
    return Examined(
        name="API server",
        state=State.MISSING if is_old else State.GOOD,
        detail=f"{about.version}"
        + (f" (supported: at least 1.{version.OLDEST})" if is_old else f", as {about.user or 'unknown'}"),
        where=str(about),
        fix="upgrade the cluster" if is_old else "",
    )


def _permissions(cluster: Cluster) -> Examined:
    if cluster.can("*", rights.EVERYTHING):
        return Examined(name="permissions", state=State.GOOD, detail="everything, as a cluster administrator")
    return Examined(
        name="permissions",
        state=State.DOUBTFUL,
        detail="the user may not do everything",
        fix="name a stack: `cluster-forge doctor STACK` says what its deployment may not do",
    )


def _time(cluster: Cluster, clock: Clock) -> Examined:
    """By the time that the API server gives an object which is not stored."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-forge-doctor", "namespace": "default"},
    }
    answer = cluster.apply(body, ApplyOptions(manager="cluster-forge-doctor", is_trial=True)).body
    there = datetime.fromisoformat(str(answer["metadata"]["creationTimestamp"])).timestamp()
    skew = round(clock.time() - there)
    if abs(skew) <= _SKEW:
        return Examined(name="clock", state=State.GOOD, detail="the cluster has the same time")
    return Examined(
        name="clock",
        state=State.DOUBTFUL,
        detail=f"this machine is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the cluster",
        fix="set the time: tokens and certificates are valid for a time only",
    )


def _apis(cluster: Cluster) -> Examined:
    served = cluster.served()
    if served.stale:
        return Examined(
            name="APIs",
            state=State.DOUBTFUL,
            detail=f"do not answer: {', '.join(sorted(served.stale))}",
            fix="see why: kubectl get apiservices; without an answer namespaces cannot be deleted",
        )
    return Examined(name="APIs", state=State.GOOD, detail=counted(len(served.kinds), "kind"))


def _nodes(cluster: Cluster) -> Examined:
    nodes = cluster.list(Query(group="", kind="Node")).items
    open_nodes = [group for group in LiveNodes(nodes=nodes, pods={}).groups if live_nodes.is_open(group)]
    detail = f"{len(open_nodes)} of {counted(len(nodes), 'node')} take Pods"
    fix = "" if open_nodes else "add nodes, or uncordon them: kubectl get nodes"
    return Examined(name="nodes", state=State.GOOD if open_nodes else State.MISSING, detail=detail, fix=fix)


def _terminating(cluster: Cluster) -> Iterator[Examined]:
    for body in cluster.list(Query(group="", kind="Namespace")).items:
        if body["metadata"].get("deletionTimestamp"):
            yield Examined(
                name="namespace",
                state=State.DOUBTFUL,
                detail="is being deleted",
                where=f"Namespace/{name_of(body)}",
                fix=f"see what holds it: kubectl get namespace {name_of(body)} -o yaml",
            )


def _default(cluster: Cluster, kind: str) -> Examined:
    group, annotation, effect = _DEFAULTS[kind]
    items = cluster.list(Query(group=group, kind=kind)).items
    defaults = [name_of(body) for body in items if annotations_of(body).get(annotation) == "true"]
    if defaults:
        return Examined(name=kind, state=State.GOOD, detail=f"{', '.join(defaults)} is the default one")
    return Examined(
        name=kind,
        state=State.DOUBTFUL if kind == "StorageClass" else State.ABSENT,
        detail=f"{'none is the default one' if items else 'there is none'}: {effect}",
        fix="add a component that brings one"
        if not items
        else f"kubectl annotate {kind.lower()} NAME {annotation}=true",
    )


def _engines(cluster: Cluster) -> Iterator[Examined]:
    """The Argo CDs in the cluster, with the image of their controller."""
    if not cluster.served().find(engine.GROUP, "Application"):
        yield Examined(name="Argo CD", state=State.ABSENT, detail="is not installed; a stack can bring it")
        return
    labels = "app.kubernetes.io/part-of=argocd,app.kubernetes.io/component=application-controller"
    queries = (Query(group="apps", kind=kind, labels=labels) for kind in ("StatefulSet", "Deployment"))
    controllers = [body for query in queries for body in cluster.list(query).items]
    for body in controllers:
        detail = f"in namespace {body['metadata'].get('namespace')}: {_image(body)}"
        yield Examined(name="Argo CD", state=State.GOOD, detail=detail)
    if not controllers:
        yield Examined(name="Argo CD", state=State.DOUBTFUL, detail="its CRDs are there, and no controller of it")


def _image(workload: Body) -> str:
    return str(workload["spec"]["template"]["spec"]["containers"][0].get("image", ""))
