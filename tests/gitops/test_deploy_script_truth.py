"""What deploy.sh must not do: report a deployment that is not one, or end without a word, a bound or an exit code of its own.

The double of kubectl fails, hangs and answers oddly.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gitops.deploying import HEALTHY, STACKS, Answers, Run, deploy, files, states

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part
from cluster_forge.stack.component import Component, ExpectedSecret

Go = Callable[..., Run]
Make = Callable[..., Any]
SHOP = "waves/002-shop"
ROLLED_OUT = 'deployment "web" successfully rolled out'
CONFLICT = """\
error: Apply failed with 2 conflicts: conflicts with "{}" using apps/v1:
- .spec.replicas
- .spec.template.spec.containers[name="app"].image
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


def truncate(name: str, content: bytes | None = b"") -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink() if content is None else (folder / name).write_bytes(content)


def shorten(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-1])


# The files of the stack.


@pytest.mark.parametrize(
    ("delivery", "damage", "names"),
    [
        (Delivery.DIRECT, truncate(f"{SHOP}/objects.yaml", None), f"{SHOP}/objects.yaml"),
        (Delivery.DIRECT, truncate(f"{SHOP}/objects.yaml"), f"{SHOP}/objects.yaml"),
        (Delivery.DIRECT, shorten(f"{SHOP}/wait"), f"{SHOP}/wait"),
        (Delivery.DIRECT, truncate("files", None), "bootstrap/files is missing"),
        (Delivery.DIRECT, shorten("files"), "bootstrap/files"),
        (Delivery.DIRECT, lambda folder: shutil.rmtree(folder / SHOP), SHOP),
        (Delivery.DIRECT, shutil.rmtree, "bootstrap/files is missing"),
        (Delivery.INSTALL, truncate("repository-000.yaml", None), "repository-000.yaml"),
        (Delivery.INSTALL, truncate("argocd/crds.yaml"), "argocd/crds.yaml"),
        (Delivery.EXISTING, truncate("root.yaml"), "root.yaml"),
    ],
)
@pytest.mark.parametrize("option", ["--yes", "--print"])
def test_a_damaged_file_is_an_error_before_the_first_call(
    run: Go, delivery: Delivery, damage: Callable[[Path], object], names: str, option: str
) -> None:
    result = run(delivery, option, damage=damage)
    assert (result.code, result.calls) == (1, [])
    assert names in result.err


@pytest.mark.parametrize("program", ["shasum", "openssl", ""])
@pytest.mark.parametrize(
    "damage", [None, shorten(f"{SHOP}/wait"), shorten("files"), truncate(f"{SHOP}/jobs.yaml", None)]
)
def test_the_files_are_checked_with_what_the_machine_has(
    tmp_path: Path, parts: tuple[Part, ...], program: str, damage: Callable[[Path], object] | None
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for name in ("dirname", "sed", "sort", "uniq", "wc", "cat", program):
        if name and shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        if name:
            (few / name).symlink_to(str(shutil.which(name)))
    deploy(tmp_path, parts, Delivery.DIRECT, "--print", damage=damage)
    script = tmp_path / "cast" / "deploy.sh"
    command: list[str | Path] = [str(shutil.which("sh")), script, "--print"]
    finished = subprocess.run(command, env={"PATH": str(few)}, capture_output=True, text=True, check=False)
    assert finished.returncode == (1 if damage else 0), finished.stderr
    assert ("only the sizes" in finished.stderr) == (not program)


# Options, and where the deployment goes.


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--context", ""], ["--context="], ["--kubeconfig", ""], ["--kubeconfig="], ["--namespace="]),
        *(["--context", "--yes"], ["--kubeconfig", "--dry-run"]),
        *(["--timeout", "12345678901234567890"], ["--timeout="], ["--timeout=-1"], ["--timeout", "1e3"]),
    ],
)
def test_an_unset_variable_is_a_usage_error(run: Go, arguments: list[str]) -> None:
    result = run(Delivery.EXISTING, "--yes", *arguments)
    assert (result.code, result.calls) == (2, [])
    assert arguments[0].partition("=")[0] in result.err


