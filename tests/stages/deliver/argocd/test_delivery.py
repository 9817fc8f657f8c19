"""Delivery through an Argo CD: a fake cluster, and a controller that does with Applications what Argo CD does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import argocd_bodies, body, crd, part, workload
from tests.stages.deliver.argocd_kinds import KINDS
from tests.stages.deliver.deliveries import PASSING, Delivery, cast, identity, settings, web

from cluster_forge.foundation.errors import DeploymentError, ForgeError, PreflightError, RefusedError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import git_server, planning
from cluster_forge.gitops.argocd import applications, project
from cluster_forge.gitops.argocd.application_state import ApplicationState
from cluster_forge.gitops.owners import Verdict
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, RepositorySource, Stack
from cluster_forge.stages.deliver.argocd import delivery as argocd
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.look import engine_status
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult, State

ARGO = part("argo-cd", argocd_bodies(), wave=-10, namespace="argocd")
SHOP = part("shop", [web(), settings()])
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
    stack: Stack,
    parts: Sequence[Part],
    looks: Mapping[str, Look],
    *there: Body,
    verdict: Verdict = Verdict(),  # noqa: B008 - it is immutable
    has_children: bool = True,
    knows_objects: bool = False,
    denied: frozenset[tuple[str, str, str]] = frozenset(),
    owned: Sequence[tuple[str, Body]] = (),
    before: Callable[[FakeRequest], object] = lambda _: None,
    **options: bool | float,
) -> tuple[Delivery, ArgoCd, dict[str, ComponentResult]]:
    deployment = cast(stack, parts)
    *children, _root = applications.applications(stack, parts, "v-2")
    controller = ArgoCd(children if has_children else [], looks)
    delivery = Delivery(FakeCluster(on_change=controller))
    delivery.cluster.put(*KINDS, *there, manager="cluster-forge")
    for manager, owned_body in owned:
        delivery.cluster.put(owned_body, manager=manager)
    delivery.cluster.denied |= denied
    delivery.cluster.before = before
    deployment = replace(deployment, plan=argocd_place.found(deployment.plan, delivery.cluster))
    objects = parts if knows_objects else ()
    results = argocd.deliver(deployment, verdict, delivery.tools, DeployOptions(**options), objects)  # type: ignore[arg-type]
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


def test_an_argo_cd_that_looks_after_itself_keeps_no_fields_from_the_stack_that_brings_it() -> None:
    """It applies its own objects; an API server's defaults within what it owns are a conflict, too."""
    there = workload("StatefulSet", "controller", "argocd", "application-controller", "example.com/argocd:v3.4.3")

    def deploy(manager: str) -> dict[str, ComponentResult]:
        return deployed(Stack(name="demo"), [ARGO, SHOP], {}, owned=[(manager, there)])[2]

    assert {result.state for result in deploy("argocd-controller").values()} == {State.READY}
    with pytest.raises(RefusedError, match="of somebody-else"):
        deploy("somebody-else")


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


@pytest.mark.parametrize("verb", ["list", "patch"])
@pytest.mark.parametrize("error", PASSING)
def test_a_cluster_that_does_not_answer_for_a_while_is_waited_for(verb: str, error: ForgeError) -> None:
    looked: list[str] = []
    refused: list[str] = []

    def late(application: Body) -> dict[str, Any]:
        looked.append(application["metadata"]["name"])
        status = healthy(application)
        return status if len(looked) > 2 else {**status, "sync": {**status["sync"], "status": "OutOfSync"}}

    def refuse(request: FakeRequest) -> None:
        if looked and request.verb == verb and request.target.kind == "Application" and len(refused) < 2:
            refused.append(request.verb)
            raise error

    _, _, results = deployed(EXISTING, [SHOP], {"demo.shop": late}, *GITOPS, before=refuse)
    assert (results["shop"].state, len(refused)) == (State.READY, 2)


def syncing(application: Body) -> dict[str, Any]:
    status = healthy(application)
    return {**status, "operationState": {**status["operationState"], "phase": "Running"}}


def test_what_syncs_is_not_disturbed() -> None:
    _, controller, _ = deployed(EXISTING, [SHOP], {"demo.shop": syncing}, *GITOPS, timeout=60)
    assert "demo.shop" not in controller.refreshed
    assert controller.refreshed.count("demo.argo-apps") > 0


def test_objects_that_get_synced_are_progress() -> None:
    looked: list[float] = []

    def slow(application: Body) -> dict[str, Any]:
        looked.append(0)
        status = healthy(application)
        if len(looked) > 8:
            return status
        done = [{"kind": "ConfigMap", "name": str(number), "status": "Synced"} for number in range(len(looked))]
        return {**status, "sync": {**status["sync"], "status": "OutOfSync"}, "resources": done}

    delivery, _, results = deployed(EXISTING, [SHOP], {"demo.shop": slow}, *GITOPS, timeout=80)
    assert results["shop"].state is State.READY
    assert delivery.clock.monotonic() > 160, "no single wait was longer than the time for one"


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


