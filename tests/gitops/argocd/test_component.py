from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from cluster_forge.gitops.argocd import component
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsMode, Stack

Make = Callable[..., Any]


HEADLESS = Stack(name="demo", gitops=GitOps(mode=GitOpsMode.HEADLESS))


def names(part: Part) -> set[str]:
    return {f"{item.id.kind}/{item.id.name}" for item in part.objects}


def test_headless_leaves_out_server_dex_and_their_bindings(parts: tuple[Part, ...], argo: Part) -> None:
    left = component.delivered(HEADLESS, parts)
    assert names(argo) - names(left[1]) == {
        *("Deployment/argocd-server", "Deployment/dex", "Service/argocd-server", "ServiceAccount/argocd-server"),
        *("ServiceAccount/dex", "ClusterRoleBinding/server-binding"),
    }
    assert left[0] is parts[0]


def test_with_a_user_interface_everything_is_delivered(parts: tuple[Part, ...]) -> None:
    assert component.delivered(Stack(name="demo"), parts) == parts
    assert component.delivered(HEADLESS, parts[:1]) == parts[:1]


def test_the_image_is_that_of_the_controller(argo: Part) -> None:
    assert component.image(argo) == ("example.com/argocd:v3.4.4", ())
    assert component.image(dataclasses.replace(argo, objects=argo.objects[:1])) is None


def test_settings_are_added_unless_the_stack_has_its_own(
    parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    ours = {body["metadata"]["name"]: body["data"] for body in component.settings(parts)}
    assert ours["argocd-cm"] == {component.HEALTH_KEY: component.HEALTH}
    assert ours["argocd-cmd-params-cm"] == {"reposerver.max.combined.directory.manifests.size": "100M"}
    crd = make_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applications.argoproj.io")
    own = make_body("v1", "ConfigMap", "argocd-cm", "argo", data={component.HEALTH_KEY: "return {}"})
    left = list(component.settings([make_part("argo", [crd, own])]))
    assert [body["metadata"]["name"] for body in left] == ["argocd-cmd-params-cm"]
    assert len(list(component.settings(()))) == 2


def test_the_project_is_added_unless_argo_cds_part_has_it(
    parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    (project,) = component.project(parts)
    assert (project["kind"], project["metadata"]) == ("AppProject", {"name": "default", "namespace": "argocd"})
    crd = make_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applications.argoproj.io")
    own = make_body("argoproj.io/v1alpha1", "AppProject", "default", "argo")
    assert list(component.project([make_part("argo", [crd, own])])) == []
    assert len(list(component.project(()))) == 1
