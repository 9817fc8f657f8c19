"""Environments and narrowed stacks in a cluster (ADR 0022): no one is put over another one, and a narrowed one prunes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.gitops import deploying
from tests.gitops.deploying import NAMES, STACKS, Run, states

from cluster_forge.gitops import ownership
from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack

Answer = list[object]
Deploy = Callable[..., Run]
MORE = """
if "--patch-file" in call and "configmap" in call:
    open(f"{folder}/patch", "w").write(open(call.rpartition("=")[2]).read())
if "create --field-manager=cluster-forge" in call:
    if os.path.exists(f"{folder}/refused"):
        sys.exit('Error from server (Forbidden): namespaces "web" is forbidden')
    print("namespace/new created\\n" * (documents - 1), end="")
    sys.exit('Error from server (AlreadyExists): error when creating "x": namespaces "web" already exists')
if "--all-namespaces -l" in call and os.path.exists(f"{folder}/no-argo-cd"):
    sys.exit("error: the server doesn't have a resource type \\"applications\\"")
"""
CHANGES = ("apply", "create", "replace", "delete", "patch configmap", "annotate")


def narrowed(stack: Stack) -> Stack:
    return replace(stack, left_out=("loki", "grafana"))


def in_environment(there: str | None) -> Answer:
    """The claim of the stack in the cluster, from this environment."""
    return ["{.metadata.labels.cluster-forge/environment}", [[0, "" if there is None else f"claim-demo {there}"]]]


def delivered(*names: str) -> Answer:
    return ["applications.argoproj.io --all-namespaces -l cluster-forge/stack=demo", [[0, "\n".join(names)]]]


CLAIMED: Answer = ["claim-demo -n cluster-forge --ignore-not-found -o name", [[0, "configmap/claim-demo"]]]


@pytest.fixture
def go(tmp_path: Path, parts: tuple[Part, ...], monkeypatch: pytest.MonkeyPatch) -> Deploy:
    monkeypatch.setattr(deploying, "STUB", deploying.STUB + MORE)

    def run(stack: Stack, delivery: Delivery, *arguments: str, answers: list[Answer] | None = None) -> Run:
        return deploying.deploy(
            tmp_path, parts, delivery, "--yes", "--timeout", "1", *arguments, answers=[*(answers or [])], stack=stack
        )

    return run


def changes(run: Run) -> list[str]:
    return [call for call in run.calls if call.startswith(CHANGES)]


@pytest.mark.parametrize("delivery", [Delivery.INSTALL, Delivery.EXISTING])
def test_a_narrowed_stack_prunes_nothing(parts: tuple[Part, ...], delivery: Delivery) -> None:
    for stack, prunes in ((STACKS[delivery], True), (narrowed(STACKS[delivery]), False)):
        for application in applications.applications(stack, parts, "v-1"):
            assert application["spec"]["syncPolicy"]["automated"] == {"prune": prunes, "selfHeal": True}


def test_a_narrowed_stack_restarts_a_failed_sync_without_pruning(go: Deploy) -> None:
    rows = states("v-1 v-1 Synced Healthy Succeeded", shop="v-1 v-1 OutOfSync Missing Failed c c")
    answers: list[Answer] = [["WANTED:", [[0, rows], [0, deploying.HEALTHY]]]]
    run = go(narrowed(STACKS[Delivery.INSTALL]), Delivery.INSTALL, answers=answers)
    assert run.code == 0, run.err
    assert any('"prune":false' in call for call in run.calls)


def test_the_claim_has_the_environment(parts: tuple[Part, ...]) -> None:
    for environment, labels in (("production", {"cluster-forge/environment": "production"}), ("", {})):
        stack = replace(STACKS[Delivery.DIRECT], environment=environment)
        claim = yaml.safe_load(ownership.tree(stack, parts)["claim.yaml"])
        found = claim["metadata"]["labels"]
        assert {key: value for key, value in found.items() if key.endswith("environment")} == labels


@pytest.mark.parametrize("delivery", list(Delivery))
def test_environment_and_selection_are_named_before_the_question(go: Deploy, delivery: Delivery) -> None:
    stack = replace(narrowed(STACKS[delivery]), environment="production")
    run = go(stack, delivery, "--print")
    assert "stack demo, " in run.out
    assert "environment production, only 0 of 2 components" in run.out
    assert "nothing is pruned" in run.out


@pytest.mark.parametrize(
    ("own", "there"), [("staging", "production"), ("", "production"), ("staging", ""), ("prod", "production")]
)
@pytest.mark.parametrize("delivery", [Delivery.DIRECT, Delivery.EXISTING])
def test_another_environment_in_the_cluster_is_refused(go: Deploy, delivery: Delivery, own: str, there: str) -> None:
    run = go(replace(STACKS[delivery], environment=own), delivery, answers=[in_environment(there)])
    assert (run.code, changes(run)) == (3, [])
    assert (
        f"the stack demo is deployed here from environment {there or '(none)'}, and this is environment {own or '(none)'}"
        in run.err
    )
    assert "pass --force-environment" in run.err


def test_another_environment_is_replaced_if_the_user_says_so(go: Deploy) -> None:
    stack = replace(STACKS[Delivery.DIRECT], environment="staging")
    run = go(stack, Delivery.DIRECT, "--force-environment", answers=[in_environment("production"), CLAIMED])
    assert run.code == 0, run.err
    assert "replacing it by environment staging because of --force-environment" in run.err
    assert "replace -f bootstrap/claim.yaml" in run.calls


@pytest.mark.parametrize("there", [None, "staging"])
def test_the_same_environment_and_a_first_deployment_go_on(go: Deploy, there: str | None) -> None:
    stack = replace(STACKS[Delivery.DIRECT], environment="staging")
    run = go(stack, Delivery.DIRECT, answers=[in_environment(there)])
    assert run.code == 0, run.err


def test_a_claim_that_cannot_be_read_stops_before_the_first_change(go: Deploy) -> None:
    answer: Answer = ["{.metadata.labels.cluster-forge/environment}", [[1, ""]]]
    run = go(STACKS[Delivery.DIRECT], Delivery.DIRECT, answers=[answer])
    assert (run.code, changes(run)) == (3, [])
    assert "cannot see which environment is deployed" in run.err


@pytest.mark.parametrize(
    ("delivery", "there"),
    [
        (Delivery.INSTALL, [*NAMES.values(), "demo.loki"]),
        (Delivery.EXISTING, [*NAMES.values(), "demo.loki"]),
        (Delivery.EXISTING, ["loki"]),
        (Delivery.DIRECT, ["demo.shop", "demo.argo-apps"]),
    ],
)
def test_a_narrowed_stack_is_not_put_over_more_that_argo_cd_delivers(
    go: Deploy, delivery: Delivery, there: list[str]
) -> None:
    run = go(narrowed(STACKS[delivery]), delivery, answers=[delivered(*there)])
    assert (run.code, changes(run)) == (3, [])
    assert (
        f"the GitOps engine delivers more of it here: {'demo.shop' if delivery is Delivery.DIRECT else there[-1]}"
        in run.err
    )
    assert (
        "delivers more of it" not in go(STACKS[delivery], delivery, answers=[delivered(*there)]).err
    )  # the whole stack


@pytest.mark.parametrize("has_argo_cd", [True, False])
def test_a_narrowed_stack_is_deployed_where_argo_cd_delivers_no_more(
    go: Deploy, tmp_path: Path, has_argo_cd: bool
) -> None:
    if not has_argo_cd:
        (tmp_path / "no-argo-cd").touch()
    run = go(
        narrowed(STACKS[Delivery.INSTALL]), Delivery.INSTALL, answers=[delivered("demo.shop")] if has_argo_cd else []
    )
    assert run.code == 0, run.err
    assert "the stack demo is deployed: 0 of 2 components" in run.out


def test_a_narrowed_stack_keeps_the_claim_of_the_rest(go: Deploy, parts: tuple[Part, ...], tmp_path: Path) -> None:
    whole = "ConfigMap logs loki -\nDeployment.apps shop web old\n\nnot a line\n"
    answers: list[Answer] = [CLAIMED, ["jsonpath={.data.objects}", [[0, whole]]]]
    run = go(narrowed(STACKS[Delivery.DIRECT]), Delivery.DIRECT, answers=answers)
    assert run.code == 0, run.err
    assert "replace -f bootstrap/claim.yaml" not in run.calls
    patch = json.loads((tmp_path / "patch").read_text())
    listed = patch["data"]["objects"].splitlines()
    own = ownership.tree(STACKS[Delivery.DIRECT], parts)["objects"].decode().splitlines()
    assert "Deployment.apps shop web -" in own
    assert listed == sorted([*own, "ConfigMap logs loki -"])


def test_a_claim_that_is_lost_on_the_way_is_not_made_smaller(go: Deploy, tmp_path: Path) -> None:
    answers: list[Answer] = [CLAIMED, ["jsonpath={.data.objects}", [[1, ""]]]]
    run = go(narrowed(STACKS[Delivery.DIRECT]), Delivery.DIRECT, answers=answers)
    assert run.code == 1
    assert not (tmp_path / "patch").exists()


@pytest.mark.parametrize(
    ("left_out", "resources", "code"),
    [
        (("loki",), "old true\nolder true", 0),
        (("loki",), "old true\nweb ", 1),
        (("loki",), "", 1),
        ((), "old true", 1),
    ],
)
def test_what_is_only_not_pruned_is_not_a_difference_of_a_narrowed_stack(
    go: Deploy, left_out: tuple[str, ...], resources: str, code: int
) -> None:
    rows = states("v-1 v-1 Synced Healthy Succeeded", shop="v-1 v-1 OutOfSync Healthy Succeeded c c")
    answers: list[Answer] = [["WANTED:", [[0, rows]]], ["requiresPruning", [[0, resources]]]]
    run = go(replace(STACKS[Delivery.INSTALL], left_out=left_out), Delivery.INSTALL, answers=answers)
    assert run.code == code, run.err


def test_a_narrowed_stack_leaves_namespaces_as_they_are(go: Deploy) -> None:
    run = go(narrowed(STACKS[Delivery.DIRECT]), Delivery.DIRECT)
    assert run.code == 0, run.err
    files = deploying.files(run)
    assert files
    assert not [file for file in files if file.endswith("namespaces.yaml")]
    created = [call.split()[-1] for call in run.calls if call.startswith("create --field-manager=cluster-forge")]
    assert created
    assert all(file.endswith("namespaces.yaml") for file in created)


def test_a_dry_run_of_a_narrowed_stack_creates_no_namespace(go: Deploy) -> None:
    dry = go(narrowed(STACKS[Delivery.DIRECT]), Delivery.DIRECT, "--dry-run")
    assert dry.code == 0, dry.err
    assert all("--dry-run=server" in call for call in dry.calls if call.startswith("create --field"))


def test_a_namespace_that_cannot_be_created_ends_a_narrowed_deployment(go: Deploy, tmp_path: Path) -> None:
    (tmp_path / "refused").touch()
    run = go(narrowed(STACKS[Delivery.DIRECT]), Delivery.DIRECT)
    assert run.code == 1
    assert "cannot create the namespaces in bootstrap/" in run.err
    assert "is forbidden" in run.err
