"""Delivery through Flux: a fake cluster, and a controller that does with Kustomizations what Flux does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest, hiding
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, crd_of, part, workload
from tests.stages.deliver.deliveries import PASSING, Delivery, cast, identity, needing, settings, still_waiting, web
from tests.stages.deliver.direct.test_upgrades import CONVERSION, StrictServer, widgets

from cluster_forge.foundation.errors import DeploymentError, ForgeError, RefusedError
from cluster_forge.gitops.flux import kustomization_state, kustomizations
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ApplyOptions, Patch, Query
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack
from cluster_forge.stages.deliver.engine_mending import EngineMending
from cluster_forge.stages.deliver.flux import delivery as flux
from cluster_forge.stages.deliver.flux.wait import KustomizationWait
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult, State

AT_WORK = {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "Progressing", "message": "at work"}]}
EXISTING = Stack(
    name="demo",
    gitops=GitOps(
        engine=GitOpsEngine.FLUX,
        install=False,
        source=RepositorySource.EXTERNAL,
        url="https://git.example.com/demo.git",
    ),
)
INSTALLED = replace(EXISTING, gitops=replace(EXISTING.gitops, install=True))
REQUEST = "reconcile.fluxcd.io/requestedAt"
STATUS: dict[str, Any] = {"subresources": {"status": {}}}
KINDS = [
    crd_of("kustomize.toolkit.fluxcd.io", "Kustomization", "v1", **STATUS),
    crd_of("source.toolkit.fluxcd.io", "GitRepository", "v1", "gitrepositories", **STATUS),
]
FLUX = part("flux2", [*KINDS, workload("Deployment", "kustomize-controller", "flux-system")], wave=-110)
BASE = part("base", [settings("base", "base")])
SHOP = needing(part("shop", [web(), settings()], wave=10), "base")


@dataclass
class Flux:
    """A controller as kustomize-controller: the root brings the others; each is tried when it is new, and when it is asked for.

    ``failing`` has the message of each one that never gets ready.
    """

    children: Sequence[Body]
    revision: str = "v-2@sha1:abc"
    failing: Mapping[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    def __call__(self, cluster: FakeCluster, changed: Body) -> None:
        name, annotations = changed["metadata"]["name"], changed["metadata"].get("annotations", {})
        if changed["kind"] != "Kustomization":
            becomes_ready(cluster, changed)
        elif REQUEST in annotations or "status" not in changed:
            self.tried.append(name)
            self._try(cluster, changed)

    def _try(self, cluster: FakeCluster, kustomization: Body) -> None:
        name = kustomization["metadata"]["name"]
        waiting = [entry["name"] for entry in kustomization["spec"].get("dependsOn", ())]
        lacking = [other for other in waiting if not self._is_ready(cluster, other)]
        if lacking:
            return self._set(cluster, name, "False", "DependencyNotReady", f"dependency '{lacking[0]}' is not ready")
        if name in self.failing:
            return self._set(cluster, name, "False", "HealthCheckFailed", self.failing[name])
        self._set(cluster, name, "True", "ReconciliationSucceeded", f"Applied revision: {self.revision}")
        if name.endswith(".flux"):
            for child in self.children:
                if not cluster.get(ObjectId.of(child)):
                    cluster.put(child)
                    self(cluster, cluster.get(ObjectId.of(child)) or child)
        return None

    def _is_ready(self, cluster: FakeCluster, name: str) -> bool:
        live = cluster.get(kustomization_id(name))
        return live is not None and kustomization_state.of(live, "v-2").is_ready

    def _set(self, cluster: FakeCluster, name: str, status: str, reason: str, message: str) -> None:
        live = cluster.get(kustomization_id(name))
        assert live
        condition = {"type": "Ready", "status": status, "reason": reason, "message": message}
        done = {"lastAppliedRevision": self.revision} if status == "True" else {}
        observed = {"observedGeneration": live["metadata"]["generation"], "conditions": [condition], **done}
        if live.get("status") != observed:
            cluster.set_status(kustomization_id(name), observed)


def kustomization_id(name: str) -> ObjectId:
    return identity("Kustomization", name, "cluster-forge", "kustomize.toolkit.fluxcd.io")


def deployed(
    stack: Stack, parts: Sequence[Part], *, failing: Mapping[str, str] | None = None, **options: bool | float
) -> tuple[Delivery, Flux, dict[str, ComponentResult]]:
    children = [one for bodies in kustomizations.kustomizations(stack, parts).values() for one in bodies]
    controller = Flux(children, failing=failing or {})
    delivery = Delivery(FakeCluster(on_change=controller))
    if not stack.gitops.install:
        delivery.cluster.put(*KINDS)
    results = flux.deliver(cast(stack, parts), delivery.tools, DeployOptions(**options))  # type: ignore[arg-type]
    return delivery, controller, {result.name: result for result in results}


def test_an_existing_flux_gets_source_and_root_and_is_awaited() -> None:
    delivery, _, results = deployed(EXISTING, [BASE, SHOP])
    assert {name: result.state for name, result in results.items()} == {"base": State.READY, "shop": State.READY}
    assert delivery.applied() == ["Namespace/cluster-forge", "GitRepository/demo", "Kustomization/demo.flux"]
    source = delivery.there("GitRepository", "demo", "cluster-forge", "source.toolkit.fluxcd.io")
    assert source["spec"]["ref"] == {"tag": "v-2"}
    assert REQUEST in source["metadata"]["annotations"]


def test_flux_is_installed_first() -> None:
    delivery, _, results = deployed(INSTALLED, [FLUX, BASE])
    assert not still_waiting(delivery.reporter)
    assert all(result.state is State.READY for result in results.values())
    applied = delivery.applied()
    assert applied.index("Deployment/kustomize-controller") < applied.index("GitRepository/demo")


def test_a_root_that_does_not_get_ready_is_an_error_where_no_component_says_so() -> None:
    with pytest.raises(DeploymentError, match="Flux has not applied the stack: HealthCheckFailed: no such path"):
        deployed(EXISTING, [], failing={"demo.flux": "no such path"})


def test_a_source_that_cannot_be_read_is_an_error_of_a_stack_without_components() -> None:
    def unreadable(cluster: FakeCluster, changed: Body) -> None:
        if changed["kind"] == "GitRepository" and "status" not in changed:
            condition = {"type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": "no tag v-2"}
            observed = {"observedGeneration": changed["metadata"]["generation"], "conditions": [condition]}
            cluster.set_status(ObjectId.of(changed), observed)

    delivery = Delivery(FakeCluster(on_change=unreadable))
    delivery.cluster.put(*KINDS)
    with pytest.raises(DeploymentError, match="Flux cannot read the source: no tag v-2"):
        flux.deliver(cast(EXISTING, []), delivery.tools, DeployOptions(timeout=30))


def test_what_waits_for_a_dependency_is_asked_for_again() -> None:
    delivery, controller, results = deployed(EXISTING, [BASE, SHOP])
    assert results["shop"].state is State.READY
    assert controller.tried.count("demo.shop") >= 1
    assert delivery.clock.monotonic() < 30


def test_a_failed_one_says_what_flux_says_and_blocks_what_needs_it() -> None:
    message = "timeout waiting for: [ConfigMap/base/base status: 'InProgress']"
    delivery, _, results = deployed(EXISTING, [BASE, SHOP], failing={"demo.base": message})
    assert results["base"].state is State.FAILED
    (error,) = results["base"].errors
    assert error.message == f"HealthCheckFailed: {message}"
    assert error.where == "Kustomization cluster-forge/demo.base"
    assert results["shop"].state is State.BLOCKED
    assert results["shop"].message == "dependency 'demo.base' is not ready"
    assert 60 <= delivery.clock.monotonic() < 120


@pytest.mark.parametrize(
    ("hidden", "lack"), [("Nothing", f"; {ObjectId.of(web())}: 0 of 1 replica updated"), ("Deployment", "")]
)
def test_a_component_that_flux_waits_for_at_the_end_has_failed_with_the_objects_that_can_be_seen(
    hidden: str, lack: str
) -> None:
    def works_on_the_shop(cluster: FakeCluster, changed: Body) -> None:
        if changed["kind"] == "Kustomization" and "status" not in changed:
            cluster.set_status(ObjectId.of(changed), AT_WORK)

    delivery = Delivery(FakeCluster(on_change=works_on_the_shop))
    delivery.cluster.put(*KINDS, web(), *kustomizations.kustomizations(EXISTING, [SHOP])[SHOP.name])
    for child in delivery.cluster.list(Query(group="kustomize.toolkit.fluxcd.io", kind="Kustomization")).items:
        delivery.cluster.set_status(ObjectId.of(child), AT_WORK)
    delivery.cluster.before = hiding(hidden)
    (result,) = flux.deliver(cast(EXISTING, [SHOP]), delivery.tools, DeployOptions(timeout=30))
    assert result.state is State.FAILED
    (error,) = result.errors
    assert error.message == f"is not ready{lack}"
    assert error.where == "Kustomization cluster-forge/demo.shop"


def test_what_the_api_server_refuses_flux_is_mended() -> None:
    """A CRD whose conversion webhook has gone, but for what an operator wrote into it."""
    old = widgets(conversion=CONVERSION)
    target = ObjectId.of(old)
    new = part("base", [widgets()])

    class Refused(Flux):
        def _try(self, cluster: FakeCluster, kustomization: Body) -> None:
            name, live = kustomization["metadata"]["name"], cluster.get(target) or {}
            if name == "demo.base" and "conversion" in live["spec"]:
                self._set(cluster, name, "False", "ReconciliationFailed", f"{target} is invalid")
                status = cluster.get(kustomization_id(name)) or {}
                cluster.set_status(kustomization_id(name), {**status["status"], "lastAttemptedRevision": self.revision})
            else:
                super()._try(cluster, kustomization)

    children = [one for bodies in kustomizations.kustomizations(EXISTING, [new]).values() for one in bodies]
    delivery = Delivery(StrictServer(on_change=Refused(children)))
    delivery.cluster.put(*KINDS)
    delivery.cluster.apply(old, ApplyOptions(manager="kustomize-controller", force=True))
    bundle = {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": "YQ=="}}}}}
    delivery.cluster.patch(target, bundle, Patch.MERGE, manager="operator")
    (result,) = flux.deliver(cast(EXISTING, [new]), delivery.tools, DeployOptions(timeout=60), [new])
    assert result.state is State.READY, result.message


def test_a_component_with_hooks_is_done_once_and_when_all_its_kustomizations_are() -> None:
    hook = body("batch/v1", "Job", "migrate", "shop", annotations={"helm.sh/hook": "pre-install,pre-upgrade"}, spec={})
    deployment = cast(EXISTING, [part("shop", [web(), hook])])
    plan = deployment.plan.flux
    assert plan
    names = sorted(plan.kustomizations)
    later = iter([*names, plan.root])
    delivery = Delivery(FakeCluster())
    ready = Flux([])

    def one_more_is_ready(request: FakeRequest) -> None:
        if request.verb == "list" and (name := next(later, "")):
            ready._set(delivery.cluster, name, "True", "ReconciliationSucceeded", "")

    delivery.cluster.put(*KINDS)
    for name in (*names, plan.root):
        delivery.cluster.put(body("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, plan.namespace, spec={}))
        delivery.cluster.set_status(kustomization_id(name), AT_WORK)
    delivery.cluster.before = one_more_is_ready
    options = DeployOptions(timeout=60)
    with delivery.tools.workers.queue() as queue:
        mending = EngineMending(deployment.plan, (), delivery.tools, options, queue)
        KustomizationWait(plan, delivery.tools, options, mending).run()
    assert (len(names), done(delivery)) == (2, ["shop", plan.root])


def done(delivery: Delivery) -> list[str]:
    """The items that the progress has called ready, in their order."""
    return [event[2] for event in delivery.reporter.events if event[0] == "advanced"]


def test_a_root_that_fails_blocks_everything() -> None:
    _, _, results = deployed(EXISTING, [BASE], failing={"demo.flux": "kustomize build failed"}, timeout=30)
    assert results["base"].state is State.BLOCKED
    (error,) = results["base"].errors
    assert error.message == "Flux has not applied the stack: HealthCheckFailed: kustomize build failed"
    assert error.where == "Kustomization cluster-forge/demo.flux"


@pytest.mark.parametrize(
    ("unseen", "said"),
    [
        ("", "not applied yet; Deployment.apps/flux-system/kustomize-controller has no ready Pod"),
        ("Deployment", "not applied yet"),
    ],
)
def test_a_controller_that_does_not_run_is_named(unseen: str, said: str) -> None:
    def before(request: FakeRequest) -> None:
        if (request.verb, request.target.kind) == ("list", unseen):
            raise RefusedError("deployments is forbidden", status=403, reason="Forbidden")

    delivery = Delivery(FakeCluster())
    controller = workload("Deployment", "kustomize-controller", "flux-system")
    labels = {"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/component": "kustomize-controller"}
    controller["metadata"]["labels"] = labels
    delivery.cluster.put(*KINDS, {**controller, "status": {"observedGeneration": 1, "replicas": 1}})
    delivery.cluster.before = before
    (first, second) = flux.deliver(cast(EXISTING, [BASE, SHOP]), delivery.tools, DeployOptions(timeout=30))
    assert [error.message for error in first.errors] == [f"Flux has not applied the stack: {said}"]
    assert (second.state, second.errors) == (State.BLOCKED, ())


def test_a_controller_that_stops_on_the_way_is_named() -> None:
    class Stopping(Flux):
        def _try(self, cluster: FakeCluster, kustomization: Body) -> None:
            if kustomization["metadata"]["name"] != "demo.shop":
                super()._try(cluster, kustomization)

    children = [one for bodies in kustomizations.kustomizations(EXISTING, [BASE, SHOP]).values() for one in bodies]
    delivery = Delivery(FakeCluster(on_change=Stopping(children)))
    delivery.cluster.put(*KINDS)
    (base, shop) = flux.deliver(cast(EXISTING, [BASE, SHOP]), delivery.tools, DeployOptions(timeout=30))
    assert (base.state, shop.state) == (State.READY, State.BLOCKED)
    assert [error.message for error in shop.errors] == ["Flux has not applied the stack: not applied yet"]


def test_a_source_that_cannot_be_read_is_said_before_the_time_is_over() -> None:
    def reads_nothing(cluster: FakeCluster, changed: Body) -> None:
        if changed["kind"] == "GitRepository" and "status" not in changed:
            condition = {"type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": "no tag v-2"}
            cluster.set_status(ObjectId.of(changed), {"observedGeneration": 1, "conditions": [condition]})

    delivery = Delivery(FakeCluster(on_change=reads_nothing))
    delivery.cluster.put(*KINDS)
    (result,) = flux.deliver(cast(EXISTING, [BASE]), delivery.tools, DeployOptions())
    assert result.state is State.BLOCKED
    assert (
        result.message
        == "GitRepository.source.toolkit.fluxcd.io/cluster-forge/demo: Flux cannot read the source: no tag v-2"
    )
    assert delivery.clock.monotonic() < 100


def test_a_source_that_fails_after_everything_is_at_the_revision_stops_nothing() -> None:
    controller = Flux([*kustomizations.kustomizations(EXISTING, [BASE])["base"]])  # type: ignore[index]

    def registry_is_away(cluster: FakeCluster, changed: Body) -> None:
        if changed["kind"] == "GitRepository" and "status" not in changed:
            condition = {"type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": "no route"}
            cluster.set_status(ObjectId.of(changed), {"observedGeneration": 1, "conditions": [condition]})
        controller(cluster, changed)

    delivery = Delivery(FakeCluster(on_change=registry_is_away))
    delivery.cluster.put(*KINDS)
    (result,) = flux.deliver(cast(EXISTING, [BASE]), delivery.tools, DeployOptions())
    assert (result.state, result.errors) == (State.READY, ())


def test_without_waiting_everything_is_applied_only() -> None:
    _, _, results = deployed(EXISTING, [BASE], failing={"demo.base": "never"}, waits=False)
    assert results["base"].state is State.APPLIED


@pytest.mark.parametrize("verb", ["list", "patch"])
@pytest.mark.parametrize("error", PASSING)
def test_a_server_that_does_not_answer_for_a_while_is_waited_for(verb: str, error: ForgeError) -> None:
    children = [one for bodies in kustomizations.kustomizations(EXISTING, [BASE, SHOP]).values() for one in bodies]
    delivery = Delivery(FakeCluster(on_change=Flux(children[::-1])))  # the shop waits for the base, and is asked again
    delivery.cluster.put(*KINDS)
    answers = iter([True, True])

    def before(request: Any) -> None:
        if request.verb == verb and request.target.kind == "Kustomization" and next(answers, False):
            raise error

    delivery.cluster.before = before
    results = flux.deliver(cast(EXISTING, [BASE, SHOP]), delivery.tools, DeployOptions())
    assert {result.state for result in results} == {State.READY}
    assert next(answers, None) is None, "it was asked"


READY: dict[str, Any] = {"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "Applied"}
See = Callable[..., Body]


@pytest.mark.parametrize(
    ("status", "lack"),
    [
        ({"observedGeneration": 2, "lastAppliedRevision": "v-2@sha1:a", "conditions": [READY]}, ""),
        ({"observedGeneration": 1, "lastAppliedRevision": "v-2@sha1:a", "conditions": [READY]}, "at v-2"),
        ({"observedGeneration": 2, "lastAppliedRevision": "v-22@sha1:a", "conditions": [READY]}, "at v-22"),
        (
            {
                "observedGeneration": 2,
                "lastAppliedRevision": "v-2@sha1:a",
                "conditions": [{**READY, "status": "Unknown"}],
            },
            "at v-2",
        ),
        (
            {"observedGeneration": 2, "conditions": [{**READY, "status": "False", "reason": "BuildFailed"}]},
            "BuildFailed",
        ),
        ({"conditions": "nonsense"}, "not applied yet"),
        (None, "not applied yet"),
    ],
)
def test_ready_is_at_the_revision_with_the_present_settings(status: Any, lack: str) -> None:
    kustomization = {**body("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "demo.shop"), "status": status}
    kustomization["metadata"]["generation"] = 2
    assert kustomization_state.of(kustomization, "v-2").lack == lack
