"""deploy.sh among odd programs, streams and folders: none of them lets it report a deployment that is not one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gitops.deploying import SHELL, Answers, Run, deploy, files
from tests.gitops.test_deploy_script_truth import expecting

from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part

Go = Callable[..., Run]
Make = Callable[..., Any]
APPLICATIONS = "STACK:.metadata.labels.cluster-forge/stack,PATH"


@pytest.fixture
def small(make_part: Make, make_body: Make) -> tuple[Part, ...]:
    """Two components: one with a Deployment to wait for, one with a Job that runs before it."""
    hook = {"helm.sh/hook": "pre-install"}
    web = make_body("apps/v1", "Deployment", "web", "shop", spec={})
    migrate = make_body("batch/v1", "Job", "migrate", "shop", annotations=hook, spec={})
    return (make_part("web", [web]), make_part("jobs", [migrate, make_body("v1", "ConfigMap", "c", "shop")], wave=1))


# What kubectl answers.


@pytest.mark.parametrize(
    ("call", "code"),
    [
        *(("--raw /version", 3), ("auth can-i", 3), (APPLICATIONS, 3), ("-l cluster-forge/claim", 3), ("get -f -", 3)),
        *(("create namespace", 1), ("create -f", 1), ("apply --server-side", 1), ("rollout status", 1)),
        *(("delete --ignore-not-found", 1), ("COMPLETE:", 1)),
    ],
)
@pytest.mark.parametrize("answer", [["hides", "Error from server (Forbidden): no"], ["killed", ""]])
def test_an_error_with_exit_code_0_and_a_signal_are_errors(
    run: Go, small: tuple[Part, ...], call: str, code: int, answer: list[object]
) -> None:
    """Wrappers of kubectl hide its exit code, and the kernel kills it if memory runs out."""
    result = run(Delivery.DIRECT, "--yes", parts=small, answers=[[call, [answer]]])
    assert result.code == code, result.err
    assert ("Forbidden): no" if answer[1] else "ended with exit code 137, and no error of its own") in result.err
    assert "is deployed" not in result.out
    assert code == 1 or files(result) == []


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("rollout status", "is not ready: kubectl does not say that it is"),
        ("condition=Established", "CRDs not established: kubectl says nothing"),
        ("condition=Available", "is not available: kubectl says nothing"),
        ("apply --server-side", "kubectl applied 0 of the 1 object in"),
        ("api-resources", "the cluster does not list what it serves"),
    ],
)
def test_no_answer_is_not_success(run: Go, call: str, says: str) -> None:
    result = run(Delivery.DIRECT, "--yes", "--timeout=0", answers=[[call, [[0, ""]]]])
    assert result.code in (1, 3)
    assert says in result.err


def test_one_of_two_crds_is_not_established(run: Go, make_part: Make, make_body: Make) -> None:
    crds = [
        make_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{name}.example.com", spec={})
        for name in "ab"
    ]
    answers: Answers = [["condition=Established", [[0, "a.example.com condition met"]]]]
    result = run(Delivery.DIRECT, "--yes", "--timeout=0", parts=(make_part("crds", crds),), answers=answers)
    assert result.code == 1
    assert "CRDs not established: a.example.com condition met" in result.err


def test_a_wait_that_is_forbidden_is_not_repeated(run: Go) -> None:
    answers: Answers = [["condition=Established", [[1, "Error from server (Forbidden): no"]]]]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 1
    assert len([call for call in result.calls if "condition=Established" in call]) == 1


def test_the_claim_of_another_stack_that_cannot_be_read_is_an_error(run: Go) -> None:
    answers: Answers = [
        ["-l cluster-forge/claim", [[0, "other claim-other"]]],
        ["jsonpath={.data.objects}", [[1, "Error from server (Forbidden): no"]]],
    ]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 3
    assert "cannot see whose the objects are: Error from server (Forbidden): no" in result.err
    assert files(result) == []


@pytest.mark.parametrize("delivery", [Delivery.DIRECT, Delivery.INSTALL])
def test_warnings_beside_every_answer_change_nothing(run: Go, delivery: Delivery) -> None:
    result = run(delivery, "--yes", answers=[["", [["warns", "Warning: v1 Thing is deprecated"]]]])
    assert result.code == 0, result.err


def test_a_warning_is_not_a_secret(run: Go, small: tuple[Part, ...]) -> None:
    answers: Answers = [["get secret", [["warns", "Warning: user password"]]]]
    result = run(Delivery.DIRECT, "--yes", stack=expecting(), answers=answers)
    assert result.code == 3
    assert "lacks: user password" in result.err


@pytest.mark.parametrize("version", ['{"minor":"33"}\n{"minor":"33"}', 'Warning: x\n{"major": "1",\n "minor": "33+"}'])
def test_the_version_is_found_beside_other_text(run: Go, small: tuple[Part, ...], version: str) -> None:
    assert run(Delivery.DIRECT, "--yes", parts=small, answers=[["--raw /version", [[0, version]]]]).code == 0


def test_control_characters_of_a_server_do_not_reach_the_terminal(run: Go, small: tuple[Part, ...]) -> None:
    answers: Answers = [["apply --server-side", [[1, "error: \x1b]0;owned\x07denied\x1b[2J"]]]]
    result = run(Delivery.DIRECT, "--yes", parts=small, answers=answers)
    assert result.code == 1
    assert "error: ]0;owneddenied[2J" in result.err


def test_preferences_of_the_user_do_not_change_kubectl(run: Go, tmp_path: Path, small: tuple[Part, ...]) -> None:
    """A kuberc may say ``delete: interactive: true``, and kubectl would ask."""
    run(Delivery.DIRECT, "--yes", parts=small)
    assert set((tmp_path / "kuberc").read_text().split()) == {"false"}


# Two at once.


@pytest.mark.parametrize("delivery", [Delivery.DIRECT, Delivery.INSTALL])
def test_the_earlier_of_two_deployments_ends(run: Go, delivery: Delivery) -> None:
    answers: Answers = [["annotations.cluster-forge/run", [["default", ""], [0, "other/7/1"]]]]
    result = run(delivery, "--yes", answers=answers)
    assert result.code == 1
    assert "another deploy.sh has begun to deploy the stack demo (HOST/PROCESS/TIME: other/7/1)" in result.err
    assert "is deployed" not in result.out
    if delivery is Delivery.DIRECT:
        assert not any("002-shop" in name for name in files(result))


def test_a_server_that_is_away_for_a_moment_is_asked_again(run: Go, small: tuple[Part, ...]) -> None:
    away = [1, "The connection to the server was refused: connection refused"]
    answers: Answers = [["annotations.cluster-forge/run", [["default", ""], away, ["default", ""]]]]
    result = run(Delivery.DIRECT, "--yes", parts=small, answers=answers)
    assert result.code == 0, result.err


# Options, streams, folders.


@pytest.mark.parametrize("option", ["--context", "--kubeconfig", "--namespace"])
def test_where_it_goes_is_said_once(run: Go, option: str) -> None:
    result = run(Delivery.EXISTING, "--yes", option, "a", f"{option}=b")
    assert (result.code, result.calls) == (2, [])
    assert f"{option} is there twice: a and b" in result.err


def test_the_same_context_twice_is_one(run: Go, small: tuple[Part, ...]) -> None:
    assert run(Delivery.DIRECT, "--yes", "--context=a", "--context=a", parts=small).code == 0


@pytest.mark.parametrize("timeout", ["0", "08", "999999"])
def test_a_timeout_of_any_length_is_taken(run: Go, small: tuple[Part, ...], timeout: str) -> None:
    assert run(Delivery.DIRECT, "--yes", "--timeout", timeout, parts=small).code == 0


def test_an_unexpected_end_has_our_exit_code_and_a_message(run: Go, tmp_path: Path, small: tuple[Part, ...]) -> None:
    """Without a clock the shell itself ends the script, with an exit code of its own."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "date").write_text("#!/bin/sh\necho 1 2\n")
    (tmp_path / "bin" / "date").chmod(0o755)
    result = run(Delivery.DIRECT, "--yes", parts=small, answers=[["rollout status", [[0, ""]]]])
    assert result.code == 1
    assert "ended unexpectedly (exit code 2): run deploy.sh again" in result.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_closed_streams_change_nothing(run: Go, small: tuple[Part, ...], shell: str, closed: str) -> None:
    command = ("bash", "-c", f'exec {shell} "$0" "$@" {closed}')
    assert run(Delivery.DIRECT, "--yes", parts=small, shell=command).code == 0