def degraded(application: Body) -> dict[str, Any]:
    unwell = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web"}
    degraded = {"status": "Degraded", "message": "exceeded its progress deadline"}
    resources = [{**unwell, "status": "Synced", "health": degraded}]
    return {**healthy(application), "health": {"status": "Degraded"}, "resources": resources}


def test_the_cause_is_the_one_that_status_shows() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "failed to authorize: 401 Unauthorized"}
    labels = {"app": "web"}
    image = "registry.example.com/web:1"
    pod = body("v1", "Pod", "web-1", "shop", labels=labels, spec={"containers": [{"name": "web", "image": image}]})
    container = {"name": "web", "image": image, "ready": False, "state": {"waiting": waiting}}
    pod |= {"status": {"phase": "Pending", "containerStatuses": [container]}}
    broken = {**web(), "status": {"observedGeneration": 1, "replicas": 1, "unavailableReplicas": 1}}
    broken["spec"]["selector"] = {"matchLabels": labels}

    there = (*GITOPS, body("v1", "Namespace", "shop"), broken, pod)
    delivery, _, results = deployed(EXISTING, [SHOP], {"demo.shop": degraded}, *there, timeout=30)
    planned = planning.of(EXISTING, [SHOP], FileTree({"HEAD": b"x"}), "c" * 40, "v-2")
    (status,) = engine_status.of_argocd(planned, delivery.tools)
    assert "Deployment.apps/shop/web: ImagePullBackOff: registry.example.com answers 401" in status.messages[0]
    assert results["shop"].message == "; ".join(("Synced, Degraded", *status.messages))


def test_an_object_that_the_user_may_not_see_leaves_what_argo_cd_says() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "get" and request.target.name == "web":
            raise RefusedError("deployments.apps is forbidden", status=403, reason="Forbidden")

    there = (*GITOPS, body("v1", "Namespace", "shop"), web())
    looks = {"demo.shop": degraded}
    _, _, results = deployed(EXISTING, [SHOP], looks, *there, timeout=30, before=refuse)
    assert results["shop"].state is State.FAILED
    assert "exceeded its progress deadline" in results["shop"].message


def test_what_is_not_healthy_in_time_has_failed() -> None:
    stuck = part("stuck", [web("a", "stuck")], wave=-1)

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


LEFT = ObjectId(group="batch", kind="CronJob", namespace="nightly", name="backup")
PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "demo.project", "namespace": "gitops"},
    "spec": {
        "sourceRepos": ["https://git.example.com/former.git"],
        "destinations": [{"namespace": "former", "server": "https://kubernetes.default.svc"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "PersistentVolume"}],
    },
}


def progressing(application: Body) -> dict[str, Any]:
    return {**healthy(application), "health": {"status": "Progressing"}}


def granted(delivery: Delivery) -> list[project.Rights]:
    """What the project has permitted, one after the other; the same again is a conflict with ourselves."""
    applied = [
        project.rights(request.body)
        for request in delivery.cluster.requests
        if request.verb == "apply" and request.target.kind == "AppProject" and request.body
    ]
    return [rights for rights, _ in groupby(applied)]


def test_the_project_permits_what_leaves_the_stack_until_all_is_synced() -> None:
    verdict = Verdict(leaving=(LEFT,))
    delivery, _, _ = deployed(EXISTING, [SHOP], {}, *GITOPS, PROJECT, verdict=verdict)
    first, last = granted(delivery)
    assert ("batch", "CronJob") in first.namespaced_kinds
    assert {"nightly", "former", "gitops", "shop"} == first.namespaces
    assert ("", "PersistentVolume") in first.cluster_kinds
    assert len(first.repositories) == 2
    assert last == project.rights(project.in_namespace(project.body(EXISTING, [SHOP]), "gitops"))
    applied = delivery.applied()
    assert applied.index("AppProject/demo.project") < applied.index("Application/demo.argo-apps")


def test_the_project_stays_wide_while_something_is_not_synced() -> None:
    delivery, _, results = deployed(EXISTING, [SHOP], {"demo.shop": progressing}, *GITOPS, PROJECT, timeout=30)
    assert results["shop"].state is State.FAILED
    assert len(granted(delivery)) == 1


def test_the_project_stays_wide_where_nothing_is_awaited() -> None:
    delivery, _, _ = deployed(EXISTING, [SHOP], {}, *GITOPS, PROJECT, waits=False)
    assert len(granted(delivery)) == 1


def unreadable(application: Body) -> dict[str, Any]:
    source = application["spec"]["source"]
    message = "Failed to load target state: unable to resolve 'v-2' to a commit SHA"
    return {
        "sync": {"status": "Unknown", "comparedTo": {"source": source}},
        "health": {"status": "Healthy"},
        "conditions": [{"type": "ComparisonError", "message": message}],
    }


