from __future__ import annotations

import yaml

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import bootstrap
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.deploy_script import Wave
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, GitOpsMode, RepositorySource, Stack

REPOSITORY = FileTree({"HEAD": b"ref: refs/heads/main\n"})
STACK = Stack(name="demo")
DIRECT = Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE))
EXISTING = Stack(name="demo", gitops=GitOps(install=False))


def tree(stack: Stack, parts: tuple[Part, ...]) -> FileTree:
    return bootstrap.tree(stack, parts, REPOSITORY, "c" * 40, "v-1")


def kinds(content: bytes) -> list[str]:
    return [f"{each['kind']}/{each['metadata']['name']}" for each in yaml.safe_load_all(content)]


def test_kubectl_gets_every_part_by_wave(parts: tuple[Part, ...]) -> None:
    found = tree(DIRECT, parts)
    assert {path.split("/")[2] for path in found} == {"000-argo-cd", "001-definitions", "002-shop"}
    assert all(path.startswith("bootstrap/waves/") for path in found)
    plan = bootstrap.plan(DIRECT, parts, "c" * 40, "v-1")
    assert plan.delivery is Delivery.DIRECT
    assert plan.waves[2] == Wave(folder="bootstrap/waves/002-shop", wave=10, objects=7)


def test_argo_cd_gets_itself_the_repository_and_the_root(parts: tuple[Part, ...]) -> None:
    found = tree(STACK, parts)
    assert list(found) == [
        *("bootstrap/argocd/crds.yaml", "bootstrap/argocd/hooks-pre-00-jobs.yaml", "bootstrap/argocd/namespaces.yaml"),
        *("bootstrap/argocd/objects.yaml", "bootstrap/argocd/project.yaml", "bootstrap/argocd/settings.yaml"),
        *("bootstrap/argocd/wait", "bootstrap/git-server-deployment.yaml", "bootstrap/git-server.yaml"),
        *("bootstrap/repository-000.yaml", "bootstrap/root.yaml"),
    ]
    assert kinds(found["bootstrap/root.yaml"]) == ["Application/demo"]
    assert b"example.com/argocd:v3.4.4" in found["bootstrap/git-server-deployment.yaml"]
    assert b"ServiceMonitor" not in b"".join(found.files.values()), "its definition is not there yet"
    plan = bootstrap.plan(STACK, parts, "c" * 40, "v-1")
    assert (plan.delivery, plan.namespace, plan.git_server, plan.image_known) == (
        Delivery.INSTALL,
        "argocd",
        "git-demo",
        True,
    )


def test_headless_installs_neither_server_nor_dex(parts: tuple[Part, ...]) -> None:
    found = tree(Stack(name="demo", gitops=GitOps(mode=GitOpsMode.HEADLESS)), parts)
    assert kinds(found["bootstrap/argocd/objects.yaml"]) == [
        *("ConfigMap/argocd-cm", "RoleBinding/others", "Deployment/repo-server", "StatefulSet/controller"),
    ]
    assert found["bootstrap/argocd/wait"].decode() == (
        "argocd deployment.apps/repo-server\nargocd statefulset.apps/controller\n"
    )


def test_an_argo_cd_that_is_there_gets_the_repository_and_the_root(parts: tuple[Part, ...]) -> None:
    found = tree(EXISTING, parts)
    assert not any("argocd/" in path for path in found)
    assert b"image: argocd\n" in found["bootstrap/git-server-deployment.yaml"]
    assert "namespace" not in yaml.safe_load(found["bootstrap/root.yaml"])["metadata"]
    plan = bootstrap.plan(EXISTING, parts, "c" * 40, "v-1")
    assert (plan.delivery, plan.namespace, plan.image_known) == (Delivery.EXISTING, "argocd", False)


def test_a_repository_elsewhere_needs_no_server(parts: tuple[Part, ...]) -> None:
    gitops = GitOps(install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git")
    stack = Stack(name="demo", gitops=gitops)
    assert list(tree(stack, parts)) == ["bootstrap/root.yaml"]
    assert bootstrap.plan(stack, parts, "c" * 40, "v-1").git_server == ""


def test_the_same_input_gives_the_same_bytes(parts: tuple[Part, ...]) -> None:
    assert tree(STACK, parts).files == tree(STACK, tuple(reversed(parts))).files
