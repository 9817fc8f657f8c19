from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import sync_files
from cluster_forge.gitops.flux import kustomizations
from cluster_forge.manifests.part import Part
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack
from cluster_forge.stack.registry_settings import RegistrySettings

Make = Callable[..., Any]
OCI = GitOps(engine=GitOpsEngine.FLUX, install=False, source=RepositorySource.OCI, url="registry.example.com/team/demo")
GIT = GitOps(
    engine=GitOpsEngine.FLUX, install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git"
)
STACK = Stack(name="demo", gitops=GIT)


def read(stack: Stack, parts: tuple[Part, ...]) -> dict[str, list[Any]]:
    """The documents of every file."""
    files = kustomizations.files(stack, parts, "v-1")
    return {path: list(yaml.safe_load_all(content)) for path, content in files.items()}


def by_name(stack: Stack, parts: tuple[Part, ...]) -> dict[str, Any]:
    """The Kustomizations of Flux."""
    documents = [document for documents in read(stack, parts).values() for document in documents]
    return {body["metadata"]["name"]: body for body in documents if body["apiVersion"].startswith("kustomize.toolkit")}


def test_each_component_has_a_folder_and_its_hooks_have_their_own(parts: tuple[Part, ...]) -> None:
    assert sorted(kustomizations.files(STACK, parts, "v-1")) == [
        "flux/argo-cd/hooks-pre-00/kustomization.yaml",
        "flux/argo-cd/kustomization.yaml",
        "flux/argo-cd/sync.yaml",
        "flux/definitions/kustomization.yaml",
        "flux/definitions/sync.yaml",
        "flux/kustomization.yaml",
        "flux/root.yaml",
        "flux/shop/hooks-post-00/kustomization.yaml",
        "flux/shop/hooks-pre-00/kustomization.yaml",
        "flux/shop/kustomization.yaml",
        "flux/shop/sync.yaml",
    ]


def test_a_kustomization_has_path_dependencies_and_waits(parts: tuple[Part, ...]) -> None:
    assert by_name(STACK, parts)["demo.definitions"] == {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {
            "name": "demo.definitions",
            "namespace": "cluster-forge",
            "labels": {
                "app.kubernetes.io/managed-by": "cluster-forge",
                "cluster-forge/stack": "demo",
                "cluster-forge/component": "definitions",
            },
        },
        "spec": {
            "interval": "10m",
            "retryInterval": "30s",
            "sourceRef": {"kind": "GitRepository", "name": "demo"},
            "path": "./flux/definitions",
            "prune": True,
            "wait": True,
            "timeout": "5m",
            "dependsOn": [{"name": "demo.flux"}, {"name": "demo.argo-cd"}],
        },
    }


def test_hooks_run_before_and_after_and_others_wait_for_the_last(
    parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    after = make_part("after", [make_body("v1", "ConfigMap", "c", "default")], wave=20)
    stack = Stack(name="demo", gitops=GIT, components=(Component(name=ComponentName("after"), has_own_wave=True),))
    bodies = by_name(stack, (*parts, after))
    waits = {name: [entry["name"] for entry in body["spec"].get("dependsOn", ())] for name, body in bodies.items()}
    assert waits == {
        "demo.flux": [],
        "demo.argo-cd.hooks-pre-00": ["demo.flux"],
        "demo.argo-cd": ["demo.flux", "demo.argo-cd.hooks-pre-00"],
        "demo.definitions": ["demo.flux", "demo.argo-cd"],
        "demo.shop.hooks-pre-00": ["demo.flux", "demo.definitions"],
        "demo.shop": ["demo.flux", "demo.shop.hooks-pre-00"],
        "demo.shop.hooks-post-00": ["demo.flux", "demo.shop"],
        "demo.after": ["demo.flux", "demo.shop.hooks-post-00"],
    }


def test_every_object_is_in_exactly_one_phase(parts: tuple[Part, ...]) -> None:
    listed = [
        posixpath.normpath(posixpath.join(posixpath.dirname(path), resource))
        for path, documents in read(STACK, parts).items()
        if path.count("/") > 1 and path.endswith("kustomization.yaml")
        for resource in documents[0]["resources"]
    ]
    assert sorted(listed) == sorted(item.path for part in parts for item in part.objects)


def test_hooks_are_cut_after_the_jobs_of_each_weight(make_part: Make, make_body: Make) -> None:
    def hook(kind: str, name: str, weight: str) -> dict[str, Any]:
        api = "batch/v1" if kind == "Job" else "v1"
        annotations = {"helm.sh/hook": "pre-install", "helm.sh/hook-weight": weight}
        made: dict[str, Any] = make_body(api, kind, name, "x", annotations=annotations)
        return made

    part = make_part(
        "x", [hook("ConfigMap", "a", "-5"), hook("Job", "b", "0"), hook("Job", "c", "5"), hook("ConfigMap", "d", "6")]
    )
    files = read(STACK, (part,))
    resources = {path: files[path][0]["resources"] for path in files if "hooks-pre" in path}
    assert resources == {
        "flux/x/hooks-pre-00/kustomization.yaml": ["../../../x/configmap_x_a.yaml", "../../../x/job.batch_x_b.yaml"],
        "flux/x/hooks-pre-01/kustomization.yaml": ["../../../x/job.batch_x_c.yaml"],
        "flux/x/hooks-pre-02/kustomization.yaml": ["../../../x/configmap_x_d.yaml"],
    }


def test_a_job_may_be_replaced_and_does_not_delete_itself(parts: tuple[Part, ...]) -> None:
    files = read(STACK, parts)
    (patch,) = files["flux/shop/hooks-pre-00/kustomization.yaml"][0]["patches"]
    assert patch["target"] == {"group": "batch", "kind": "Job"}
    assert yaml.safe_load(patch["patch"]) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "any", "annotations": {"kustomize.toolkit.fluxcd.io/force": "enabled"}},
        "spec": {"ttlSecondsAfterFinished": None},
    }
    assert "patches" not in files["flux/definitions/kustomization.yaml"][0]