@pytest.mark.parametrize(
    ("gitops", "fix"),
    [
        (GitOps(install=False), "fix the cause"),
        (
            GitOps(install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git"),
            "`cluster-forge push` .with --git .* if v-2 is of before",
        ),
    ],
)
def test_a_repository_that_cannot_be_read_is_said_soon(gitops: GitOps, fix: str) -> None:
    stack = Stack(name="demo", gitops=gitops)
    with pytest.raises(DeploymentError, match=r"Unknown, Healthy; Failed to load .* 'v-2'") as error:
        deployed(stack, [SHOP], {"demo.argo-apps": unreadable}, *GITOPS, has_children=False)
    assert error.value.where == "Application gitops/demo.argo-apps"
    assert re.search(fix, error.value.fix or "")


def test_a_controller_that_does_not_run_is_named() -> None:
    controller = workload("StatefulSet", "application-controller", "gitops")
    labels = {"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": "application-controller"}
    controller["metadata"]["labels"] = labels
    down = {**controller, "status": {"observedGeneration": 1, "replicas": 1}}
    with pytest.raises(DeploymentError) as error:
        deployed(EXISTING, [SHOP], {"demo.argo-apps": lambda _: {}}, *GITOPS, down, has_children=False, timeout=30)
    named = "StatefulSet.apps/gitops/application-controller has no ready Pod"
    assert error.value.message == f"Argo CD has not applied the stack: not compared with the revision yet; {named}"


def test_crds_that_the_root_waits_for_are_named() -> None:
    planned = planning.of(
        EXISTING, [part("operator", [crd("widgets.example.com")])], FileTree({"HEAD": b"x"}), "c" * 40, "v-2"
    )
    assert planned.argocd
    states = [
        state("demo.argo-apps", "OutOfSync, Healthy", "waiting for demo.crds.1"),
        state("demo.crds.1", "OutOfSync, Healthy", "cannot list widgets"),
    ]
    with pytest.raises(DeploymentError) as error:
        argocd.outcome(planned, planned.argocd, {}, {one.name: one for one in states}, FakeCluster())
    assert error.value.message.endswith("waiting for demo.crds.1; demo.crds.1: OutOfSync, Healthy; cannot list widgets")


def state(name: str, lack: str, *messages: str) -> ApplicationState:
    return ApplicationState(
        name=name, lack=lack, is_current=True, has_failed=False, is_operating=True, messages=messages
    )


def two_argo_cds() -> tuple[Body, ...]:
    server = GITOPS[1]
    metadata = {**server["metadata"], "namespace": "other"}
    return (*GITOPS, body("v1", "Namespace", "other"), {**server, "metadata": metadata})


def place_of(*there: Body, namespace: str = "") -> str:
    delivery = Delivery(FakeCluster())
    delivery.cluster.put(*KINDS, *two_argo_cds(), *there)
    planned = planning.of(EXISTING, [SHOP], FileTree({"HEAD": b"x"}), "c" * 40, "v-2")
    found = argocd_place.found(planned, delivery.cluster, namespace).argocd
    assert found
    return found.namespace


def test_of_several_the_wanted_one_delivers() -> None:
    assert place_of(namespace="other") == "other"
    with pytest.raises(PreflightError, match="namespaces gitops, other, none in third"):
        place_of(namespace="third")


def test_of_several_the_one_delivers_that_has_the_stack_already() -> None:
    with pytest.raises(PreflightError, match="does not say which"):
        place_of()
    root = applications.in_namespace(applications.root(EXISTING, [SHOP], "v-2"), "other")
    assert place_of(root) == "other"


def test_what_the_api_server_refuses_argo_cd_is_tried_to_mend_it() -> None:
    """Argo CD names the objects; those of the new version are tried as Argo CD applies them."""
    looks = iter([True, True])

    def refused_at_first(application: Body) -> Mapping[str, Any]:
        if not next(looks, False):
            return healthy(application)
        conditions = [{"type": "ComparisonError", "message": "Failed to compare desired state to live state: invalid"}]
        resources = [{"kind": "ConfigMap", "namespace": "shop", "name": "settings", "status": "Unknown"}]
        status = healthy(application)
        status["sync"]["status"] = "Unknown"
        return {**status, "conditions": conditions, "resources": resources}

    delivery, _, results = deployed(
        EXISTING, [SHOP], {"demo.shop": refused_at_first}, *GITOPS, body("v1", "Namespace", "shop"), knows_objects=True
    )
    assert results["shop"].state is State.READY
    tried = [request for request in delivery.cluster.requests if request.verb == "apply" and request.is_trial]
    assert [request.target.name for request in tried] == ["settings"]