def test_an_empty_kubeconfig_variable_is_a_usage_error(run: Go) -> None:
    result = run(Delivery.DIRECT, "--yes", KUBECONFIG="")
    assert (result.code, result.calls) == (2, [])
    assert "KUBECONFIG is empty" in result.err


def test_a_timeout_with_leading_zeros_is_decimal(run: Go) -> None:
    result = run(Delivery.DIRECT, "--yes", "--timeout=0089")
    assert result.code == 0, result.err
    assert any("--timeout=89s" in call for call in result.calls)


def test_a_relative_kubeconfig_is_relative_to_where_the_script_is_called(run: Go, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "config").write_text("x")
    reading: Answers = [["--raw /version", [["reads", '{"major":"1","minor":"33"}']]]]
    result = run(Delivery.DIRECT, "--yes", "--kubeconfig=there/config", cwd=tmp_path, answers=reading)
    assert result.code == 0, result.err


@pytest.mark.parametrize("delivery", list(Delivery))
def test_the_confirmation_names_context_server_and_namespace(run: Go, delivery: Delivery) -> None:
    answers: Answers = [
        ["get deployments,statefulsets", [[0, "repo-server    example.com/argocd:2"]]],
        ["set image", [[0, "kind: Deployment"]]],
        ["patch --local", [[0, "kind: Application"]]],
    ]
    namespace = "default" if delivery is Delivery.DIRECT else "argocd"
    result = run(delivery, "--yes", answers=answers)
    assert result.code == 0, result.err
    assert f"to https://example.com:6443, context there, namespace {namespace}\n" in result.out


@pytest.mark.parametrize("answer", [[1, ""], [0, ""], [0, "odd"]])
def test_an_unknown_server_is_said(run: Go, answer: list[object]) -> None:
    result = run(Delivery.DIRECT, "--yes", "--context=x", answers=[["config view", [answer]]])
    assert result.code == 0
    assert "to the server that kubectl finds by itself, context x, namespace default\n" in result.out


# What the cluster must serve and have.


@pytest.mark.parametrize("delivery", list(Delivery))
def test_a_kind_that_the_cluster_does_not_serve_is_an_error_before_the_first_change(
    run: Go, delivery: Delivery, parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    budget = make_part("budget", [make_body("policy/v1beta1", "PodDisruptionBudget", "b", "shop")], wave=20)
    answers: Answers = [
        ["api-resources", [[0, "pods po v1 true Pod\nbudgets pdb policy/v1 true PodDisruptionBudget"]]],
        ["--raw /apis/policy/v1beta1", [[1, "Error from server (NotFound): the server could not find it"]]],
        ["--raw /api", [[0, '"kind":"ConfigMap" "kind":"Job" "kind": "Deployment"']]],
    ]
    result = run(delivery, "--yes", parts=(*parts, budget), answers=answers)
    assert result.code == 3
    assert "policy/v1beta1/PodDisruptionBudget" in result.err
    assert "example.com" not in result.err.replace("monitoring.coreos.com", ""), "the stack defines Widgets"
    assert files(result) == []


def test_a_kind_of_an_operator_may_be_allowed(run: Go) -> None:
    answers: Answers = [["api-resources", [[0, "pods po v1 true Pod"]]], ["--raw /api", [[1, "NotFound"]]]]
    result = run(Delivery.DIRECT, "--yes", "--allow-missing-apis", answers=answers)
    assert result.code == 0
    assert "continuing because of --allow-missing-apis" in result.err


def test_an_api_that_cannot_be_asked_is_a_warning(run: Go) -> None:
    answers: Answers = [
        ["api-resources", [[1, "pods po v1 true Pod\nerror: unable to retrieve the complete list of server APIs"]]],
        ["--raw /api", [[1, "the server is currently unable to handle the request"]]],
    ]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 0
    assert "cannot see whether the cluster serves apps/v1/Deployment" in result.err


def expecting() -> Any:
    secret = ExpectedSecret(name="login", namespace="shop", keys={"user": "a name", "password": "a word"})
    component = Component(name=ComponentName("shop"), secrets=(secret,))
    return dataclasses.replace(STACKS[Delivery.DIRECT], components=(component,))


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ("", "create secret generic login --namespace shop --from-literal=user='…' --from-literal=password='…'"),
        ("its keys: user ", """patch secret login --namespace shop --patch '{"stringData":{"password":"…"}}'"""),
        ("its keys: user2 password ", """{"stringData":{"user":"…"}}"""),
    ],
)
def test_a_missing_secret_is_an_error_with_the_command_that_makes_it(run: Go, there: str, says: str) -> None:
    result = run(
        Delivery.DIRECT, "--yes", "--context=x", stack=expecting(), answers=[["get secret login", [[0, there]]]]
    )
    assert result.code == 3
    assert f"kubectl --context 'x' {says}" in result.err or says in result.err
    assert files(result) == []