def test_output_that_cannot_be_written_is_an_error(run: Go, small: tuple[Part, ...]) -> None:
    result = run(Delivery.DIRECT, "--yes", parts=small, shell=("bash", "-c", f'{SHELL} "$0" "$@" >/dev/full'))
    assert result.code == 1
    assert "cannot write to standard output" in result.err


@pytest.mark.parametrize(
    "command",
    [
        'ln -s "$(dirname "$0")" "$0.link"; exec sh "$0.link/deploy.sh" "$@"',
        'cd "$(dirname "$0")"; exec sh deploy.sh "$@"',
        'cd "$(dirname "$0")/.."; CDPATH=/; export CDPATH; exec sh cast/deploy.sh "$@"',
        'unset HOME TMPDIR; exec sh "$0" "$@"',
    ],
)
def test_the_folder_may_be_called_as_people_do(tmp_path: Path, small: tuple[Part, ...], command: str) -> None:
    odd = tmp_path / "two words\nand $HOME 'a' line"
    odd.mkdir()
    result = deploy(odd, small, Delivery.DIRECT, "--yes", shell=("bash", "-c", command))
    assert result.code == 0, result.err


def test_a_temporary_folder_that_cannot_be_made_is_said(run: Go, tmp_path: Path, small: tuple[Part, ...]) -> None:
    result = run(Delivery.DIRECT, "--yes", parts=small, TMPDIR=str(tmp_path / "none"))
    assert (result.code, result.calls) == (1, [])
    assert "set TMPDIR" in result.err


