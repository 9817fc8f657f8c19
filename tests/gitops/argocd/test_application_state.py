"""How far an Application has come, from the states that Argo CD writes: in Python, and in deploy.sh on the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tests.gitops.deploying import judged

from cluster_forge.gitops.argocd import application_state
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

COMMIT, OLDER = "c" * 40, "b" * 40


def application(
    *,
    wanted: str = "v-2",
    compared: str = "v-2",
    sync: str = "Synced",
    health: str = "Healthy",
    phase: str = "Succeeded",
    tried: str = COMMIT,
    **status: Any,
) -> Body:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "demo.shop", "namespace": "argocd"},
        "spec": {"source": {"targetRevision": wanted}},
        "status": {
            "sync": {"status": sync, "revision": COMMIT, "comparedTo": {"source": {"targetRevision": compared}}},
            "health": {"status": health},
            "operationState": {"phase": phase, "syncResult": {"revision": tried}, "message": f"it {phase}"},
            **status,
        },
    }


@pytest.mark.parametrize(
    ("body", "lack"),
    [
        (application(), ""),
        (application(wanted="v-1"), "at v-1"),
        (application(compared="v-1"), "not compared with the revision yet"),
        (application(sync="OutOfSync"), "OutOfSync, Healthy"),
        (application(health="Progressing"), "Synced, Progressing"),
        (application(phase="Running"), "the sync is Running"),
        (application(phase="Terminating", tried=OLDER), "the sync is Terminating"),
        (application(phase="Failed"), "the sync is Failed"),
        (application(phase="Failed", tried=OLDER), ""),
        (application(phase=""), ""),
        ({**application(), "status": {}}, "not compared with the revision yet"),
        ({**application(), "status": "nonsense", "spec": None}, "at no revision"),
    ],
)
def test_what_it_lacks(body: Body, lack: str) -> None:
    state = application_state.of(body, "v-2")
    assert (state.lack, state.is_ready) == (lack, not lack)


def deleted() -> Body:
    body = application()
    return {**body, "metadata": {**body["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


def test_one_that_is_deleted_is_not_ready() -> None:
    assert application_state.of(deleted(), "v-2").lack == "it is being deleted"


def test_the_shell_judges_as_python_does(tmp_path: Path) -> None:
    """On each combination of what Argo CD writes."""
    bodies = [
        deleted(),
        {**application(), "status": {}},
        *(
            application(wanted=wanted, compared=compared, sync=sync, health=health, phase=phase, tried=tried)
            for wanted, compared, sync, health, phase, tried in product(
                ("v-2", "v-1", "v-22"),
                ("v-2", "v-1"),
                ("Synced", "OutOfSync", "Unknown"),
                ("Healthy", "Progressing", "Degraded", "Missing"),
                ("Succeeded", "Running", "Terminating", "Failed", "Error"),
                (COMMIT, OLDER),
            )
        ),
    ]
    settings = "revision=v-2 narrowed= root=demo.argo-apps applications=demo.shop listed=' demo.shop'"
    by_shell = judged(
        "root_application", settings, ["demo.shop " + " ".join(columns(body)) for body in bodies], tmp_path
    )
    assert by_shell == [application_state.of(body, "v-2").is_ready for body in bodies]


def columns(body: Body) -> Iterator[str]:
    """What `columns_of_applications` show of it, as kubectl writes them."""
    for path in (
        "spec.source.targetRevision",
        "status.sync.comparedTo.source.targetRevision",
        "status.sync.status",
        "status.health.status",
        "status.operationState.phase",
        "status.sync.revision",
        "status.operationState.syncResult.revision",
        "metadata.deletionTimestamp",
    ):
        value: Any = body
        for key in path.split("."):
            value = value.get(key, {})
        yield value or "<none>"


@pytest.mark.parametrize(
    ("body", "has_failed", "is_operating"),
    [
        (application(phase="Failed"), True, False),
        (application(phase="Error", sync="OutOfSync"), True, False),
        (application(phase="Failed", tried=OLDER), False, False),
        (application(phase="Failed", wanted="v-1"), False, False),
        (application(phase="Running"), False, True),
    ],
)
def test_a_failure_counts_for_its_commit(body: Body, has_failed: bool, is_operating: bool) -> None:
    state = application_state.of(body, "v-2")
    assert (state.has_failed, state.is_operating) == (has_failed, is_operating)


@pytest.mark.parametrize(
    ("resources", "is_ready"),
    [
        ([{"status": "OutOfSync", "requiresPruning": True}, {"status": "Synced"}], True),
        ([{"status": "OutOfSync", "requiresPruning": True}, {"status": "OutOfSync"}], False),
        ([], False),
    ],
)
def test_a_narrowed_stack_does_not_count_what_is_not_pruned(resources: list[Body], is_ready: bool) -> None:
    body = application(sync="OutOfSync", resources=resources)
    assert application_state.of(body, "v-2", is_narrowed=True).is_ready == is_ready
    assert not application_state.of(body, "v-2").is_ready


def test_messages_are_those_of_what_is_wrong() -> None:
    resources = [
        {"kind": "Deployment", "name": "web", "health": {"status": "Degraded", "message": "x" * 900}},
        {"kind": "Service", "name": "web", "health": {"status": "Healthy", "message": "fine"}},
    ]
    body = application(phase="Failed", conditions=[{"message": "ComparisonError"}], resources=resources)
    first, second, third = application_state.of(body, "v-2").messages
    assert (first, second) == ("it Failed", "ComparisonError")
    assert third == f"Deployment/web: {'x' * 500}"
    assert application_state.of(application(), "v-2").messages == ()


def test_objects_that_may_be_unwell() -> None:
    resources = [
        {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"},
        {"kind": "Service", "namespace": "shop", "name": "web", "health": {"status": "Healthy"}},
    ]
    (target,) = application_state.of(application(resources=resources), "v-2").unwell
    assert target == ObjectId(group="apps", kind="Deployment", namespace="shop", name="web")


def test_objects_that_could_not_be_applied_are_refused_or_all_that_differ_where_nothing_could_be_compared() -> None:
    crd = {"group": "apiextensions.k8s.io", "kind": "CustomResourceDefinition", "name": "widgets.example.com"}
    web = {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "status": "Synced"}
    names = {ObjectId(group="apps", kind="Deployment", namespace="shop", name="web"): "web"}

    def refused(body: Body, revision: str = "v-2") -> list[str]:
        return [names.get(target, target.name) for target in application_state.of(body, revision).refused]

    tried = [{**crd, "status": "SyncFailed"}, web]
    failed = application(operationState={"phase": "Running", "syncResult": {"resources": tried}})
    assert refused(failed) == ["widgets.example.com"]
    assert refused(failed, "v-3") == []
    conditions = [{"type": "ComparisonError", "message": "Failed to compare desired state to live state: is invalid"}]
    unknown = application(sync="Unknown", conditions=conditions, resources=[{**crd, "status": "Unknown"}, web])
    assert refused(unknown) == ["widgets.example.com"]
    assert refused(application(resources=[{**crd, "status": "OutOfSync"}])) == []


@pytest.mark.parametrize(
    ("kind", "message", "is_unreadable"),
    [
        ("ComparisonError", "Failed to load target state: unable to resolve 'v-2' to a commit SHA", True),
        ("InvalidSpecError", "application destination is not permitted in project 'demo.project'", True),
        ("ComparisonError", "Failed to load live state: error synchronizing cache state", False),
        ("OrphanedResourceWarning", "Failed to load target state", False),
    ],
)
def test_one_that_cannot_be_read_differs_from_one_that_is_looked_at_again(
    kind: str, message: str, is_unreadable: bool
) -> None:
    body = application(sync="Unknown", conditions=[{"type": kind, "message": message}])
    state = application_state.of(body, "v-2")
    assert state.is_unreadable is is_unreadable
    assert message in state.messages
    assert not application_state.of(body, "v-3").is_unreadable


def test_progress_rises_with_what_is_applied_synced_and_healthy() -> None:
    def seen(applied: int, synced: int, healthy: int) -> int:
        resources = [
            {
                "kind": "ConfigMap",
                "status": "Synced" if number < synced else "OutOfSync",
                "health": {"status": "Healthy" if number < healthy else "Missing"},
            }
            for number in range(3)
        ]
        results = [
            {"kind": "ConfigMap", "status": "Synced" if number < applied else "SyncFailed"} for number in range(3)
        ]
        operation = {"phase": "Running", "syncResult": {"revision": COMMIT, "resources": results}}
        body = application(sync="OutOfSync", resources=resources, operationState=operation)
        return application_state.of(body, "v-2").progress

    steps = [seen(0, 0, 0), seen(2, 0, 0), seen(3, 1, 0), seen(3, 3, 1), seen(3, 3, 3)]
    assert steps == sorted(set(steps))
    assert application_state.of(application(wanted="v-1"), "v-2").progress == 0
    assert application_state.of(application(), "v-2").progress == 1


def test_a_cluster_that_does_not_answer_argo_cd_is_not_a_wrong_repository() -> None:
    """As Argo CD 3.5.7 says it while the API server makes its OpenAPI document of 251 new CRDs."""
    cause = "failed to get cluster info: error synchronizing cache state: context deadline exceeded"
    live, target = (
        f"Failed to load live state: {cause}",
        f"Failed to load target state: failed to get cluster version: {cause}",
    )

    def is_unreadable(*messages: str) -> bool:
        conditions = [{"type": "ComparisonError", "message": message} for message in messages]
        return application_state.of(application(sync="Unknown", conditions=conditions), "v-2").is_unreadable

    assert not is_unreadable(live, target)
    assert is_unreadable("Failed to load target state: unable to resolve 'v-2' to a commit SHA")
