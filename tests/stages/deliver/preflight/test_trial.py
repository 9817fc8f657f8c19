"""What a dry run finds, and what it is not asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.gitops.conftest import body, crd_of
from tests.stages.deliver.preflight.quiet import Silent
from tests.stages.deliver.preflight.situations import (
    EXISTING,
    FLUX,
    found,
    installing,
    namespace,
    planned,
    situation,
    tools,
    workload,
)

from cluster_forge.foundation.errors import RefusalCause, RefusedError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Applied, ApplyOptions, Patch
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.direct import delivery as direct
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import registry, trial

WEB = workload("Deployment", "web", replicas=2)
NO_WAIT = DeployOptions(waits=False)
ROLE = body("rbac.authorization.k8s.io/v1", "ClusterRole", "reader", rules=[])


def tried(cluster: FakeCluster) -> list[str]:
    assert all(request.is_trial for request in cluster.requests if request.verb == "apply")
    targets = [request.target for request in cluster.requests if request.verb == "apply"]
    return sorted(str(target) for target in targets if target.kind != "Namespace")


def refusing(status: int, message: str, *causes: RefusalCause) -> FakeCluster:
    def before(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.kind != "Namespace":
            raise RefusedError(message, status=status, reason="Invalid", causes=causes)

    cluster = FakeCluster(before=before)
    cluster.put(namespace("shop"), WEB, manager="cluster-forge")
    return cluster


def test_what_needs_an_earlier_step_is_not_tried() -> None:
    """No namespace, and no kind: a first deployment to a bare cluster."""
    cluster = FakeCluster()
    widget = body("example.com/v1", "Widget", "w", "shop")
    assert found(trial, cluster, planned(WEB, widget, ROLE), tries_all=True) == []
    assert tried(cluster) == ["ClusterRole.rbac.authorization.k8s.io/reader"]


def test_of_what_is_new_the_first_of_each_kind_is_tried() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), namespace("other"))
    bodies = [body("v1", "ConfigMap", name, where, data={}) for where in ("other", "shop") for name in "abc"]
    assert found(trial, cluster, planned(*bodies)) == []
    assert tried(cluster) == ["ConfigMap/other/a", "ConfigMap/shop/a"]
    cluster.requests.clear()
    assert found(trial, cluster, planned(*bodies), tries_all=True) == []
    assert len(tried(cluster)) == 6


def test_all_that_is_there_is_tried() -> None:
    cluster = FakeCluster()
    bodies = [body("v1", "ConfigMap", name, "shop", data={}) for name in "abc"]
    cluster.put(namespace("shop"), *bodies)
    found(trial, cluster, planned(*bodies))
    assert tried(cluster) == ["ConfigMap/shop/a", "ConfigMap/shop/b", "ConfigMap/shop/c"]


def test_a_field_of_another_manager_is_a_conflict_with_its_name() -> None:
    cluster = FakeCluster()
    theirs = workload("Deployment", "web", replicas=5)
    cluster.put(namespace("shop"), theirs, manager="kubectl-scale")
    (problem,) = found(trial, cluster, planned(WEB))
    assert (problem.code, problem.option) == ("field-conflict", "--force-conflicts")
    assert problem.message == "other managers have set fields of it: .spec.replicas of kubectl-scale"
    assert found(trial, cluster, planned(WEB), force_conflicts=True) == []
    assert found(trial, cluster, planned(WEB, gitops=EXISTING)) == []  # Argo CD takes fields over


@pytest.mark.parametrize("where", ["argocd", "gitops"])
def test_fields_of_what_hands_the_stack_to_argo_cd_are_looked_at_in_its_namespace(where: str) -> None:
    cluster = FakeCluster()
    planned_there = planned(WEB, gitops=EXISTING)
    assert planned_there.argocd
    plan = replace(planned_there, argocd=replace(planned_there.argocd, namespace=where))
    (root,) = (one for one in situation(cluster, plan).own_manifests if one.id.kind == "Application")
    edited = {**root.body, "spec": {**root.body["spec"], "project": "default"}}
    cluster.put(namespace(where), crd_of("argoproj.io", "Application"), crd_of("argoproj.io", "AppProject"))
    cluster.put(edited, manager="kubectl-edit")
    (problem,) = found(trial, cluster, plan)
    assert (problem.code, problem.where) == ("field-conflict", str(root.id))
    assert (problem.message, root.id.namespace) == (
        "other managers have set fields of it: .spec.project of kubectl-edit",
        where,
    )
    assert found(trial, cluster, plan, force_conflicts=True) == []


def test_fields_of_the_source_of_flux_are_looked_at() -> None:
    cluster = FakeCluster()
    plan = planned(WEB, gitops=FLUX)
    (source,) = (one for one in situation(cluster, plan).own_manifests if one.id.kind == "GitRepository")
    edited = {**source.body, "spec": {**source.body["spec"], "interval": "24h"}}
    cluster.put(
        namespace("cluster-forge"), crd_of("source.toolkit.fluxcd.io", "GitRepository", "v1", "gitrepositories")
    )
    cluster.put(edited, manager="someone")
    (problem,) = found(trial, cluster, plan)
    assert problem.message == "other managers have set fields of it: .spec.interval of someone"


def test_the_engine_that_the_stack_brings_may_own_fields_of_itself() -> None:
    cluster = FakeCluster()
    plan = installing(WEB)
    live = [one.body for one in situation(cluster, plan).own_manifests if one.id.kind == "Deployment"]
    assert live
    scaled = [{**one, "spec": {**one["spec"], "replicas": 3}} for one in live]
    cluster.put(namespace("argocd"), namespace("cluster-forge"), *scaled, manager="argocd-controller")
    assert found(trial, cluster, plan) == []


def test_an_object_that_admission_denies_is_refused_with_its_reason() -> None:
    cluster = refusing(403, 'admission webhook "policy.example.com" denied the request: no tag latest')
    (problem,) = found(trial, cluster, planned(WEB))
    assert (problem.code, problem.where) == ("refused-object", "Deployment.apps/shop/web")
    assert "denied the request: no tag latest" in problem.message


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, 'admission webhook "w.example.com" does not support dry run'),
        (500, 'failed calling webhook "w.example.com": no endpoints available'),
        (404, 'namespaces "shop" not found'),
        (503, "the server is currently unable to handle the request"),
    ],
)
def test_a_refusal_that_says_nothing_about_the_object_is_not_reported(status: int, message: str) -> None:
    assert found(trial, refusing(status, message), planned(WEB)) == []


def test_a_field_that_cannot_change_is_named() -> None:
    cause = RefusalCause(reason="FieldValueForbidden", field="spec.selector", message="Forbidden: field is immutable")
    cluster = refusing(422, "is invalid", cause)
    changed = {**WEB, "spec": {**WEB["spec"], "selector": {"matchLabels": {"app": "other"}}}}
    (problem,) = found(trial, cluster, planned(changed))
    assert (problem.code, problem.option) == ("immutable-field", "--recreate")
    assert "spec.selector" in problem.message


def test_a_conversion_that_a_deployment_takes_out_first_is_not_reported() -> None:
    """cert-manager#4838: an operator wrote caBundle, and the new version has no conversion."""
    spec: dict[str, Any] = {
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True}],
    }
    new = body("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.com", spec=spec)
    old = {**new, "spec": {**spec, "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "x"}}}}}
    cluster = FakeCluster()
    cluster.apply(old, ApplyOptions(manager="cluster-forge"))

    def before(request: FakeRequest) -> None:
        if request.verb == "apply":
            cause = RefusalCause(
                reason="FieldValueRequired", field="spec.conversion.strategy", message="Required value"
            )
            raise RefusedError("is invalid", status=422, reason="Invalid", causes=(cause,))

    cluster.before = before
    assert found(trial, cluster, planned(new)) == []


def test_a_warning_about_pods_that_would_be_refused_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"))
    warning = 'would violate PodSecurity "restricted:latest": runAsNonRoot != true'
    warnings = {"Deployment": (warning, "deprecated")}
    answer = lambda body, options: Applied(body=body, warnings=warnings.get(body["kind"], ()))  # noqa: E731
    monkeypatch.setattr(cluster, "apply", answer)
    (problem,) = found(trial, cluster, planned(WEB))
    assert (problem.code, problem.severity, problem.message) == ("pod-security", Severity.WARNING, warning)


def test_nothing_is_changed_by_a_preflight() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), WEB)
    before = cluster.objects()
    registry.check(situation(cluster, planned(WEB, ROLE), tries_all=True))
    assert cluster.objects() == before