@pytest.mark.parametrize(
    ("there", "arguments"), [("its keys: password user ", []), ("", ["--allow-missing-secrets"]), ("", ["--dry-run"])]
)
def test_secrets_that_are_there_or_allowed_to_miss_do_not_stop(run: Go, there: str, arguments: list[str]) -> None:
    result = run(Delivery.DIRECT, "--yes", *arguments, stack=expecting(), answers=[["get secret login", [[0, there]]]])
    assert result.code == 0, result.err
    assert ("are missing" in result.err) == (not there)


@pytest.mark.parametrize(("arguments", "code"), [([], 3), (["--allow-missing-secrets"], 0)])
def test_secrets_that_may_not_be_read_are_said(run: Go, arguments: list[str], code: int) -> None:
    result = run(
        Delivery.DIRECT, "--yes", *arguments, stack=expecting(), answers=[["get secret", [[1, "Error: Forbidden"]]]]
    )
    assert result.code == code
    assert "cannot look for the Secret login in namespace shop" in result.err
    assert "Forbidden" in result.err


def test_the_namespace_of_several_missing_secrets_is_made_once(run: Go) -> None:
    secrets = tuple(
        ExpectedSecret(name=name, namespace=where, keys={"key": ""})
        for name, where in (("a", "shop"), ("b", "shop"), ("c", "shop-two"))
    )
    stack = dataclasses.replace(
        STACKS[Delivery.DIRECT], components=(Component(name=ComponentName("shop"), secrets=secrets),)
    )
    lines = run(Delivery.DIRECT, "--yes", stack=stack).err.splitlines()
    assert [line for line in lines if "create namespace" in line] == [
        "  kubectl create namespace shop",
        "  kubectl create namespace shop-two",
    ]
    assert sum("create secret" in line for line in lines) == 3


def test_a_secret_of_unknown_keys_must_exist(run: Go) -> None:
    secret = ExpectedSecret(name="login", namespace="shop", keys={})
    component = Component(name=ComponentName("shop"), secrets=(secret,))
    stack = dataclasses.replace(STACKS[Delivery.DIRECT], components=(component,))
    result = run(Delivery.DIRECT, "--yes", stack=stack)
    assert result.code == 3
    assert "Secret login in namespace shop lacks: everything" in result.err


# Bounds.


def test_every_call_of_kubectl_is_bounded(run: Go) -> None:
    result = run(Delivery.INSTALL, "--yes")
    assert result.code == 0, result.err
    assert all("--request-timeout=" in call for call in result.raw)


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        ("--raw /version", 3, "cannot reach the cluster: kubectl get did not end within 15s"),
        ("auth can-i", 3, "kubectl auth did not end within 15s"),
        ("002-shop/objects.yaml", 1, "cannot apply bootstrap/waves/002-shop/objects.yaml: kubectl apply did not end"),
        ("condition=Established", 1, "kubectl wait did not end within 12s"),
        ("rollout status", 1, "kubectl rollout did not end within 12s"),
        ("COMPLETE:", 1, "kubectl get did not end within 15s"),
    ],
)
def test_a_kubectl_that_hangs_and_cannot_be_terminated_ends(run: Go, call: str, code: int, says: str) -> None:
    result = run(Delivery.DIRECT, "--yes", "--timeout=2", answers=[[call, [["hang", ""]]]], clock=10)
    assert result.code == code
    assert says in result.err


