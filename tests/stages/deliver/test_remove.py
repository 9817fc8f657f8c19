"""A stack leaves a fake cluster: nothing of it is left, and nothing of others is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, crd_of, part
from tests.stages.deliver.argocd_kinds import KINDS
from tests.stages.deliver.deliveries import (
    PASSING,
    VOLUME,
    WIDGET,
    WIDGETS,
    Delivery,
    deployment,
    identity,
    needing,
    settings,
    web,
)

from cluster_forge.foundation.errors import (
    BusyError,
    ClusterError,
    DeploymentError,
    ForgeError,
    PreflightError,
    ReleaseError,
    UnknownNameError,
)
from cluster_forge.gitops import owners, ownership
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.release import Result
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ApplyOptions, Patch
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stack.model import GitOps, RepositorySource
from cluster_forge.stages.deliver import remove
from cluster_forge.stages.deliver.cluster_records import audit_log, claiming, claims, lease, releases
from cluster_forge.stages.deliver.direct import delivery as direct
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.removal.request import RemoveRequest
from cluster_forge.stages.deliver.secrets import expected as made_secrets
from cluster_forge.stages.deliver.secrets.given import GivenSecrets

SERVICE = body("v1", "Service", "operator", "operator", spec={})
HOOK = body(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "at-run-time",
    webhooks=[{"clientConfig": {"service": {"namespace": "operator", "name": "operator"}}}],
)
OPERATOR = part("operator", [WIDGETS, SERVICE, web("operator", "operator")])
SHOP = needing(part("shop", [WIDGET, web(), settings()], wave=20), "operator")
STACK = [OPERATOR, SHOP]


def deploy(
    delivery: Delivery, parts: Sequence[Part], narrowed: str = "", secrets: Sequence[ExpectedSecret] = ()
) -> None:
    """As `deploy` does, without the checks."""
    deployed = deployment(parts, narrowed=narrowed, secrets=secrets)
    wanted = dict(ownership.entries(deployed.plan.claim[ownership.OBJECTS].decode()))
    verdict = owners.judge(owners.Facts(stack="demo", root="", wanted=wanted))
    claiming.claim(deployed.plan, verdict, delivery.tools, run="host/1/0")
    begun = releases.begin(deployed, delivery.tools, run="host/1/0").release
    direct.deliver(deployed, delivery.tools, DeployOptions())
    releases.end(begun, Result.DEPLOYED, delivery.tools)


def gone(delivery: Delivery, **request: Any) -> Deletion:
    """Remove it, as a dry run has said before, without a change."""
    asked = RemoveRequest(stack="demo", run="host/2/0", **request)
    before, sent = delivery.cluster.objects(), len(delivery.cluster.requests)
    foretold = remove.foretold(asked, delivery.tools)
    assert delivery.cluster.objects() == before
    del delivery.cluster.requests[sent:]
    done = remove.remove(asked, delivery.tools)
    assert (set(foretold.deleted), dict(foretold.kept)) == (set(done.deleted), dict(done.kept))
    return done


def left(delivery: Delivery, before: set[ObjectId]) -> set[str]:
    """What is there beyond what was before, and without Events, which the cluster clears away."""
    return {str(key) for key in delivery.cluster.objects().keys() - before if key.kind != "Event"}


@pytest.fixture
def bare() -> tuple[Delivery, set[ObjectId]]:
    delivery = Delivery()
    delivery.cluster.delete(identity("Namespace", "cluster-forge"))
    before = set(delivery.cluster.objects())
    delivery.cluster.put(body("v1", "Namespace", "cluster-forge"))
    return delivery, before


def deleted(delivery: Delivery) -> list[str]:
    return [f"{one.target.kind}/{one.target.name}" for one in delivery.cluster.requests if one.verb == "delete"]


def test_with_its_data_nothing_is_left(bare: tuple[Delivery, set[ObjectId]]) -> None:
    delivery, before = bare
    deploy(delivery, STACK)
    assert len(delivery.cluster.objects()) > len(before) + 8
    gone(delivery, data=True)
    assert left(delivery, before) == set()


def test_without_data_nothing_but_the_crds_is_left(bare: tuple[Delivery, set[ObjectId]]) -> None:
    delivery, before = bare
    deploy(delivery, STACK)
    done = gone(delivery)
    crds = "CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com"
    assert left(delivery, before) == {crds, "Namespace/cluster-forge", "ConfigMap/cluster-forge/claim-demo"}
    assert [(str(key), why) for key, why in done.kept] == [(crds, "it holds data")]
    assert claims.entries(delivery.cluster, "demo").popitem()[1] == owners.STAYS_BEHIND


def test_a_claim_that_deploy_sh_wrote_does_not_keep_its_namespace(bare: tuple[Delivery, set[ObjectId]]) -> None:
    delivery, before = bare
    deploy(delivery, STACK)
    patch = {"metadata": {"annotations": {claiming.RUN: "host/3/0"}}}
    delivery.cluster.patch(ownership.claim_id("demo"), patch, Patch.MERGE, manager="kubectl-annotate")
    gone(delivery, data=True)
    assert left(delivery, before) == set()


def test_a_crd_that_stays_without_its_webhook_says_so() -> None:
    delivery = Delivery()
    conversion = {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}
    converted = {**WIDGETS, "spec": {**WIDGETS["spec"], "conversion": conversion}}
    deploy(delivery, [part("operator", [converted, web("operator", "operator")])])
    (_, why), *_ = gone(delivery).kept
    assert (
        why
        == "it holds data; its webhook goes: until the stack is deployed again, objects of older versions cannot be read"
    )


def test_what_others_need_goes_last_and_custom_resources_before_their_operator() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    delivery.cluster.requests.clear()
    gone(delivery, data=True)
    order = deleted(delivery)
    places = [
        order.index(name)
        for name in (
            "Widget/one",
            "Deployment/web",
            "Deployment/operator",
            "CustomResourceDefinition/widgets.example.com",
            "Namespace/shop",
        )
    ]
    assert places == sorted(places)


def test_volumes_and_their_namespace_stay_unless_they_are_asked_for() -> None:
    delivery = Delivery()
    deploy(delivery, [part("shop", [body("v1", "Namespace", "shop"), VOLUME, web()])])
    done = gone(delivery)
    why = dict(done.kept)
    assert why[identity("PersistentVolumeClaim", "data", "shop")] == "it holds data"
    assert why[identity("Namespace", "shop")] == "it still holds PersistentVolumeClaim data"
    assert identity("Deployment", "web", "shop", "apps") not in delivery.cluster.objects()
    gone(delivery, data=True)
    assert not [key for key in delivery.cluster.objects() if "shop" in (key.namespace, key.name)]


def test_what_a_person_put_into_a_namespace_keeps_it_and_what_a_controller_made_does_not() -> None:
    delivery = Delivery()
    deploy(delivery, [part("shop", [web()]), part("other", [settings(namespace="other")])])
    secret = body("v1", "Secret", "password", "shop", data={})
    delivery.cluster.apply(secret, ApplyOptions(manager="kubectl-create"))
    delivery.cluster.apply(body("v1", "Secret", "ca", "other", data={}), ApplyOptions(manager="operator"))
    done = gone(delivery)
    assert dict(done.kept)[identity("Namespace", "shop")] == "it still holds Secret password"
    there = delivery.cluster.objects()
    assert identity("Secret", "password", "shop") in there
    assert identity("Namespace", "other") not in there


@pytest.mark.parametrize("was_there", [True, False])
def test_a_secret_that_was_made_goes_with_its_namespace_or_is_named(was_there: bool) -> None:
    delivery, login = Delivery(), identity("Secret", "login", "shop")
    if was_there:
        delivery.cluster.put(body("v1", "Namespace", "shop", labels={"a": "b"}), manager="kubectl-create")
    expected = (ExpectedSecret(name="login", namespace="shop", keys={"user": ""}),)
    deploy(delivery, [part("shop", [body("v1", "Namespace", "shop"), web()])], secrets=expected)
    made_secrets.make(expected, GivenSecrets({("shop", "login"): {"user": b"a"}}), delivery.cluster)
    kept = dict(gone(delivery).kept)
    assert (login in kept) == was_there
    if was_there:
        assert kept[login] == "it has values from --secrets; delete it if nothing needs them any more"


def test_a_namespace_that_was_there_before_stays() -> None:
    delivery = Delivery()
    delivery.cluster.put(body("v1", "Namespace", "shop", labels={"a": "b"}), manager="kubectl-create")
    deploy(delivery, [part("shop", [web()])])
    space = identity("Namespace", "shop")
    assert dict(gone(delivery).kept)[space].startswith("kubectl-create has set fields of it")
    assert identity("Deployment", "web", "shop", "apps") not in delivery.cluster.objects()
    assert space in delivery.cluster.objects()


def test_what_others_took_over_stays_with_a_word() -> None:
    delivery = Delivery()
    deploy(delivery, [SHOP, OPERATOR])
    taken = identity("ConfigMap", "settings", "shop")
    annotation = {"annotations": {"argocd.argoproj.io/tracking-id": "theirs:/ConfigMap:shop/settings"}}
    delivery.cluster.patch(taken, {"metadata": annotation}, Patch.MERGE, manager="argocd-controller")
    assert dict(gone(delivery).kept)[taken] == "the Application theirs"
    assert taken in delivery.cluster.objects()


def test_webhooks_that_an_operator_made_go_before_its_pods() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    theirs = {**HOOK, "metadata": {"name": "of-others"}, "webhooks": [{"clientConfig": {"url": "https://example.com"}}]}
    delivery.cluster.put(HOOK, theirs, manager="operator")
    delivery.cluster.requests.clear()
    gone(delivery)
    order = deleted(delivery)
    assert order.index("ValidatingWebhookConfiguration/at-run-time") < order.index("Deployment/operator")
    assert (
        identity("ValidatingWebhookConfiguration", "of-others", group="admissionregistration.k8s.io")
        in delivery.cluster.objects()
    )


def test_a_finalizer_that_does_not_end_is_named_and_the_next_run_goes_on() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    widget = identity("Widget", "one", "shop", "example.com")
    delivery.cluster.patch(widget, {"metadata": {"finalizers": ["example.com/x"]}}, Patch.MERGE, manager="operator")
    with pytest.raises(DeploymentError, match=r"is still there 9 s after it was deleted: the finalizer example\.com/x"):
        gone(delivery, timeout=9.0)
    assert identity("Deployment", "operator", "operator", "apps") in delivery.cluster.objects()
    last = audit_log.read(delivery.cluster, "demo")[-1]
    assert (last.action, last.result, "the finalizer example.com/x" in last.message) == ("remove", "failed", True)
    delivery.cluster.patch(widget, {"metadata": {"finalizers": None}}, Patch.MERGE, manager="operator")
    gone(delivery)
    assert identity("Deployment", "operator", "operator", "apps") not in delivery.cluster.objects()


def test_one_component() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    done = gone(delivery, component="shop")
    assert {key.kind for key in done.deleted} == {"Widget", "Deployment", "ConfigMap"}
    assert identity("Deployment", "operator", "operator", "apps") in delivery.cluster.objects()
    assert {key.namespace for key in claims.entries(delivery.cluster, "demo")} == {"", "operator"}
    request = RemoveRequest(stack="demo", component="shop", run="host/1/0")
    assert remove.planned(request, delivery.tools).objects == 0, "it is gone already"
    done = gone(delivery, component="operator")
    assert identity("Deployment", "operator", "operator", "apps") in done.deleted, "what needed it is gone"


@pytest.mark.parametrize(
    ("component", "error", "message"),
    [
        ("operator", PreflightError, "operator is needed by shop"),
        ("shopp", UnknownNameError, "has no component shopp in this cluster"),
    ],
)
def test_a_component_that_cannot_go(component: str, error: type[Exception], message: str) -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    before = delivery.cluster.objects()
    with pytest.raises(error, match=message):
        gone(delivery, component=component)
    assert delivery.cluster.objects() == before


def test_a_narrowed_deployment_does_not_hide_who_needs_a_component() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    deploy(delivery, [OPERATOR], narrowed="component operator")
    with pytest.raises(PreflightError, match="operator is needed by shop"):
        gone(delivery, component="operator")
    assert remove.planned(RemoveRequest(stack="demo"), delivery.tools).components == ("shop", "operator")


@pytest.mark.parametrize(
    ("denied", "request_of", "message"),
    [
        (("delete", "Deployment", "shop"), {}, "may not delete deployments.apps in namespace shop"),
        (("list", "Service", "*"), {}, "may not list services in all namespaces"),
        (("delete", "ConfigMap", "shop"), {"component": "shop"}, "may not delete configmaps in namespace shop"),
        (("delete", "CustomResourceDefinition", "*"), {"data": True}, "may not delete customresourcedefinitions"),
        (("delete", "Widget", ""), {"data": True}, "may not delete widgets.example.com in all namespaces"),
        (("delete", "Secret", "cluster-forge"), {}, "may not delete secrets in namespace cluster-forge"),
        (("patch", "ConfigMap", "cluster-forge"), {}, "may not patch configmaps in namespace cluster-forge"),
        (("get", "Namespace", "*"), {}, "may not get namespaces"),
        (("*", "Lease", "*"), {"component": "shop"}, "may not create, delete, get, update leases"),
    ],
)
def test_what_the_user_may_not_do_is_said_before_the_first_change(
    denied: tuple[str, str, str], request_of: dict[str, Any], message: str
) -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    delivery.cluster.denied = {denied}
    before = delivery.cluster.objects()
    with pytest.raises(PreflightError, match=message) as refused:
        gone(delivery, **request_of)
    assert "kubectl auth can-i" in str(refused.value.fix)
    assert delivery.cluster.objects() == before


def test_a_namespace_that_the_user_may_not_delete_is_named_before_the_first_change() -> None:
    """Namespaces go last: all else would be gone by then."""
    delivery = Delivery()
    deploy(delivery, [part("shop", [body("v1", "Namespace", "shop"), web()])])
    delivery.cluster.denied = {("delete", "Namespace", "*")}
    before = delivery.cluster.objects()
    with pytest.raises(PreflightError, match="may not delete namespaces"):
        gone(delivery)
    assert delivery.cluster.objects() == before


@pytest.mark.parametrize(("verb", "kind"), [("patch", "Application"), ("delete", "AppProject")])
def test_what_an_engine_reads_of_the_stack_takes_permissions_too(verb: str, kind: str) -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    labels = {STACK_LABEL: "demo"}
    read = [body("argoproj.io/v1alpha1", one, "demo", "argocd", labels=labels) for one in ("Application", "AppProject")]
    delivery.cluster.put(*KINDS, *read)
    delivery.cluster.denied = {(verb, kind, "argocd"), ("delete", "Secret", "cluster-forge")}
    before = delivery.cluster.objects()
    with pytest.raises(ExceptionGroup) as refused:
        remove.remove(RemoveRequest(stack="demo", run="host/2/0"), delivery.tools)
    messages = [str(error) for error in refused.value.exceptions]
    assert len(messages) == 2
    assert any(f"may not {verb} {kind.lower()}s.argoproj.io in namespace argocd" in message for message in messages)
    assert delivery.cluster.objects() == before
    delivery.cluster.denied = {(verb, kind, "elsewhere"), ("delete", "Secret", "shop")}
    assert "Deployment.apps/shop/web" in map(str, remove.foretold(RemoveRequest(stack="demo"), delivery.tools).deleted)


@pytest.mark.parametrize("error", PASSING)
def test_what_an_api_server_says_for_a_moment_does_not_end_the_wait(error: ForgeError) -> None:
    delivery = Delivery()
    deploy(delivery, [part("shop", [web()])])
    failures = 0

    def unwell(request: FakeRequest) -> None:
        nonlocal failures
        is_gone = request.target == identity("Deployment", "web", "shop", "apps") and request.verb == "get"
        if is_gone and request.target not in delivery.cluster.objects() and failures < 3:
            failures += 1
            raise error

    delivery.cluster.before = unwell
    done = remove.remove(RemoveRequest(stack="demo", run="host/2/0"), delivery.tools)
    assert failures == 3
    assert "Deployment.apps/shop/web" in map(str, done.deleted)


def test_a_cluster_that_does_not_say_until_the_end_whether_an_object_is_gone_is_an_error() -> None:
    delivery = Delivery()
    deploy(delivery, [part("shop", [web()])])

    def unwell(request: FakeRequest) -> None:
        if request.target.name == "web" and request.target not in delivery.cluster.objects():
            raise PASSING[0]

    delivery.cluster.before = unwell
    with pytest.raises(ClusterError, match="connection refused"):
        remove.remove(RemoveRequest(stack="demo", run="host/2/0", timeout=30), delivery.tools)


def test_no_line_says_that_nothing_was_deleted_with_a_number() -> None:
    delivery = Delivery()
    deploy(delivery, [part("namespaces", [body("v1", "Namespace", "shop")]), part("shop", [web()], wave=10)])
    delivery.cluster.delete(identity("Deployment", "web", "shop", "apps"))
    remove.remove(RemoveRequest(stack="demo", run="host/2/0"), delivery.tools)
    said = {event[2]: event[3] for event in delivery.reporter.events if event[0] == "advanced" and event[1] == "remove"}
    assert said == {"shop": "nothing left to delete", "namespaces": "its Namespaces go last"}


def test_what_stays_needs_no_permission() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    delivery.cluster.denied = {("delete", "CustomResourceDefinition", "*")}
    assert "Deployment.apps/shop/web" in map(str, gone(delivery).deleted)


def test_a_stack_that_is_not_there() -> None:
    delivery = Delivery()
    with pytest.raises(ReleaseError, match=r"the stack demo is not in this cluster \(stacks here: none\)"):
        gone(delivery)


def test_not_while_it_is_being_deployed() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    with lease.held("demo", delivery.tools, run="other/1/0") as held:
        delivery.clock.at(5, held.renew)
        with pytest.raises(BusyError, match="other/1/0"):
            gone(delivery)


def test_a_deployment_that_ends_before_the_lease_is_held_is_removed_too() -> None:
    delivery = Delivery()
    deploy(delivery, [OPERATOR])
    is_planned = False

    def deploy_meanwhile(request: FakeRequest) -> None:
        nonlocal is_planned
        if request.target == lease.lease_id("demo") and not is_planned:
            is_planned = True
            deploy(delivery, STACK)
            delivery.cluster.requests.clear()

    delivery.cluster.before = deploy_meanwhile
    remove.remove(RemoveRequest(stack="demo", run="host/2/0", data=True), delivery.tools)
    names = deleted(delivery)
    assert names.index("Deployment/web") < names.index("Deployment/operator"), "the operator is needed by the shop"


def test_what_the_argo_cd_of_the_cluster_delivers_to_others_stays() -> None:
    delivery = Delivery()
    delivery.cluster.put(*KINDS)
    deploy(delivery, STACK)
    own = {"cluster-forge/stack": "demo"}
    there = {**own, "cluster-forge/cluster": "eu"}
    api = "argoproj.io/v1alpha1"
    delivery.cluster.put(
        body("v1", "Namespace", "argocd"),
        body(api, "ApplicationSet", "demo.clusters", "argocd", labels=own, spec={}),
        body(api, "AppProject", "demo.project", "argocd", labels=own, spec={}),
        body(api, "Application", "demo.eu.shop", "argocd", labels=there, spec={}),
    )
    kept = releases.begin(deployment(STACK, "v-2"), delivery.tools, run="host/1/1", destination="eu").release
    delivery.cluster.requests.clear()
    gone(delivery, data=True)
    assert releases.listed(delivery.cluster, "demo") == ()
    (left_there,) = releases.listed(delivery.cluster, "demo", "eu")
    assert releases.deployment(left_there, delivery.tools).plan.version == kept.version
    changed = [one for one in delivery.cluster.requests if one.verb in ("patch", "delete")]
    assert not [one for one in changed if one.target.group == "argoproj.io"]
    assert audit_log.read(delivery.cluster, "demo")[-1].action == "remove"


def killed_at(target: ObjectId) -> Callable[[FakeRequest], None]:
    """What ends a removal when it deletes the object."""

    def kill(request: FakeRequest) -> None:
        if request.verb == "delete" and request.target == target:
            raise KeyboardInterrupt

    return kill


@pytest.mark.parametrize(
    "target",
    [
        identity("Secret", "applied-demo", "cluster-forge"),
        identity("ConfigMap", "audit-demo", "cluster-forge"),
        identity("Namespace", "cluster-forge"),
        identity("Namespace", "shop"),
    ],
)
def test_a_removal_that_was_killed_goes_on(target: ObjectId) -> None:
    delivery = Delivery()
    ground = delivery.cluster.objects().keys() - {identity("Namespace", "cluster-forge")}
    deploy(delivery, STACK)
    delivery.cluster.before = killed_at(target)
    with pytest.raises(KeyboardInterrupt):
        gone(delivery, data=True)
    delivery.cluster.before = lambda _: None
    gone(delivery, data=True)
    assert delivery.cluster.objects().keys() == ground


def test_a_stack_that_deploy_sh_deployed_goes_by_its_claim() -> None:
    delivery = Delivery()
    deploy(delivery, STACK)
    releases.remove("demo", delivery.tools)
    gone(delivery, data=True)
    assert not [key for key in delivery.cluster.objects() if {"shop", "operator"} & {key.namespace, key.name}]


def test_a_refused_deletion_is_said() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "delete" and request.target.name == "settings":
            raise DeploymentError("denied by a webhook", where=str(request.target))

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    deploy(delivery, STACK)
    with pytest.raises((DeploymentError, ExceptionGroup), match=r"denied|errors"):
        gone(delivery)


ENGINES = [
    ("argoproj.io", "applications", "Application", "metadata"),
    ("kustomize.toolkit.fluxcd.io", "kustomizations", "Kustomization", "spec"),
]


@pytest.mark.parametrize(("group", "plural", "kind", "changed"), ENGINES)
def test_an_engine_lets_go_of_the_objects_before_they_are_deleted(
    group: str, plural: str, kind: str, changed: str
) -> None:
    delivery = Delivery()
    delivery.cluster.put(crd_of(group, kind, "v1", plural))
    deploy(delivery, STACK)
    own = body(f"{group}/v1", kind, "demo.shop", "engine", labels={"cluster-forge/stack": "demo"}, spec={"prune": True})
    other = body(f"{group}/v1", kind, "other.shop", "engine", labels={"cluster-forge/stack": "other"}, spec={})
    delivery.cluster.put(body("v1", "Namespace", "engine"), own, other)
    delivery.cluster.requests.clear()
    gone(delivery)
    patches = [one.body for one in delivery.cluster.requests if one.verb == "patch" and one.target.kind == kind]
    assert [changed in (patch or {}) for patch in patches] == [True]
    assert deleted(delivery)[0] == f"{kind}/demo.shop"
    assert [key.name for key in delivery.cluster.objects() if key.kind == kind] == ["other.shop"]


def deliver_through_argo_cd(delivery: Delivery, gitops: GitOps = GitOps(install=False)) -> None:  # noqa: B008 - it is immutable
    """What an Argo CD of others leaves of the stack: it marks all but CRDs."""
    deployed = deployment(STACK, gitops=gitops)
    wanted = dict(ownership.entries(deployed.plan.claim[ownership.OBJECTS].decode()))
    claiming.claim(
        deployed.plan, owners.judge(owners.Facts(stack="demo", root="", wanted=wanted)), delivery.tools, run="host/1/0"
    )
    begun = releases.begin(deployed, delivery.tools, run="host/1/0").release
    releases.end(begun, Result.DEPLOYED, delivery.tools)
    for space in ("shop", "operator"):
        delivery.cluster.put(body("v1", "Namespace", space))
    for part_ in STACK:
        for item in part_.objects:
            metadata = dict(item.body["metadata"])
            if item.id.kind != "CustomResourceDefinition":
                metadata["annotations"] = {owners.TRACKING: f"demo.{part_.name}:x/x:x/x"}
            delivery.cluster.apply({**item.body, "metadata": metadata}, ApplyOptions(manager="argocd-controller"))


EXTERNAL = GitOps(install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git")


@pytest.mark.parametrize(
    ("gitops", "component", "error", "fix"),
    [
        (GitOps(install=False), "shop", PreflightError, "take shop out of the description, forge and deploy: Argo CD"),
        (EXTERNAL, "shop", PreflightError, "take shop out of the description, forge, push and deploy: Argo CD"),
        (EXTERNAL, "shopp", UnknownNameError, "its components: operator, shop"),
    ],
)
def test_a_component_that_an_engine_delivers_goes_by_the_description(
    gitops: GitOps, component: str, error: type[ForgeError], fix: str
) -> None:
    delivery = Delivery()
    deliver_through_argo_cd(delivery, gitops)
    with pytest.raises(error) as refused:
        gone(delivery, component=component)
    assert (refused.value.fix or "").startswith(fix)


@pytest.mark.parametrize("applies_crd", [False, True], ids=["nobody else", "an Application of others"])
def test_crds_that_argo_cd_applied_go_with_the_data_unless_others_have_them(*, applies_crd: bool) -> None:
    delivery = Delivery()
    delivery.cluster.put(*KINDS, body("v1", "Namespace", "argocd"))
    deliver_through_argo_cd(delivery)
    delivery.cluster.put({**WIDGET, "metadata": {"name": "of-people", "namespace": "shop"}})
    resources = [{"group": "apiextensions.k8s.io", "kind": "CustomResourceDefinition", "name": "widgets.example.com"}]
    labels = {"cluster-forge/stack": "other"}
    other = body("argoproj.io/v1alpha1", "Application", "other.shop", "argocd", labels=labels, spec={})
    delivery.cluster.put({**other, "status": {"resources": resources if applies_crd else []}})
    delivery.cluster.requests.clear()
    done = gone(delivery, data=True)
    assert ("CustomResourceDefinition/widgets.example.com" in deleted(delivery)) is not applies_crd
    assert ("Widget/of-people" in deleted(delivery)) is not applies_crd
    assert [why for _, why in done.kept] == ["the Application other.shop"] * applies_crd
