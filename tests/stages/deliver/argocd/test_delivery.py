"""Delivery through an Argo CD: a fake cluster, and a controller that does with Applications what Argo CD does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.fake_cluster import FakeCluster
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import argocd_bodies, body, crd, part, workload
from tests.stages.deliver.deliveries import Delivery, identity, settings, web

from cluster_forge.foundation.errors import PreflightError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import bootstrap, git_server, plan
from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.owners import Verdict
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, Stack
from cluster_forge.stages.deliver import deployment as deployments
from cluster_forge.stages.deliver.argocd import delivery as argocd
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult, State

ARGO = part("argo-cd", argocd_bodies(), wave=-10, namespace="argocd")
SHOP = part("shop", [web(), settings()])
KINDS = [
    crd(
        f"{plural}.argoproj.io",
        group="argoproj.io",
        names={"kind": kind, "plural": plural},
        scope="Namespaced",
        versions=[{"name": "v1alpha1", "served": True, "storage": True}],
    )
    for kind, plural in (("Application", "applications"), ("AppProject", "appprojects"))
]
Look = Callable[[Body], Mapping[str, Any]]


def healthy(application: Body, commit: str = "c" * 40) -> dict[str, Any]:
    source = application["spec"]["source"]
    return {
        "sync": {"status": "Synced", "revision": commit, "comparedTo": {"source": source}},
        "health": {"status": "Healthy"},
        "operationState": {"phase": "Succeeded", "syncResult": {"revision": commit}},
    }


class ArgoCd:
    """A controller: the root brings its children; each gets the status that ``looks`` says once it is asked to compare."""

    def __init__(self, children: Sequence[Body], looks: Mapping[str, Look]) -> None:
        self.children = children
        self.looks = looks
        self.refreshed: list[str] = []

    def __call__(self, cluster: FakeCluster, changed: Body) -> None:
        if changed["kind"] != "Application":
            becomes_ready(cluster, changed)
            return
        metadata = changed["metadata"]
        wanted = metadata.get("annotations", {}).get("argocd.argoproj.io/refresh")
        if not wanted:
            return
        self.refreshed.append(metadata["name"])
        target = ObjectId.of(changed)
        if metadata["name"].endswith(".argo-apps"):
            for child in self.children:
                there = {**child, "metadata": {**child["metadata"], "namespace": metadata["namespace"]}}
                cluster.put(there)
                self._look(cluster, there)
        self._look(cluster, changed)
        live = cluster.get(target)
        assert live
        annotations = {key: value for key, value in live["metadata"]["annotations"].items() if "refresh" not in key}
        cluster.put({**live, "metadata": {**live["metadata"], "annotations": annotations}})

    def _look(self, cluster: FakeCluster, application: Body) -> None:
        look = self.looks.get(application["metadata"]["name"], healthy)
        live = cluster.get(ObjectId.of(application))
        assert live
        cluster.put({**live, "status": look(live)})


def deployed(
    stack: Stack, parts: Sequence[Part], looks: Mapping[str, Look], *there: Body, **options: bool | float
) -> tuple[Delivery, ArgoCd, dict[str, ComponentResult]]:
    planned = plan.of(stack, parts, FileTree({"HEAD": b"x"}), "c" * 40, "v-2")
    files = bootstrap.tree(planned)
    about = {"version": "v-2", "image": {"digest": "sha256:" + "a" * 64}}
    deployment = deployments.of(join(files, FileTree({"stack.json": orjson.dumps(about)})), "stacks/demo")
    *children, _root = applications.applications(stack, parts, "v-2")
    controller = ArgoCd(children, looks)
    delivery = Delivery(FakeCluster(on_change=controller))
    delivery.cluster.put(*KINDS, *there, manager="cluster-forge")
    deployment = replace(deployment, plan=argocd_place.found(deployment.plan, delivery.cluster))
    results = argocd.deliver(deployment, Verdict(), delivery.tools, DeployOptions(**options))  # type: ignore[arg-type]
    return delivery, controller, {result.name: result for result in results}


EXISTING = Stack(name="demo", gitops=GitOps(install=False))
GITOPS = (
    body("v1", "Namespace", "gitops"),
    {
        **workload("Deployment", "repo-server", "gitops", image="example.com/argocd:v3.0.0"),
        "metadata": {
            "name": "repo-server",
            "namespace": "gitops",
            "labels": {"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": "repo-server"},
        },
    },
)


def test_an_existing_one_gets_the_repository_and_the_root() -> None:
    delivery, _, results = deployed(EXISTING, [SHOP], {}, *GITOPS)
    assert {name: result.state for name, result in results.items()} == {"shop": State.READY}
    root = delivery.there("Application", "demo.argo-apps", "gitops", "argoproj.io")
    assert root["spec"]["destination"]["namespace"] == "gitops"
    server = delivery.there("Deployment", "git-demo", "cluster-forge", "apps")
    pod = server["spec"]["template"]["spec"]
    assert {container["image"] for container in (*pod["initContainers"], *pod["containers"])} == {
        "example.com/argocd:v3.0.0"
    }


def test_the_chunks_of_other_commits_go_and_those_of_other_stacks_stay() -> None:
    def chunk(stack: str, namespace: str = "cluster-forge") -> dict[str, Any]:
        labels = {"cluster-forge/stack": stack, git_server.COMMIT: "d" * 40}
        return body("v1", "ConfigMap", f"git-{stack}-former", namespace, labels=labels)

    there = (body("v1", "Namespace", "cluster-forge"), chunk("demo"), chunk("other"), chunk("demo", "default"))
    delivery, _, _ = deployed(EXISTING, [SHOP], {}, *GITOPS, *there)
    left = [key for key in delivery.cluster.objects() if key.name.endswith("-former")]
    assert [str(key) for key in left] == [
        "ConfigMap/cluster-forge/git-other-former",
        "ConfigMap/default/git-demo-former",
    ]


def test_without_one_nothing_begins() -> None:
    with pytest.raises(PreflightError, match="no Argo CD runs in the cluster"):
        deployed(EXISTING, [SHOP], {})


def test_the_stack_brings_it() -> None:
    delivery, _, results = deployed(Stack(name="demo"), [ARGO, SHOP], {})
    assert {name: result.state for name, result in results.items()} == {"argo-cd": State.READY, "shop": State.READY}
    applied = delivery.applied()
    assert applied.index("StatefulSet/controller") < applied.index("Deployment/git-demo")
    assert applied.index("Deployment/git-demo") < applied.index("Application/demo.argo-apps")


def test_what_is_out_of_sync_is_compared_again() -> None:
    looked: list[str] = []

    def late(application: Body) -> dict[str, Any]:
        looked.append(application["metadata"]["name"])
        status = healthy(application)
        return status if len(looked) > 2 else {**status, "sync": {**status["sync"], "status": "OutOfSync"}}

    delivery, controller, results = deployed(EXISTING, [SHOP], {"demo.shop": late}, *GITOPS)
    assert results["shop"].state is State.READY
    assert controller.refreshed.count("demo.shop") == 2
    assert delivery.clock.monotonic() < 60, "Argo CD itself would have looked after 180 s"


def test_what_has_failed_says_why() -> None:
    def failed(application: Body) -> dict[str, Any]:
        status = healthy(application)
        operation = {**status["operationState"], "phase": "Failed", "message": 'admission webhook "x" denied'}
        sync = {**status["sync"], "status": "OutOfSync"}
        return {**status, "sync": sync, "operationState": operation, "health": {"status": "Missing"}}

    delivery, _, results = deployed(EXISTING, [SHOP], {"demo.shop": failed}, *GITOPS)
    assert results["shop"].state is State.FAILED
    assert 'OutOfSync, Missing; admission webhook "x" denied' in results["shop"].message
    assert results["shop"].errors[0].where == "Application gitops/demo.shop"
    assert delivery.clock.monotonic() < 120, "what has failed for good is not awaited"


def test_what_is_not_healthy_in_time_has_failed() -> None:
    stuck = part("stuck", [web("a", "stuck")], wave=-1)

    def progressing(application: Body) -> dict[str, Any]:
        return {**healthy(application), "health": {"status": "Progressing"}}

    _, _, results = deployed(EXISTING, [stuck, SHOP], {"demo.stuck": progressing}, *GITOPS, timeout=30)
    assert results["stuck"].state is State.FAILED
    assert results["stuck"].message == "Synced, Progressing"


def test_an_operation_of_an_older_revision_ends_first() -> None:
    root = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "demo.argo-apps",
            "namespace": "gitops",
            "labels": {"app.kubernetes.io/managed-by": "cluster-forge", "cluster-forge/stack": "demo"},
        },
        "spec": {"source": {"targetRevision": "v-1"}},
        "status": {"operationState": {"phase": "Running"}},
    }
    delivery, _, results = deployed(EXISTING, [SHOP], {}, *GITOPS, root)
    assert results["shop"].state is State.READY
    ended = [request for request in delivery.cluster.requests if request.verb == "patch"]
    assert ended[0].target == identity("Application", "demo.argo-apps", "gitops", "argoproj.io")