def test_a_job_that_stays_immutable_is_deleted_twice_at_most(run: Go) -> None:
    answers: Answers = [["delete", [[0, ""]]], ["002-shop/jobs.yaml", [[1, "error: field is immutable"]]]]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 1
    assert "though its Jobs were deleted twice" in result.err
    assert len([call for call in result.calls if "002-shop/jobs.yaml" in call]) == 5


@pytest.mark.parametrize(
    "errors",
    [
        'Error from server (InternalError): failed calling webhook "x"\nError from server (Invalid): Deployment "a" is invalid: spec',
        'resource mapping not found for name: "w": no matches for kind "W"\nerror: the namespace is not allowed',
        'Error from server: admission webhook "p" denied the request: connection refused by policy',
        "",
    ],
)
def test_a_permanent_error_beside_a_temporary_one_is_not_retried(run: Go, errors: str) -> None:
    result = run(Delivery.DIRECT, "--yes", answers=[["002-shop/objects.yaml", [[1, errors]]]])
    assert result.code == 1
    assert files(result).count(f"{SHOP}/objects.yaml") == 1
    assert "cannot apply bootstrap/waves/002-shop/objects.yaml" in result.err


@pytest.mark.parametrize(
    "beside",
    [
        "E1129 11:00:00.000000   77 memcache.go:287] couldn't get resource list for x/v1: Got empty response for: x/v1",
        "  <html>502 Bad Gateway</html>",
    ],
)
def test_lines_beside_a_temporary_error_do_not_make_it_stay(run: Go, beside: str) -> None:
    errors = f'{beside}\nError from server (InternalError): failed calling webhook "x"\n{beside}'
    answers: Answers = [["002-shop/custom.yaml", [[1, errors], [0, "w serverside-applied"]]]]
    assert run(Delivery.DIRECT, "--yes", answers=answers).code == 0