def test_what_is_as_the_deployment_before_left_it_is_not_tried_again() -> None:
    cluster = FakeCluster()
    plan = planned(WEB, namespace("shop"))
    cluster.put(namespace("cluster-forge"))
    direct.deliver(
        Deployment(folder="x", plan=plan, image=None, beside=FileTree({})),
        replace(tools(cluster), reporter=Silent()),
        NO_WAIT,
    )
    cluster.requests.clear()
    assert found(trial, cluster, plan) == []
    assert tried(cluster) == []
    scaled = {"spec": {"replicas": 5}}
    target = ObjectId(group="apps", kind="Deployment", namespace="shop", name="web")
    cluster.patch(target, scaled, Patch.MERGE, manager="kubectl-scale")
    assert [problem.code for problem in found(trial, cluster, plan)] == ["field-conflict"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"sync": {"status": "OutOfSync"}}, ["Deployment/web"]),
        ({"compared": "v-0"}, ["ClusterRole/reader", "Deployment/web"]),
        ({"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}, ["ClusterRole/reader", "Deployment/web"]),
    ],
    ids=["synced", "one differs", "another version", "paused"],
)
def test_what_argo_cd_has_synced_at_this_version_is_not_tried_again(
    change: dict[str, Any], expected: list[str]
) -> None:
    cluster = FakeCluster()
    plan = planned(WEB, ROLE, gitops=EXISTING)
    cluster.put(namespace("shop"), namespace("argocd"), crd_of("argoproj.io", "Application"), WEB, ROLE)
    application = body("argoproj.io/v1alpha1", "Application", "demo.shop", "argocd")
    assert plan.argocd
    labels = dict(label.split("=") for label in plan.argocd.selector.split(","))
    application["metadata"] |= {"labels": labels, "annotations": change.get("annotations", {})}
    resources = [
        {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "status": "Synced"}
        | change.get("sync", {}),
        {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader", "status": "Synced"},
    ]
    compared = {"source": {"targetRevision": change.get("compared", "v-1")}}
    application |= {
        "spec": {"source": {"targetRevision": "v-1"}},
        "status": {"sync": {"status": "Synced", "comparedTo": compared}, "resources": resources},
    }
    cluster.put(application, manager="argocd-controller")
    assert list(trial.problems(situation(cluster, plan, plan.parts))) == []
    assert tried_of_stack(cluster) == expected


@pytest.mark.parametrize(("applied", "expected"), [("v-1", []), ("v-0", ["ClusterRole/reader", "Deployment/web"])])
def test_what_flux_has_applied_at_this_version_is_not_tried_again(applied: str, expected: list[str]) -> None:
    cluster = FakeCluster()
    plan = planned(WEB, ROLE, gitops=FLUX)
    assert plan.flux
    cluster.put(namespace("shop"), crd_of("kustomize.toolkit.fluxcd.io", "Kustomization", "v1"), WEB, ROLE)
    for name in plan.flux.kustomizations:
        ready = {"type": "Ready", "status": "True"}
        status = {"conditions": [ready], "observedGeneration": 1, "lastAppliedRevision": f"{applied}@sha1:1"}
        api = "kustomize.toolkit.fluxcd.io/v1"
        cluster.put(body(api, "Kustomization", name, plan.flux.namespace, spec={"prune": True}, status=status))
    assert list(trial.problems(situation(cluster, plan, plan.parts))) == []
    assert tried_of_stack(cluster) == expected


def tried_of_stack(cluster: FakeCluster) -> list[str]:
    targets = [request.target for request in cluster.requests if request.verb == "apply"]
    return sorted(f"{target.kind}/{target.name}" for target in targets if target.name in ("web", "reader"))
