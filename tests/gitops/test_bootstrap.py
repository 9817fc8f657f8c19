from __future__ import annotations

import pytest
import yaml

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import bootstrap, planning
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, GitOpsMode, RepositorySource, Stack

REPOSITORY = FileTree({"HEAD": b"ref: refs/heads/main\n"})
STACK = Stack(name="demo")
DIRECT = Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE))
EXISTING = Stack(name="demo", gitops=GitOps(install=False))

CLAIM = {f"bootstrap/{name}" for name in ("claim.yaml", "objects", "plan.json", "versions")}
"""The plan, and what every stack claims in the cluster (`test_ownership`)."""


def tree(stack: Stack, parts: tuple[Part, ...]) -> FileTree:
    return bootstrap.tree(planning.of(stack, parts, REPOSITORY, "c" * 40, "v-1"))


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
        *("bootstrap/project.yaml", "bootstrap/repository-000.yaml", "bootstrap/root.yaml"),
    ]
    assert kinds(files["bootstrap/root.yaml"]) == ["Application/demo.argo-apps"]
    assert b"example.com/argocd:v3.4.4" in files["bootstrap/git-server-deployment.yaml"]
    applied = [content for path, content in files.files.items() if path not in {*CLAIM, "bootstrap/project.yaml"}]
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
    assert files == {f"bootstrap/{name}" for name in ("files", "project.yaml", "argocd-settings.yaml", "root.yaml")}


def test_the_order_of_the_parts_does_not_change_the_bytes(parts: tuple[Part, ...]) -> None:
    assert tree(STACK, parts).files == tree(STACK, tuple(reversed(parts))).files


@pytest.mark.parametrize("stack", [STACK, DIRECT, EXISTING], ids=["install", "direct", "existing"])
def test_a_plan_is_read_as_it_was_written(stack: Stack, parts: tuple[Part, ...]) -> None:
    written = planning.of(stack, parts, REPOSITORY, "c" * 40, "v-1")
    assert bootstrap.read(bootstrap.tree(written)) == written


@pytest.mark.parametrize("change", [b"", b"other", None])
def test_every_file_that_is_not_as_it_was_written_is_named(change: bytes | None, parts: tuple[Part, ...]) -> None:
    files = dict(tree(DIRECT, parts).files)
    changed = [path for path in files if path.endswith(("/custom.yaml", "/wait"))]
    for path in changed:
        if change is None:
            del files[path]
        else:
            files[path] = change
    with pytest.raises(ExceptionGroup) as caught:
        bootstrap.read(FileTree(files))
    assert [error.where for error in caught.value.exceptions if isinstance(error, EditedError)] == sorted(changed)


def listing(files: dict[str, bytes], *, without: str) -> bytes:
    """The list, without the lines of a file."""
    lines = files[bootstrap.LIST].splitlines(keepends=True)
    return b"".join(line for line in lines if not line.rstrip().endswith(without.encode()))


def test_a_file_that_is_not_in_the_list_is_none_of_the_deployment(parts: tuple[Part, ...]) -> None:
    files = dict(tree(DIRECT, parts).files)
    path = min(path for path in files if path.endswith("/custom.yaml"))
    files |= {path: b"a: 1\n", bootstrap.LIST: listing(files, without=path)}
    with pytest.raises(EditedError, match="the plan names it") as caught:
        bootstrap.read(FileTree(files))
    assert caught.value.where == path


def test_a_plan_of_another_version_says_so(parts: tuple[Part, ...]) -> None:
    files = dict(tree(DIRECT, parts).files)
    own = files[bootstrap.PLAN]
    later = own.replace(bootstrap.SCHEMA.encode(), b"cluster-forge/plan/v9")
    strange = own.replace(b'"ApplyCrds"', b'"Levitate"')
    for plan_file in (b"", b"{}", strange, later):
        line = f"{Digest.of(plan_file).hex} {len(plan_file)} 0 {bootstrap.PLAN}\n".encode()
        listed = listing(files, without=bootstrap.PLAN) + line
        with pytest.raises(StaleError, match="not the plan"):
            bootstrap.read(FileTree({**files, bootstrap.PLAN: plan_file, bootstrap.LIST: listed}))


def test_a_folder_without_the_list_was_not_cast() -> None:
    with pytest.raises(StaleError, match="is missing"):
        bootstrap.read(FileTree({"stack.json": b"{}"}))
