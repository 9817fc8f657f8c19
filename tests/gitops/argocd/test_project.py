"""What the AppProject of a stack permits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.gitops.conftest import argocd_bodies, body, crd, part, workload

from cluster_forge.gitops.argocd import applications, project
from cluster_forge.gitops.argocd.project import Rights
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, RepositorySource, Stack

EXISTING = Stack(name="demo", gitops=GitOps(install=False))
GROUP = "argoproj.io"


def spec_of(parts: Sequence[Part], stack: Stack = EXISTING) -> dict[str, Any]:
    return dict(project.body(stack, parts)["spec"])


def kinds(entries: Sequence[dict[str, str]]) -> list[str]:
    return [".".join(filter(None, (entry["kind"], entry["group"]))) for entry in entries]


def test_it_permits_the_kinds_and_the_namespaces_of_the_stack_alone() -> None:
    role = body("rbac.authorization.k8s.io/v1", "ClusterRole", "reader")
    spec = spec_of([part("shop", [body("v1", "ConfigMap", "a", "shop"), body("v1", "Secret", "b", "other"), role])])
    assert spec["sourceRepos"] == ["git://git-demo.cluster-forge.svc/demo.git"]
    here = "https://kubernetes.default.svc"
    assert spec["destinations"] == [{"namespace": name, "server": here} for name in ("other", "shop")]
    assert kinds(spec["clusterResourceWhitelist"]) == ["ClusterRole.rbac.authorization.k8s.io"]
    assert kinds(spec["namespaceResourceWhitelist"]) == ["ConfigMap", "Secret", "Application.argoproj.io"]


def test_it_permits_what_every_application_needs() -> None:
    parts = [
        part("shop", [crd("widgets.example.com"), body("example.com/v1", "Widget", "w", "shop")], namespace="shop"),
        part("argo-cd", argocd_bodies("gitops"), wave=-110, namespace="gitops"),
    ]
    stack = Stack(name="demo")
    spec = spec_of(parts, stack)
    granted = project.rights({"spec": spec})
    for application in applications.applications(stack, parts, "v-1"):
        assert application["spec"]["project"] == project.body(stack, parts)["metadata"]["name"]
        assert application["spec"]["source"]["repoURL"] in granted.repositories
        assert application["spec"]["destination"]["namespace"] in granted.namespaces
        assert application["metadata"]["namespace"] in granted.namespaces
    for one in parts:
        for item in one.objects:
            permitted = granted.namespaced_kinds if item.id.namespace else granted.cluster_kinds
            assert item.kind in permitted


def test_it_shows_what_kubernetes_makes_of_the_objects() -> None:
    shown = kinds(spec_of([part("shop", [workload("Deployment", "web", "shop")])])["namespaceResourceWhitelist"])
    assert {"Pod", "ReplicaSet.apps"} <= set(shown)
    assert "Pod" not in kinds(
        spec_of([part("shop", [body("v1", "Secret", "a", "shop")])])["namespaceResourceWhitelist"]
    )


def test_a_custom_resource_without_a_namespace_may_be_of_either_scope() -> None:
    spec = spec_of([part("shop", [body("example.com/v1", "Widget", "w")])])
    assert "Widget.example.com" in kinds(spec["clusterResourceWhitelist"])
    assert "Widget.example.com" in kinds(spec["namespaceResourceWhitelist"])


def test_the_order_of_the_objects_does_not_matter() -> None:
    parts = [part("b", [body("v1", "Secret", "b", "b")]), part("a", [body("apps/v1", "Deployment", "a", "a")])]
    assert project.body(EXISTING, parts) == project.body(EXISTING, parts[::-1])


def test_in_the_namespace_of_an_existing_argo_cd_it_permits_the_applications_there() -> None:
    parts = [part("shop", [body("v1", "ConfigMap", "a", "shop")])]
    assert "namespace" not in project.body(EXISTING, parts)["metadata"]
    placed = project.in_namespace(project.body(EXISTING, parts), "gitops")
    assert placed["metadata"]["namespace"] == "gitops"
    assert project.rights(placed).namespaces == {"gitops", "shop"}


def test_it_is_widened_by_what_left_the_stack() -> None:
    one = project.body(EXISTING, [part("shop", [body("v1", "ConfigMap", "a", "shop")])])
    gone = (
        ObjectId(group="batch", kind="CronJob", namespace="old", name="x"),
        ObjectId(group="", kind="Namespace", namespace="", name="old"),
    )
    wide = project.rights(project.widened(one, project.rights_of(gone)))
    assert wide == project.rights(one) | project.rights_of(gone)
    assert ("batch", "CronJob") in wide.namespaced_kinds
    assert ("", "Namespace") in wide.cluster_kinds
    assert "old" in wide.namespaces


def test_a_project_of_others_is_read_as_far_as_it_can_be() -> None:
    strange = {
        "spec": {
            "sourceRepos": "x",
            "destinations": [{"namespace": "far", "server": "https://elsewhere"}, "shop", None],
            "clusterResourceWhitelist": [{"group": None, "kind": "Namespace"}, {"group": "apps"}],
        }
    }
    assert project.rights(strange) == Rights(cluster_kinds=frozenset({("", "Namespace")}))
    assert project.rights({"spec": None}) == project.rights({}) == Rights()


def test_of_an_external_repository_it_permits_this_one() -> None:
    url = "https://git.example.com/team/demo.git"
    stack = Stack(name="demo", gitops=GitOps(install=False, source=RepositorySource.EXTERNAL, url=url))
    assert spec_of([part("shop", [body("v1", "ConfigMap", "a", "shop")])], stack)["sourceRepos"] == [url]