@pytest.mark.parametrize("shell", ["bash", "busybox"])
@pytest.mark.parametrize("delivery", [Delivery.DIRECT, Delivery.INSTALL])
def test_other_shells_run_the_script(run: Go, delivery: Delivery, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    result = run(delivery, "--yes", shell=[shell, "ash"] if shell == "busybox" else [shell])
    assert result.code == 0, result.err
    failed = run(
        delivery,
        "--yes",
        shell=[shell, "ash"] if shell == "busybox" else [shell],
        answers=[["apply --server-side", [[1, "x"]]]],
    )
    assert failed.code == 1


def test_a_temporary_error_of_a_wait_is_retried(run: Go) -> None:
    answers: Answers = [
        ["rollout status", [[1, "connection refused"], [0, ROLLED_OUT]]],
        ["condition=Available", [[1, "not found"], [0, "a condition met"]]],
        ["COMPLETE:", [[1, "i/o timeout"], [0, "job shop True <none> <none>"]]],
    ]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 0, result.err


# Exit codes and answers.


@pytest.mark.parametrize(
    ("delivery", "answers", "code", "says"),
    [
        (Delivery.DIRECT, [["delete", [[9, "no"]]]], 1, "cannot delete what is in"),
        (Delivery.INSTALL, [["delete configmap", [[9, "no"]]]], 1, "cannot delete the ConfigMaps"),
        (Delivery.EXISTING, [["get deployments,statefulsets", [[9, "no"]]]], 3, "cannot look for Argo CD"),
        (Delivery.EXISTING, [["set image", [[9, "no"]]]], 3, "cannot set the image"),
        (Delivery.EXISTING, [["get namespace", [[1, "no"]]]], 3, "cannot find the namespace argocd"),
        (Delivery.DIRECT, [["--raw /version", [[0, "<html>"]]]], 3, "cannot read the version of the cluster: <html>"),
        (Delivery.DIRECT, [["api-resources", [[9, "no"]]]], 3, "does not list what it serves: no"),
        (Delivery.DIRECT, [["002-shop/objects.yaml", [[0, ""]]]], 1, "kubectl applied 0 of the 2 objects"),
        (
            Delivery.DIRECT,
            [["COMPLETE:", [[0, ""]]]],
            1,
            "0 of 1 Job in bootstrap/waves/000-argo-cd/hooks-pre-00-jobs.yaml there",
        ),
    ],
)
def test_what_fails_or_answers_oddly_has_a_message_and_one_of_our_exit_codes(
    run: Go, delivery: Delivery, answers: Answers, code: int, says: str
) -> None:
    image: Answers = [["get deployments,statefulsets", [[0, "repo-server    example.com/argocd:2"]]]]
    result = run(delivery, "--yes", answers=answers + image)
    assert result.code == code, result.err
    assert says in result.err
    assert code == 3 or "run deploy.sh again" in result.err


def test_a_job_that_removes_itself_is_complete(
    run: Go, parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    job = make_body("batch/v1", "Job", "once", "shop", spec={"ttlSecondsAfterFinished": 0})
    result = run(Delivery.DIRECT, "--yes", parts=(make_part("once", [job]),), answers=[["COMPLETE:", [[0, ""]]]])
    assert result.code == 0, result.err


def test_an_interrupted_script_says_so_and_exits_with_1(tmp_path: Path, parts: tuple[Part, ...]) -> None:
    deploy(tmp_path, parts, Delivery.DIRECT, "--print", answers=[["rollout status", [["hang", ""]]]])
    process = subprocess.Popen(
        ["sh", tmp_path / "cast" / "deploy.sh", "--yes"],
        env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "STUB": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    while "waiting for deployment.apps/argocd-server" not in (line := process.stdout.readline()) and line:
        pass
    os.killpg(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "interrupted by SIGTERM; run deploy.sh again" in errors


# Fields of other managers.


def test_a_conflict_is_shown_with_the_other_manager(run: Go) -> None:
    applied = "apiservice.apiregistration.k8s.io/v1.metrics.example.com serverside-applied\n"
    answers: Answers = [["002-shop/objects.yaml", [[1, applied + CONFLICT.format("kubectl-edit")]]]]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 1
    assert "not applied:\n  deployment/web\n" in result.err
    assert "apiservice" not in result.err
    assert "kubectl-edit .spec.replicas\nkubectl-edit .spec.template" in result.err
    assert "--force-conflicts to take them over" in result.err
    assert "Please review" not in result.err
    assert not any("--force-conflicts" in call for call in result.calls)


def test_adopting_an_object_does_not_take_its_fields(run: Go) -> None:
    """The two are separate permissions (ADR 0018); the message names the other one."""
    conflict = [["002-shop/objects.yaml", [[1, CONFLICT.format("helm")]]]]
    result = run(Delivery.DIRECT, "--yes", "--adopt", answers=conflict)
    assert result.code == 1
    assert "helm .spec.replicas" in result.err
    assert "pass --force-conflicts to take them over (--adopt takes objects, not fields)" in result.err
    assert not any("--force-conflicts" in call for call in result.calls)


def test_conflicts_are_forced_where_the_user_says_so(run: Go) -> None:
    result = run(Delivery.DIRECT, "--yes", "--force-conflicts")
    assert result.code == 0
    assert all("--force-conflicts" in call for call in result.calls if call.startswith("apply"))


@pytest.mark.parametrize(
    ("delivery", "file", "conflict"),
    [
        (Delivery.DIRECT, "002-shop/objects.yaml", CONFLICT.format("cluster-forge-settings")),
        (Delivery.INSTALL, "argocd/objects.yaml", CONFLICT.format("argocd-controller")),
        (
            Delivery.DIRECT,
            "002-shop/objects.yaml",
            'conflict with "cainjector" using admissionregistration.k8s.io/v1: .webhooks[name="a"].clientConfig.caBundle',
        ),
    ],
)
def test_conflicts_with_ourselves_and_with_injected_certificates_are_ours_to_solve(
    run: Go, delivery: Delivery, file: str, conflict: str
) -> None:
    answers: Answers = [["--force-conflicts", [[0, "a serverside-applied\n" * 9]]], [file, [[1, conflict]]]]
    result = run(delivery, "--yes", answers=answers)
    assert "kubectl applied 9 of the" in result.err, "the second call forces"


# Argo CD.


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (states(shop=""), "shop (not there)"),
        (states(shop="v-0 v-0 Synced Healthy Succeeded"), "shop (at v-0)"),
        (states(shop="v-1 v-0 Synced Healthy Succeeded"), "shop (Synced, Healthy)"),
        (states(shop="v-1 v-1 Synced Degraded Succeeded"), "shop (Synced, Degraded)"),
        (states(shop="v-1 v-1 OutOfSync Missing <none>"), "shop (OutOfSync, Missing)"),
        (states(shop="v-1 v-1 Synced Healthy Running c1 c1"), "shop (the sync is Running)"),
        (states(shop="v-1 v-1 Synced Healthy Failed c1 c1"), "shop (the sync is Failed)"),
        (
            states("", demo="v-1 v-1 Synced Healthy Succeeded"),
            "demo.argo-cd (not there) demo.definitions (not there) demo.shop (not there)",
        ),
        ("", "demo.argo-apps (not there)"),
    ],
)
def test_the_stack_is_deployed_only_when_all_its_applications_are(run: Go, rows: str, says: str) -> None:
    result = run(Delivery.INSTALL, "--yes", "--timeout=0", answers=[["WANTED:", [[0, rows]]]])
    assert result.code == 1
    assert says in result.err
    assert "is deployed" not in result.out


def test_an_older_operation_and_applications_of_others_do_not_matter(run: Go) -> None:
    rows = states(shop="v-1 v-1 Synced Healthy Failed c2 c1") + "\nother v-0 v-0 OutOfSync Degraded Failed"
    result = run(Delivery.INSTALL, "--yes", "--timeout=0", answers=[["WANTED:", [[0, rows]]]])
    assert result.code == 0, result.err


def test_degraded_objects_are_named_before_the_events(run: Go) -> None:
    answers: Answers = [
        ["WANTED:", [[0, states(shop="v-1 v-1 Synced Degraded Succeeded")]]],
        ["Degraded:", [[0, "HorizontalPodAutoscaler/web in shop: Degraded: no metrics"]]],
        ["get events", [[0, "LAST"]]],
    ]
    result = run(Delivery.INSTALL, "--yes", "--timeout=0", answers=answers)
    assert result.err.index("no metrics") < result.err.index("LAST")


def test_objects_of_which_argo_cd_does_not_keep_the_health_are_named_by_their_conditions(run: Go) -> None:
    """Argo CD 3 has no health in ``status.resources`` (seen with 3.5.7)."""
    status = """\
Deployment/web in shop|Available|False|MinimumReplicasUnavailable|"it does not have | minimum availability"
Deployment/web in shop|Progressing|False|ProgressDeadlineExceeded|"timed out"
Deployment/fine in shop|Available|True|MinimumReplicasAvailable|"fine"
HorizontalPodAutoscaler/web in shop|ScalingActive|False|FailedGetResourceMetric|"no metrics"
HorizontalPodAutoscaler/web in shop|ScalingLimited|False|DesiredWithinRange|"in range"
Job/once in shop|Failed|True|BackoffLimitExceeded|"failed too often"
Job/fine in shop|FailureTarget|False||
Widget/one in shop|Progressing|False|Idle|"nothing to do"
Widget/one in shop|Ready|Unknown||
PersistentVolumeClaim/files in shop|phase|Pending||
Namespace/shop|phase|Active||
Application/demo.shop in argocd|SyncError|||"is printed elsewhere"
"""
    resources = "apps|v1|Deployment|shop|web\n|v1|Namespace||shop"
    answers: Answers = [
        ["WANTED:", [[0, states(shop="v-1 v-1 Synced Degraded Succeeded")]]],
        ["demo.shop -n argocd --ignore-not-found -o jsonpath={range .status.resources[*]}", [[0, resources]]],
        ["go-template={{define", [[0, status]]],
        ["get events", [[0, "LAST"]]],
    ]
    result = run(Delivery.INSTALL, "--yes", "--timeout=0", answers=answers)
    shown = result.err.partition("deploy.sh:")[0].splitlines()
    assert [line for line in shown if " in shop: " in line] == [
        'Deployment/web in shop: Available is False (MinimumReplicasUnavailable): "it does not have | minimum availability"',
        'Deployment/web in shop: Progressing is False (ProgressDeadlineExceeded): "timed out"',
        'HorizontalPodAutoscaler/web in shop: ScalingActive is False (FailedGetResourceMetric): "no metrics"',
        'Job/once in shop: Failed is True (BackoffLimitExceeded): "failed too often"',
        "Widget/one in shop: Ready is Unknown",
        "PersistentVolumeClaim/files in shop: Pending",
    ]
    assert "printed elsewhere" not in result.err


def test_argo_cd_that_cannot_be_asked_is_said(run: Go) -> None:
    answers: Answers = [["WANTED:", [[0, HEALTHY], [1, "connection refused"]]]]
    result = run(Delivery.INSTALL, "--yes", "--timeout=0", answers=answers)
    assert result.code == 1
    assert "connection refused" in result.err


# Hooks.


@pytest.fixture
def hooked(make_part: Make, make_body: Make) -> tuple[Part, ...]:
    """A Job that runs as cluster-admin before the installation, with all three policies."""

    def notes(policies: str, weight: int = 0) -> dict[str, str]:
        policy = {"helm.sh/hook-delete-policy": policies} if policies else {}
        return {"helm.sh/hook": "pre-install", "helm.sh/hook-weight": str(weight), **policy}

    def rbac(kind: str, name: str, policies: str) -> Any:
        return make_body("rbac.authorization.k8s.io/v1", kind, name, annotations=notes(policies, -1))

    return (
        make_part(
            "a",
            [
                rbac("ClusterRoleBinding", "admin", "before-hook-creation,hook-succeeded,hook-failed"),
                rbac("ClusterRole", "kept", ""),
                make_body("batch/v1", "Job", "run", "a", annotations=notes("hook-succeeded")),
                make_body("batch/v1", "Job", "other", "a", annotations=notes("hook-failed")),
                make_body("v1", "PersistentVolumeClaim", "data", "a", annotations=notes("hook-succeeded")),
                make_body("v1", "ConfigMap", "c", "a", data={}),
            ],
        ),
    )


def deleted(result: Run) -> list[str]:
    return [call.split()[1] for call in result.calls if call.startswith("delete ") and " -f " not in call]


BINDING = "clusterrolebinding.rbac.authorization.k8s.io/admin"


def test_hooks_are_deleted_as_they_ask_for(run: Go, hooked: tuple[Part, ...]) -> None:
    result = run(Delivery.DIRECT, "--yes", parts=hooked)
    assert result.code == 0, result.err
    assert deleted(result) == [BINDING, BINDING, "job.batch/run"]
    order = [call for call in result.calls if call.startswith(("delete", "apply"))]
    assert BINDING in order[1]
    assert order[2].endswith("hooks-pre-00-objects.yaml")
    assert order[-1].endswith("objects.yaml"), "hooks are gone before the component's own objects come"


def test_hooks_of_a_failure_are_deleted_too(run: Go, hooked: tuple[Part, ...]) -> None:
    answers: Answers = [["COMPLETE:", [[0, "other a <none> True <none>"]]]]
    result = run(Delivery.DIRECT, "--yes", parts=hooked, answers=answers)
    assert result.code == 1
    assert deleted(result) == [BINDING, "job.batch/other", BINDING]
    assert "logs -n a job/other --all-containers --tail=20" in result.calls
    assert result.err.rstrip().endswith("fix the cause, then run deploy.sh again")


def test_hooks_before_one_that_cannot_be_applied_are_deleted_too(run: Go, hooked: tuple[Part, ...]) -> None:
    result = run(Delivery.DIRECT, "--yes", parts=hooked, answers=[["hooks-pre-02-jobs.yaml", [[0, ""], [1, "x"]]]])
    assert result.code == 1
    assert deleted(result)[-1] == BINDING


def test_a_hook_that_cannot_be_deleted_is_not_success(run: Go, hooked: tuple[Part, ...]) -> None:
    result = run(Delivery.DIRECT, "--yes", parts=hooked, answers=[["delete job.batch/run", [[1, "forbidden"]]]])
    assert result.code == 1
    assert "cannot delete job.batch/run: forbidden" in result.err
