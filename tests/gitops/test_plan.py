from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import pytest
import yaml

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import bootstrap, deploy_script, planning
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import (
    Apply,
    ApplyCrds,
    ApplyHooks,
    AwaitReady,
    Delete,
    Step,
    SyncApplication,
    resource,
)
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack

REPOSITORY = FileTree({"HEAD": b"ref: refs/heads/main\n"})
STACKS = {
    Delivery.DIRECT: Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE)),
    Delivery.INSTALL: Stack(name="demo"),
    Delivery.EXISTING: Stack(name="demo", gitops=GitOps(install=False)),
}


def planned(stack: Stack, parts: tuple[Part, ...]) -> DeployPlan:
    return planning.of(stack, parts, REPOSITORY, "c" * 40, "v-1")


def test_kubectl_applies_each_component_by_wave(parts: tuple[Part, ...]) -> None:
    direct = planned(STACKS[Delivery.DIRECT], parts)
    assert (direct.delivery, direct.argocd, direct.objects) == (Delivery.DIRECT, None, 22)
    assert [(part.name, part.wave, part.objects, part.folder) for part in direct.components] == [
        ("argo-cd", -110, 13, "waves/000-argo-cd"),
        ("definitions", -100, 2, "waves/001-definitions"),
        ("shop", 10, 7, "waves/002-shop"),
    ]
    assert all(part.steps for part in direct.components)


def test_argo_cd_is_installed_then_serves_the_repository_then_syncs_the_root(parts: tuple[Part, ...]) -> None:
    install = planned(STACKS[Delivery.INSTALL], parts)
    argocd = install.argocd
    assert argocd is not None
    assert (install.delivery, argocd.namespace, argocd.is_image_known) == (Delivery.INSTALL, "argocd", True)
    assert [step.file for step in argocd.install] == [
        *("namespaces.yaml", "crds.yaml", "settings.yaml", "hooks-pre-00-jobs.yaml", "objects.yaml"),
        *("project.yaml", "wait"),
    ]
    assert [type(step) for step in argocd.repository] == [Apply, Apply, Apply, AwaitReady, Delete]
    assert (argocd.sync.name, argocd.sync.revision) == ("demo.argo-apps", "v-1")
    assert not any(part.steps for part in install.components)


def test_an_existing_argo_cd_is_not_installed_and_provides_its_image(parts: tuple[Part, ...]) -> None:
    existing = planned(STACKS[Delivery.EXISTING], parts).argocd
    assert existing is not None
    assert (existing.install, existing.namespace, existing.is_image_known) == ((), "argocd", False)


def test_an_external_repository_is_not_served(parts: tuple[Part, ...]) -> None:
    gitops = GitOps(source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git")
    external = planned(Stack(name="demo", gitops=gitops), parts).argocd
    assert external is not None
    assert (external.server, external.repository) == (None, ())


def test_chunks_of_other_commits_are_deleted_once_the_server_is_ready(parts: tuple[Part, ...]) -> None:
    argocd = planned(STACKS[Delivery.INSTALL], parts).argocd
    assert argocd is not None
    assert argocd.server is not None
    *_, ready, delete = argocd.repository
    assert ready == AwaitReady(targets=(argocd.server,))
    assert delete == Delete(
        kind="configmap",
        namespace="cluster-forge",
        selector=f"cluster-forge/stack=demo,cluster-forge/commit,cluster-forge/commit!={'c' * 40}",
    )


def test_deleting_chunks_leaves_the_claim_of_the_stack(parts: tuple[Part, ...]) -> None:
    """On a real API server the first deployment through Argo CD deleted its own claim."""
    deployment = planned(STACKS[Delivery.INSTALL], parts)
    assert deployment.argocd is not None
    delete = deployment.argocd.repository[-1]
    assert isinstance(delete, Delete)
    (claim,) = yaml.safe_load_all(deployment.claim["claim.yaml"])
    (chunk,) = (
        body
        for step in deployment.argocd.repository
        if isinstance(step, Apply) and step.file == "repository-000.yaml"
        for body in map(yaml.safe_load, step.documents)
    )
    earlier = {**chunk["metadata"]["labels"], "cluster-forge/commit": "b" * 40}
    assert not selects(delete.selector, claim["metadata"]["labels"])
    assert not selects(delete.selector, chunk["metadata"]["labels"])
    assert selects(delete.selector, earlier)


def selects(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether a label selector finds an object, as Kubernetes reads it ("Labels and Selectors")."""
    for requirement in selector.split(","):
        key, unequal, value = requirement.partition("!=")
        if unequal:
            holds = labels.get(key) != value
        else:
            key, equal, value = requirement.partition("=")
            holds = labels.get(key) == value if equal else key in labels
        if not holds:
            return False
    return True


def lines(step: Step, folder: str) -> Iterator[str]:
    """What ``deploy.sh --print`` shows for a step."""
    match step:
        case Apply(file=file) | ApplyHooks(file=file, is_run=False):
            yield f"  apply {folder}/{file}"
        case ApplyCrds(file=file):
            yield f"  apply {folder}/{file}"
            yield f"  wait until the CRDs in {folder}/{file} are established"
        case ApplyHooks(file=file, is_run=True):
            yield f"  delete and run the Jobs in {folder}/{file}, wait until they are complete"
        case AwaitReady(targets=targets):
            yield from (f"  wait for {resource(target)} in {target.namespace or '-'}" for target in targets)
        case SyncApplication(file=file, name=name):
            yield f"  apply {folder}/{file}"
            yield f"  wait until the Application {name} and its children are synced and healthy"


def expected(deployment: DeployPlan) -> Iterator[str]:
    """What ``deploy.sh --print`` shows for a plan, without the first and the last line."""
    argocd = deployment.argocd
    for part in () if argocd else deployment.components:
        folder = f"bootstrap/{part.folder}"
        yield f"wave {part.wave}: {folder} ({part.objects} objects)"
        yield from chain.from_iterable(lines(step, folder) for step in part.steps)
    if not argocd:
        yield "  delete what an earlier version of the stack has left, and others have not taken over"
    if argocd and argocd.install:
        yield f"Argo CD in namespace {argocd.namespace}"
        yield from chain.from_iterable(lines(step, "bootstrap/argocd") for step in argocd.install)
    if argocd and argocd.server:
        yield "Git server and repository"
        yield from chain.from_iterable(lines(step, "bootstrap") for step in argocd.repository)
    if argocd:
        yield f"root Application {argocd.sync.name} at {argocd.sync.revision}"
        assert argocd.project
        yield from lines(argocd.project, "bootstrap")
        yield from lines(argocd.sync, "bootstrap")


@pytest.mark.parametrize("delivery", list(Delivery))
@pytest.mark.parametrize("source", [RepositorySource.INTERNAL, RepositorySource.OCI])
def test_the_script_prints_the_steps_of_the_plan(
    delivery: Delivery, source: RepositorySource, parts: tuple[Part, ...], tmp_path: Path
) -> None:
    gitops = STACKS[delivery].gitops
    stack = Stack(
        name="demo",
        gitops=GitOps(engine=gitops.engine, install=gitops.install, source=source, url="registry.example.com/demo"),
    )
    deployment = planned(stack, parts)
    files = bootstrap.tree(deployment)
    for path, content in files.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "deploy.sh").write_text(deploy_script.script(deployment, files))
    printed = subprocess.run(
        ["sh", tmp_path / "deploy.sh", "--print"], capture_output=True, text=True, check=True
    ).stdout
    assert printed.splitlines()[1:-1] == list(expected(deployment))
