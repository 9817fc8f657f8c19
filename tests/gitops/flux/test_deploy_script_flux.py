"""The generated script where Flux delivers the stack; only kubectl is a stub that logs its calls."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.gitops import deploying
from tests.gitops.deploying import SHELL, Answers, Run

from cluster_forge.gitops import bootstrap
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack

Make = Callable[..., Any]
GITOPS = GitOps(engine=GitOpsEngine.FLUX, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git")
STACKS = {
    Delivery.INSTALL: Stack(name="demo", gitops=GITOPS),
    Delivery.EXISTING: Stack(name="demo", gitops=replace(GITOPS, install=False)),
}
NAMES = (
    "demo.flux2",
    "demo.shop.hooks-pre-00",
    "demo.shop",
    "demo.shop.hooks-post-00",
    "demo.definitions",
    "demo.flux",
)
SHELLCHECK = shutil.which("shellcheck") or shutil.which("shellcheck", path=Path(sys.executable).parent)
LONGEST = {Delivery.EXISTING: 1220, Delivery.INSTALL: 1340}
"""Lines; the limits of the other deliveries (`test_deploy_script`)."""


def states(default: str = "1 1 v-1@sha1:abc True ReconciliationSucceeded", /, **others: str) -> str:
    """What Flux reports of each Kustomization; an empty text leaves one out."""
    rows = {name: others.get(name.removeprefix("demo.").replace("-", "_"), default) for name in NAMES}
    return "\n".join(f"{name} {row}" for name, row in rows.items() if row)


READY: Answers = [
    ["WANTED:.metadata.generation", [[0, states()]]],
    ["get crd", [[0, "v1 v1beta2"]]],
]


@pytest.fixture
def flux(make_part: Make, make_body: Make) -> Part:
    definition = make_body(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "kustomizations.kustomize.toolkit.fluxcd.io"
    )
    pod = {"containers": [{"name": "app", "image": "example.com/kustomize-controller:v1"}]}
    controller = make_body(
        "apps/v1", "Deployment", "kustomize-controller", "flux-system", spec={"template": {"spec": pod}}
    )
    part: Part = make_part("flux2", [definition, controller], wave=-110, namespace="flux-system")
    return part


@pytest.fixture
def flux_parts(parts: tuple[Part, ...], flux: Part) -> tuple[Part, ...]:
    return (*(part for part in parts if part.name != "argo-cd"), flux)


@pytest.fixture
def go(tmp_path: Path, flux_parts: tuple[Part, ...]) -> Callable[..., Run]:
    def run(delivery: Delivery, *arguments: str, answers: Answers | None = None, **more: Any) -> Run:
        stack = more.pop("stack", STACKS[delivery])
        answered = [*(answers or []), *READY]
        return deploying.deploy(tmp_path, flux_parts, delivery, *arguments, answers=answered, stack=stack, **more)

    return run


@pytest.mark.parametrize("delivery", list(STACKS))
def test_the_script_passes_shellcheck(delivery: Delivery, flux_parts: tuple[Part, ...], tmp_path: Path) -> None:
    text = deploying.written(deploying.planned(STACKS[delivery], flux_parts), tmp_path)
    subprocess.run([SHELL, "-n", tmp_path / "deploy.sh"], check=True)
    assert len(text.splitlines()) < LONGEST[delivery]
    assert "argo" not in text.partition("deploy() {")[2].lower()
    if SHELLCHECK is None:
        pytest.skip("shellcheck is not installed")
    command: list[str | Path] = [SHELLCHECK, "--shell=sh", "--severity=style", tmp_path / "deploy.sh"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""


def test_flux_is_installed_then_gets_source_and_root(go: Callable[..., Run]) -> None:
    run = go(Delivery.INSTALL, "--yes")
    assert run.code == 0, run.err
    assert "2 components" not in run.out
    assert run.out.startswith("stack demo, 3 components, applied by Flux, which is installed first, ")
    applied = [call.rpartition(" -f ")[2] for call in run.calls if call.startswith("apply")]
    assert applied == [
        "bootstrap/flux/namespaces.yaml",
        "bootstrap/flux/crds.yaml",
        "bootstrap/flux/objects.yaml",
        "bootstrap/root.yaml",
    ]
    asked = [call for call in run.calls if "reconcile.fluxcd.io/requestedAt" in call]
    assert asked[0].startswith("annotate gitrepository.source.toolkit.fluxcd.io/demo -n cluster-forge --overwrite ")
    assert run.out.endswith("the stack demo is deployed\n")


def test_an_existing_flux_only_gets_source_and_root(go: Callable[..., Run]) -> None:
    run = go(Delivery.EXISTING, "--yes")
    assert run.code == 0, run.err
    assert [call.rpartition(" -f ")[2] for call in run.calls if call.startswith("apply")] == ["bootstrap/root.yaml"]
    assert (
        "get crd gitrepositories.source.toolkit.fluxcd.io -o jsonpath={.spec.versions[?(@.served==true)].name}"
        in run.calls
    )


def test_root_yaml_has_namespace_source_and_root(flux_parts: tuple[Part, ...]) -> None:
    files = bootstrap.tree(deploying.planned(STACKS[Delivery.EXISTING], flux_parts))
    kinds = [document["kind"] for document in yaml.safe_load_all(files["bootstrap/root.yaml"])]
    assert kinds == ["Namespace", "GitRepository", "Kustomization"]


def test_the_plan_is_read_as_it_was_written(flux_parts: tuple[Part, ...]) -> None:
    planned = deploying.planned(STACKS[Delivery.INSTALL], flux_parts)
    assert bootstrap.read(bootstrap.tree(planned)).flux == planned.flux


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1, "NotFound"], "Flux is not installed in this cluster"),
        ([0, "v1beta2"], "is too old: kustomizations.kustomize.toolkit.fluxcd.io serves v1beta2, and not v1"),
    ],
)
def test_a_cluster_without_flux_or_with_an_old_one_is_refused(
    go: Callable[..., Run], answer: list[object], message: str
) -> None:
    run = go(Delivery.EXISTING, "--yes", answers=[["get crd", [answer]]])
    assert run.code == 3
    assert message in run.err
    assert not [call for call in run.calls if call.startswith(("apply", "create"))]


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ("1 1 v-0@sha1:abc True ReconciliationSucceeded", "at v-0"),
        ("2 1 v-1@sha1:abc True ReconciliationSucceeded", "at v-1"),
        ("1 1 v-1@sha1:abc False HealthCheckFailed", "HealthCheckFailed"),
        ("1 1 v-11@sha1:abc True ReconciliationSucceeded", "at v-11"),
        ("1 <none> <none> <none> <none>", "at <none>"),
        ("", "not there"),
    ],
)
def test_it_waits_for_every_kustomization_at_the_revision(go: Callable[..., Run], row: str, state: str) -> None:
    answers: Answers = [
        ["WANTED:.metadata.generation", [[0, states(shop=row)]]],
        ["messages", [[0, ""]]],
    ]
    run = go(Delivery.INSTALL, "--yes", "--timeout", "2s", answers=answers, clock=4)
    assert run.code == 1
    assert f"not ready: demo.shop ({state})" in run.err


def test_a_dependency_that_is_not_ready_yet_is_asked_for_again(go: Callable[..., Run]) -> None:
    waiting = states(shop="1 1 v-0@sha1:abc False DependencyNotReady")
    answers: Answers = [["WANTED:.metadata.generation", [[0, waiting], [0, waiting], [0, waiting], [0, states()]]]]
    run = go(Delivery.INSTALL, "--yes", answers=answers, clock=100)
    assert run.code == 0, run.err
    asked = [call.split()[1] for call in run.calls if "reconcile.fluxcd.io/requestedAt" in call]
    assert asked[0] == "gitrepository.source.toolkit.fluxcd.io/demo"
    assert set(asked[1:]) == {"kustomization.kustomize.toolkit.fluxcd.io/demo.shop"}


def test_what_flux_says_is_printed(go: Callable[..., Run]) -> None:
    answers: Answers = [
        ["WANTED:.metadata.generation", [[0, states(shop="1 1 v-0@sha1:abc False HealthCheckFailed")]]],
        [
            "get kustomizations.kustomize.toolkit.fluxcd.io -n cluster-forge -l cluster-forge/stack=demo -o jsonpath",
            [
                [
                    0,
                    "demo.shop|False|timeout waiting for: [Deployment/shop/web status: 'InProgress']\ndemo.flux|True|Applied",
                ]
            ],
        ],
    ]
    run = go(Delivery.INSTALL, "--yes", "--timeout", "2s", answers=answers, clock=4)
    assert "demo.shop: timeout waiting for: [Deployment/shop/web status: 'InProgress']\n" in run.err
    assert "Applied" not in run.err


def test_what_flux_is_refused_of_a_crd_is_taken_out(go: Callable[..., Run]) -> None:
    refused = states(shop="1 1 v-0@sha1:abc False ReconciliationFailed")
    said = (
        "demo.shop|False|CustomResourceDefinition/widgets.example.com dry-run failed (Invalid): CustomResourceDefinition"
        '.apiextensions.k8s.io "widgets.example.com" is invalid: [spec.conversion.strategy: Required value, spec.x: no]'
    )
    answers: Answers = [
        ["WANTED:.metadata.generation", [*[[0, refused]] * 6, [0, states()]]],
        ["get kustomizations.kustomize.toolkit.fluxcd.io -n cluster-forge -l cluster-forge/stack=demo -o", [[0, said]]],
    ]
    run = go(Delivery.INSTALL, "--yes", answers=answers, clock=40)
    assert run.code == 0, run.err
    (patched,) = (call for call in run.calls if call.startswith("patch customresourcedefinitions"))
    assert '.k8s.io widgets.example.com --field-manager=cluster-forge --type=merge -p {"spec":{"conversion":' in patched


def test_a_narrowed_stack_is_not_put_over_more_that_flux_delivers(go: Callable[..., Run]) -> None:
    stack = replace(STACKS[Delivery.INSTALL], left_out=("loki",))
    answers: Answers = [["--all-namespaces -l cluster-forge/stack=demo", [[0, "\n".join([*NAMES, "demo.loki"])]]]]
    run = go(Delivery.INSTALL, "--yes", answers=answers, stack=stack)
    assert run.code == 3
    assert "the GitOps engine delivers more of it here: demo.loki" in run.err