def test_the_root_applies_the_others_and_keeps_them_if_it_is_deleted(parts: tuple[Part, ...]) -> None:
    files = read(STACK, parts)
    _, root = files["flux/root.yaml"]
    assert root["metadata"]["name"] == "demo.flux"
    assert root["spec"]["path"] == "./flux"
    assert (root["spec"]["wait"], root["spec"]["prune"], root["spec"]["deletionPolicy"]) == (False, True, "Orphan")
    assert files["flux/kustomization.yaml"][0]["resources"] == [
        "argo-cd/sync.yaml",
        "definitions/sync.yaml",
        "shop/sync.yaml",
    ]


def test_a_narrowed_stack_prunes_nothing(parts: tuple[Part, ...]) -> None:
    bodies = by_name(Stack(name="demo", gitops=GIT, left_out=("loki",)), parts)
    assert not any(body["spec"]["prune"] for body in bodies.values())


def test_a_git_repository_is_pinned_to_the_tag(parts: tuple[Part, ...]) -> None:
    source, _ = read(STACK, parts)["flux/root.yaml"]
    assert source["kind"] == "GitRepository"
    assert source["metadata"]["name"] == "demo"
    assert source["spec"] == {"interval": "10m", "ref": {"tag": "v-1"}, "url": "https://git.example.com/demo.git"}


def test_of_a_repository_with_other_files_only_the_folder_is_read(parts: tuple[Part, ...]) -> None:
    gitops = GitOps(
        engine=GitOpsEngine.FLUX,
        install=False,
        source=RepositorySource.EXTERNAL,
        url="git@git.example.com:team/all.git",
        path="clusters/one",
        secret="login",
    )
    stack = Stack(name="demo", gitops=gitops)
    source, root = read(stack, parts)["flux/root.yaml"]
    assert source["spec"] == {
        "interval": "10m",
        "ref": {"tag": "v-1"},
        "url": "ssh://git@git.example.com/team/all.git",
        "ignore": "/*\n!/clusters\n/clusters/*\n!/clusters/one\n",
        "secretRef": {"name": "login"},
    }
    assert root["spec"]["path"] == "./clusters/one/flux"
    assert by_name(stack, parts)["demo.shop"]["spec"]["path"] == "./clusters/one/flux/shop"


@pytest.mark.parametrize("is_plain", [False, True])
def test_an_artifact_is_read_by_its_tag_of_manifests(parts: tuple[Part, ...], is_plain: bool) -> None:
    registries = (RegistrySettings(host="registry.example.com", plain_http=is_plain),)
    source, root = read(Stack(name="demo", gitops=OCI, registries=registries), parts)["flux/root.yaml"]
    assert source["kind"] == "OCIRepository"
    assert source["spec"] == {
        "interval": "10m",
        "ref": {"tag": "v-1-manifests"},
        "url": "oci://registry.example.com/team/demo",
        "layerSelector": {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "operation": "extract"},
        **({"insecure": True} if is_plain else {}),
    }
    assert root["spec"]["sourceRef"] == {"kind": "OCIRepository", "name": "demo"}
    assert root["spec"]["path"] == "./manifests/flux"


@pytest.mark.parametrize(
    ("sops", "expected"),
    [
        ({"age": [{"recipient": "age1x"}]}, {"provider": "sops", "secretRef": {"name": "sops-age"}}),
        ({"age": [], "pgp": [{"fp": "x"}]}, {"provider": "sops", "secretRef": {"name": "sops-gpg"}}),
        ({"kms": [{"arn": "x"}]}, {"provider": "sops"}),
    ],
)
def test_what_sops_encrypted_is_decrypted(make_part: Make, make_body: Make, sops: Any, expected: Any) -> None:
    secret = make_body("v1", "Secret", "s", "x", stringData={"a": "ENC[x]"}, sops=sops)
    body = by_name(STACK, (make_part("x", [secret]), make_part("y", [make_body("v1", "Secret", "t", "x")])))
    assert body["demo.x"]["spec"]["decryption"] == expected
    assert "decryption" not in body["demo.y"]["spec"]


def test_the_revision_follows_from_the_content_and_the_settings(parts: tuple[Part, ...]) -> None:
    files, revision = sync_files.of(STACK, parts)
    assert yaml.safe_load_all(files["flux/root.yaml"]).__next__()["spec"]["ref"] == {"tag": revision}
    assert sync_files.of(STACK, parts) == (files, revision)
    assert sync_files.of(STACK, parts[:-1])[1] != revision
    assert sync_files.of(Stack(name="demo", gitops=OCI), parts)[1] != revision


def test_kubectl_alone_has_no_files(parts: tuple[Part, ...]) -> None:
    assert sync_files.of(Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE)), parts)[0] == {}
