"""The stage deploy: checks, claim, delivery, pruning and the release, on a fake cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, part
from tests.stages.deliver.deliveries import Delivery, deployment, identity, needing, settings, web
from tests.stages.deliver.preflight.situations import node

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import BusyError, ClusterError, ForgeError, PreflightError, RefusedError
from cluster_forge.gitops.release import Result
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Patch
from cluster_forge.stages.deliver import deploy as stage
from cluster_forge.stages.deliver.cluster_records import audit_log, lease, releases
from cluster_forge.stages.deliver.deploy import DeployRequest, DeployResult
from cluster_forge.stages.deliver.options import DeployOptions

SHOP = part("shop", [web(), settings()])


def cluster(**behaviour: object) -> FakeCluster:
    """With a node that has room."""
    made = FakeCluster(on_change=becomes_ready, **behaviour)  # type: ignore[arg-type]
    made.put(node("a"))
    return made


def deploy(made: Delivery, parts: Sequence[Part], version: str = "v-1", **options: bool | float) -> DeployResult:
    request = DeployRequest(
        deployment=deployment(parts, version),
        options=DeployOptions(**options),  # type: ignore[arg-type]
        run="here/1/1",
    )
    return stage.deploy(request, made.tools)


def test_a_deployment_is_a_release() -> None:
    made = Delivery(cluster())
    done = deploy(made, [SHOP])
    assert (done.is_good, done.release, done.former) == (True, 1, 0)
    (release,) = releases.listed(made.cluster, "demo")
    assert (release.result, release.version, release.run) == (Result.DEPLOYED, "v-1", "here/1/1")
    assert made.there("ConfigMap", "claim-demo", "cluster-forge")


def test_what_left_the_stack_is_pruned() -> None:
    made = Delivery(cluster())
    deploy(made, [part("shop", [web(), settings(), settings("more")])])
    done = deploy(made, [SHOP], "v-2")
    assert [str(target) for target in done.pruned.deleted] == ["ConfigMap/shop/more"]
    assert (done.release, done.former) == (2, 1)
    assert made.cluster.get(identity("ConfigMap", "more", "shop")) is None


def test_a_failed_deployment_prunes_nothing_and_names_the_release_before() -> None:
    is_refused = False

    def refuse(request: FakeRequest) -> None:
        if is_refused and request.verb == "apply" and request.target.name == "web" and not request.is_trial:
            raise RefusedError("denied the request", where=str(request.target), status=403, reason="Forbidden")

    made = Delivery(cluster(before=refuse))
    deploy(made, [part("shop", [web(), settings(), settings("more")])])
    is_refused = True
    done = deploy(made, [part("shop", [web(replicas=2), settings()])], "v-2")
    assert (done.is_good, done.former, done.pruned.deleted) == (False, 1, ())
    assert made.cluster.get(identity("ConfigMap", "more", "shop"))
    assert [release.result for release in releases.listed(made.cluster, "demo")] == [Result.DEPLOYED, Result.FAILED]
    assert "denied the request" in releases.listed(made.cluster, "demo")[-1].message


def test_a_failure_is_said_also_where_it_cannot_be_written_into_the_release() -> None:
    is_away = False

    def refuse(request: FakeRequest) -> None:
        nonlocal is_away
        if request.verb == "list" and request.target.kind == "ConfigMap" and releases_of(made):
            is_away = True
            raise RefusedError("may not list", where="ConfigMap", status=403, reason="Forbidden")
        if is_away and request.verb == "update" and request.target.kind == "Secret":
            raise RefusedError("the quota is used up", where=str(request.target), status=403, reason="Forbidden")

    made = Delivery(cluster())
    deploy(made, [part("shop", [web(), settings(), settings("more")])])
    made.cluster.before = refuse
    with pytest.raises(ExceptionGroup) as caught:
        deploy(made, [SHOP], "v-2")
    assert [str(error).partition(": ")[2] for error in caught.value.exceptions] == [
        "may not list",
        "the quota is used up",
    ]


def releases_of(made: Delivery) -> bool:
    """Whether the second deployment has begun its release."""
    return any(key.name == "release.demo.2" for key in made.cluster.objects())


def refuse_two_replicas(request: FakeRequest) -> None:
    spec = (request.body or {}).get("spec") or {}
    if request.verb == "apply" and spec.get("replicas") == 2 and not request.is_trial:
        raise RefusedError("denied the request", where=str(request.target), status=403, reason="Forbidden")


def test_an_atomic_deployment_goes_back() -> None:
    made = Delivery(cluster(before=refuse_two_replicas))
    deploy(made, [SHOP])
    done = deploy(made, [part("shop", [web(replicas=2), settings(a="2")])], "v-2", is_atomic=True)
    assert (done.is_good, done.release, done.back, done.back_errors) == (False, 2, 1, ())
    assert made.there("ConfigMap", "settings", "shop")["data"] == {"a": "1"}
    newest = releases.listed(made.cluster, "demo")[-1]
    assert (newest.number, newest.version, newest.cause, newest.result) == (3, "v-1", "rollback to 1", Result.DEPLOYED)


def test_an_atomic_deployment_goes_back_also_where_what_left_the_stack_does_not_go() -> None:
    made = Delivery(cluster())
    held_by_others = settings("more")
    held_by_others["metadata"]["finalizers"] = ["example.com/mine"]
    deploy(made, [part("shop", [web(), settings(), held_by_others])])
    with pytest.raises(ExceptionGroup) as caught:
        deploy(made, [part("shop", [web(), settings(a="2")])], "v-2", is_atomic=True, timeout=5)
    held, gone = map(str, caught.value.exceptions)
    assert "the finalizer example.com/mine holds it" in held
    assert gone == "the stack has gone back to release 1"
    assert made.there("ConfigMap", "settings", "shop")["data"] == {"a": "1"}


def test_an_atomic_deployment_that_the_checks_refuse_goes_nowhere() -> None:
    made = Delivery(cluster())
    deploy(made, [SHOP])
    made.cluster.minor -= 2
    with pytest.raises((PreflightError, ExceptionGroup)):
        deploy(made, [SHOP], "v-2", is_atomic=True)
    assert [one.number for one in releases.listed(made.cluster, "demo")] == [1]


@pytest.mark.parametrize(
    "refusal",
    [
        RefusedError("events is forbidden", where="Event", status=403, reason="Forbidden"),
        RefusedError("denied by a webhook", where="Event", status=400, reason="BadRequest"),
        ClusterError("does not answer", where="Event"),
    ],
)
def test_an_event_that_cannot_be_created_fails_no_deployment(refusal: ForgeError) -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "create" and request.target.kind == "Event":
            raise refusal

    made = Delivery(cluster(before=refuse))
    assert deploy(made, [SHOP]).is_good
    assert [entry.action for entry in audit_log.read(made.cluster)] == ["deploy"]


def test_a_damaged_release_is_named_before_the_first_change() -> None:
    made = Delivery(cluster())
    for version in ("v-1", "v-2"):
        deploy(made, [SHOP], version)
    secrets = [identity("Secret", f"release.demo.{number}", "cluster-forge") for number in (1, 2)]
    for secret in secrets:
        made.cluster.patch(secret, {"data": {"release": "e30="}}, Patch.MERGE, manager="somebody")
    before = made.cluster.objects()
    with pytest.raises(ExceptionGroup) as caught:
        deploy(made, [SHOP], "v-3")
    errors = expected(caught.value)
    assert [error.where for error in errors] == list(map(str, secrets))
    assert all("(damaged-release)" in str(error) for error in errors)
    assert made.cluster.objects() == before


def test_the_first_deployment_has_nothing_to_go_back_to() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "web":
            raise RefusedError("denied the request", where=str(request.target), status=400, reason="BadRequest")

    done = deploy(Delivery(cluster(before=refuse)), [SHOP], is_atomic=True)
    assert (done.is_good, done.back) == (False, 0)
    assert [error.message for error in done.back_errors] == [
        "there is no good release before this one: what was applied stays"
    ]


def test_nothing_is_changed_where_the_cluster_cannot_run_the_stack() -> None:
    made = Delivery(FakeCluster(on_change=becomes_ready, minor=28))
    before = made.cluster.objects()
    with pytest.raises((PreflightError, ExceptionGroup)) as caught:
        deploy(made, [SHOP])
    assert "1.28" in str(caught.value.exceptions[0] if isinstance(caught.value, ExceptionGroup) else caught.value)
    assert made.cluster.objects() == before


def test_a_dry_run_changes_nothing() -> None:
    made = Delivery(cluster())
    before = made.cluster.objects()
    done = deploy(made, [SHOP], is_trial=True)
    assert (done.components, done.release) == ((), 0)
    assert made.cluster.objects() == before


def test_a_deployment_without_changes_costs_few_requests() -> None:
    made = Delivery(cluster())
    parts = [part(f"c{number}", [settings(f"s{each}", f"c{number}") for each in range(40)]) for number in range(5)]
    deploy(made, parts)
    first = len(made.cluster.requests)
    made.cluster.requests.clear()
    assert deploy(made, parts).is_good
    assert len(made.cluster.requests) < first / 5
    assert first <= 1.2 * 200 + 60, "the rest are checks, lease, claim and release"


def test_a_further_object_costs_one_request_and_a_further_component_one_for_its_namespace() -> None:
    """Whatever else is asked is asked once for each kind; the lease, every few seconds, so on a slow machine more often."""

    def requests(components: int, objects: int) -> int:
        made = Delivery(cluster())
        maps = {f"c{one}": [settings(f"s{each}", f"c{one}") for each in range(objects)] for one in range(components)}
        assert deploy(made, [part(name, bodies) for name, bodies in maps.items()]).is_good
        asked = [request for request in made.cluster.requests if request.target.kind != "Lease"]
        return sum(request.verb != "watch" for request in asked)

    few = requests(5, 20)
    assert requests(5, 60) - few == 5 * 40
    assert requests(15, 20) - few == 10 * (20 + 1)


def test_going_back_loses_no_data_without_being_asked() -> None:
    made = Delivery(cluster(before=refuse_two_replicas))
    deploy(made, [SHOP])
    newer = [part("base", [body("v1", "Namespace", "extra")]), part("shop", [web(replicas=2), settings()])]
    done = deploy(made, newer, "v-2", is_atomic=True, prune_data=True)
    assert (done.back, done.back_errors) == (1, ())
    assert made.there("Namespace", "extra")


def test_a_deployment_that_lost_its_lease_goes_no_further() -> None:
    held: list[lease.Lease] = []

    def steal(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "first" and not request.is_trial:
            body = made.cluster.objects()[lease.lease_id("demo")]
            made.cluster.replace({**body, "spec": {**body["spec"], "holderIdentity": "other/2/2"}})
            held[0].renew()

    made = Delivery(cluster(before=steal))
    original = lease.Lease.__init__

    def noted(self: lease.Lease, *arguments: Any) -> None:
        original(self, *arguments)
        held.append(self)

    parts = [part("a", [settings("first", "a")]), needing(part("b", [settings("second", "b")]), "a", wave=10)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lease.Lease, "__init__", noted)
        with pytest.raises(BusyError, match="other/2/2 deploys the stack now"):
            deploy(made, parts)
    assert made.cluster.get(identity("ConfigMap", "second", "b")) is None
    assert [one.result for one in releases.listed(made.cluster, "demo")] == [Result.RUNNING], "the other one ends it"


def test_a_hook_with_the_name_of_an_object_of_others_is_refused_before_it_is_deleted() -> None:
    hook = body("batch/v1", "Job", "migrate", "shop", annotations={"helm.sh/hook": "pre-install"}, spec={})
    made = Delivery(cluster())
    theirs = body("batch/v1", "Job", "migrate", "shop", spec={"parallelism": 7})
    made.cluster.put(body("v1", "Namespace", "shop"), theirs, manager="kubectl-create")
    with pytest.raises(PreflightError, match="fields are those of kubectl-create"):
        deploy(made, [part("shop", [hook, web()])])
    assert made.there("Job", "migrate", "shop", "batch")["spec"] == {"parallelism": 7}


def test_a_hook_that_was_never_there_is_not_looked_for_and_deleted_in_one_request() -> None:
    policies = {"helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"}
    hook = body("v1", "ConfigMap", "migrate", "shop", annotations={"helm.sh/hook": "pre-install", **policies})
    made = Delivery(cluster())

    def verbs() -> list[str]:
        return [
            request.verb
            for request in made.cluster.requests
            if request.target.name == "migrate" and not request.is_trial
        ]

    deploy(made, [part("shop", [hook, web()])])
    assert verbs() == ["apply", "delete"]

    made.cluster.put({**hook, "metadata": {**hook["metadata"], "annotations": {}}}, manager="cluster-forge")
    made.cluster.requests.clear()
    deploy(made, [part("shop", [hook, web(replicas=2)])], "v-2")
    assert verbs() == ["get", "delete", "apply", "delete"]
    assert made.cluster.get(identity("ConfigMap", "migrate", "shop")) is None
