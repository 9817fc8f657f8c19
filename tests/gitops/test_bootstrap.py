from __future__ import annotations

import yaml

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import bootstrap, plan
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, GitOpsMode, RepositorySource, Stack

REPOSITORY = FileTree({"HEAD": b"ref: refs/heads/main\n"})
STACK = Stack(name="demo")
DIRECT = Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE))
EXISTING = Stack(name="demo", gitops=GitOps(install=False))

CLAIM = {f"bootstrap/{name}" for name in ("claim.yaml", "objects")}
"""What every stack claims in the cluster (`test_ownership`)."""


def tree(stack: Stack, parts: tuple[Part, ...]) -> FileTree:
    return bootstrap.tree(plan.of(stack, parts, REPOSITORY, "c" * 40, "v-1"))


def kinds(content: bytes) -> list[str]:
    return [f"{body['kind']}/{body['metadata']['name']}" for body in yaml.safe_load_all(content)]


def test_direct_delivery_has_a_folder_for_each_part_by_wave(parts: tuple[Part, ...]) -> None:
    paths = set(tree(DIRECT, parts)) - CLAIM - {bootstrap.LIST}
    assert {path.split("/")[2] for path in paths} == {"000-argo-cd", "001-definitions", "002-shop"}
    assert all(path.startswith("bootstrap/waves/") for path in paths)


def test_an_installed_argo_cd_has_its_own_files_the_repository_and_the_root(parts: tuple[Part, ...]) -> None:
    files = tree(STACK, parts)
    assert [path for path in files if path not in CLAIM] == [
        *("bootstrap/argocd/crds.yaml", "bootstrap/argocd/hooks-pre-00-jobs.yaml", "bootstrap/argocd/namespaces.yaml"),
        *("bootstrap/argocd/objects.yaml", "bootstrap/argocd/project.yaml", "bootstrap/argocd/settings.yaml"),
        *("bootstrap/argocd/wait", "bootstrap/files"),
        *("bootstrap/git-server-deployment.yaml", "bootstrap/git-server.yaml"),
        *("bootstrap/repository-000.yaml", "bootstrap/root.yaml"),
    ]
    assert kinds(files["bootstrap/root.yaml"]) == ["Application/demo.argo-apps"]
    assert b"example.com/argocd:v3.4.4" in files["bootstrap/git-server-deployment.yaml"]
    applied = [content for path, content in files.files.items() if path not in CLAIM]
    assert b"ServiceMonitor" not in b"".join(applied), "its CRD is not there yet"


def test_a_headless_argo_cd_is_installed_without_server_and_dex(parts: tuple[Part, ...]) -> None:
    files = tree(Stack(name="demo", gitops=GitOps(mode=GitOpsMode.HEADLESS)), parts)
    assert kinds(files["bootstrap/argocd/objects.yaml"]) == [
        *("ConfigMap/argocd-cm", "RoleBinding/others", "Deployment/repo-server", "StatefulSet/controller"),
    ]
    assert files["bootstrap/argocd/wait"].decode() == (
        "argocd deployment.apps/repo-server\nargocd statefulset.apps/controller\n"
    )


def test_an_existing_argo_cd_gets_the_repository_and_the_root(parts: tuple[Part, ...]) -> None:
    files = tree(EXISTING, parts)
    assert not any("argocd/" in path for path in files)
    assert b"image: argocd\n" in files["bootstrap/git-server-deployment.yaml"]
    assert "namespace" not in yaml.safe_load(files["bootstrap/root.yaml"])["metadata"]


def test_an_external_repository_needs_no_server(parts: tuple[Part, ...]) -> None:
    gitops = GitOps(install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git")
    files = set(tree(Stack(name="demo", gitops=gitops), parts)) - CLAIM
    assert files == {"bootstrap/files", "bootstrap/root.yaml"}


def test_the_order_of_the_parts_does_not_change_the_bytes(parts: tuple[Part, ...]) -> None:
    assert tree(STACK, parts).files == tree(STACK, tuple(reversed(parts))).files
