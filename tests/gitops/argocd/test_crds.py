"""The CRDs that come before all else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.gitops.conftest import argocd_bodies, body, crd, part

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.argocd import applications, crds
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, RepositorySource, Stack

ARGO = part("argo-cd", argocd_bodies(), wave=-110, namespace="argocd")
HOOKED = body(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "h.example.com", annotations={"helm.sh/hook": "test"}
)


def operator(name: str) -> Part:
    return part(name, [crd(f"{name}.example.com", group="example.com"), body("v1", "ConfigMap", "settings", name)])


def test_those_of_parts_with_other_objects_but_not_of_argo_cd() -> None:
    alone = part("alone", [crd("alone.example.com")])
    hooked = part("hooked", [HOOKED, body("v1", "ConfigMap", "settings", "hooked")])
    early = crds.early([ARGO, operator("one"), alone, hooked, operator("two")])
    assert [item.id.name for item in early] == ["one.example.com", "two.example.com"]


@pytest.mark.parametrize(("source", "path"), [(RepositorySource.INTERNAL, "."), (RepositorySource.OCI, "manifests")])
def test_they_come_first_and_their_components_leave_them_out(source: RepositorySource, path: str) -> None:
    stack = Stack(name="demo", gitops=GitOps(source=source, url="registry.example.com/a/b"))
    bodies = applications.applications(stack, [operator("two"), ARGO, operator("one")], "v-1")
    first = bodies[0]
    file = "customresourcedefinition.apiextensions.k8s.io"
    assert first["metadata"]["name"] == "demo.crds.1"
    assert first["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "-111"
    assert "finalizers" not in first["metadata"]
    assert first["spec"]["source"]["path"] == path
    assert first["spec"]["source"]["directory"] == {
        "recurse": True,
        "include": f"{{one/{file}_one.example.com.yaml,two/{file}_two.example.com.yaml}}",
    }
    assert applications.file_name(first, stack, ()) == "crds.1.yaml"
    excluded = {
        application["spec"]["source"]["path"].rpartition("/")[2]: application["spec"]["source"].get("directory")
        for application in bodies[1:]
    }
    assert excluded["one"] == {"exclude": f"{file}_one.example.com.yaml"}
    assert excluded["argo-cd"] is None


def test_there_is_none_without_such_parts() -> None:
    bodies = applications.applications(Stack(name="demo"), [ARGO], "v-1")
    assert [application["metadata"]["name"] for application in bodies] == ["demo.argo-cd", "demo.argo-apps"]


def test_one_application_stays_below_argo_cds_limit() -> None:
    large = part("large", [crd(f"{name}.example.com", text="x" * 3_000_000) for name in "abcdefg"])
    names = [[item.id.name[0] for item in chunk] for chunk in crds.chunks(large.objects)]
    assert names == [["a", "b"], ["c", "d"], ["e", "f"], ["g"]]
    assert list(crds.chunks(())) == []


def test_a_component_may_have_the_name_of_them() -> None:
    """`crds` and `crds-1` are DNS labels, `crds.1` is none."""
    named = replace(operator("one"), name=ComponentName("crds-1"))
    bodies = applications.applications(Stack(name="demo"), [ARGO, named], "v-1")
    names = [application["metadata"]["name"] for application in bodies]
    assert len(set(names)) == len(names)