def test_other_line_ends_are_another_file(run: Go, small: tuple[Part, ...]) -> None:
    def convert(folder: Path) -> None:
        for path in folder.rglob("*.yaml"):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    result = run(Delivery.DIRECT, "--yes", parts=small, damage=convert)
    assert (result.code, result.calls) == (1, [])
    assert "objects.yaml" in result.err


def test_files_that_cast_did_not_write_are_not_applied(run: Go, small: tuple[Part, ...]) -> None:
    def add(folder: Path) -> None:
        (folder / "waves" / "000-web" / "custom.yaml").write_text("kind: ClusterRoleBinding\n")
        (folder / "waves" / "009-more").mkdir()
        (folder / "waves" / "009-more" / "objects.yaml").write_text("kind: ClusterRoleBinding\n")

    result = run(Delivery.DIRECT, "--yes", parts=small, damage=add)
    assert result.code == 0, result.err
    assert not [name for name in files(result) if "009" in name or "custom" in name]


# Interruptions.


@pytest.mark.parametrize("call", ["--raw /version", "get -f -", "apply --server-side", "rollout status", "COMPLETE:"])
def test_ctrl_c_ends_the_script_and_kubectl_in_every_phase(tmp_path: Path, small: tuple[Part, ...], call: str) -> None:
    deploy(tmp_path, small, Delivery.DIRECT, "--print", answers=[[call, [["hang", ""]]]])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "STUB": str(tmp_path), "TMPDIR": str(scratch)}
    process = subprocess.Popen(
        ["env", "--default-signal=INT", SHELL, tmp_path / "cast" / "deploy.sh", "--yes"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 25
    while not (tmp_path / "hangs").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "interrupted by SIGINT; run deploy.sh again" in errors
    assert not list(scratch.iterdir())
    kubectl = Path("/proc") / (tmp_path / "hangs").read_text()
    while kubectl.exists():
        assert time.monotonic() < end, "kubectl goes on without the script"
        time.sleep(0.05)
