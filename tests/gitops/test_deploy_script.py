"""The generated script, run by dash or sh; only kubectl is a stub that logs its calls."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.gitops.deploying import HEALTHY, SHELL, STACKS, Answers, Run, files, planned, states, written

from cluster_forge.gitops import bootstrap, deploy_script
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import RepositorySource

LONGEST = {Delivery.DIRECT: 1400, Delivery.EXISTING: 1320, Delivery.INSTALL: 1500}
"""Lines of the script: people read it before they run it as administrators of a cluster.

What it refuses and waits for takes most of them: the files, the APIs, the Secrets, the owners and the environment before the
first change (about 550), bounds and errors of kubectl (250), the rights of Argo CD's project (40), fields that cannot change (70). A way of delivery has only
the functions that it calls. What no longer fits belongs into the plan and its files, which the program writes, not into the shell.
"""
SHELLCHECK = shutil.which("shellcheck") or shutil.which("shellcheck", path=Path(sys.executable).parent)


@pytest.mark.parametrize("delivery", list(Delivery))
@pytest.mark.parametrize("source", [RepositorySource.INTERNAL, RepositorySource.EXTERNAL])
def test_the_script_passes_shellcheck(
    delivery: Delivery, source: RepositorySource, parts: tuple[Part, ...], tmp_path: Path
) -> None:
    stack = STACKS[delivery]
    stack = dataclasses.replace(stack, gitops=dataclasses.replace(stack.gitops, source=source, url="https://x"))
    text = written(planned(stack, parts), tmp_path)
    subprocess.run([SHELL, "-n", tmp_path / "deploy.sh"], check=True)
    assert len(text.splitlines()) < LONGEST[delivery]
    assert "# shellcheck" not in text
    assert "{waves}" not in text
    assert ("git-server.yaml" in text) == (source is RepositorySource.INTERNAL and delivery is not Delivery.DIRECT)
    if SHELLCHECK is None:
        pytest.skip("shellcheck is not installed")
    command: list[str | Path] = [SHELLCHECK, "--shell=sh", "--severity=style", tmp_path / "deploy.sh"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stdout == ""


def test_the_script_of_a_large_stack_stays_short(parts: tuple[Part, ...]) -> None:
    direct = planned(STACKS[Delivery.DIRECT], parts)
    large = dataclasses.replace(direct, components=direct.components * 20)
    text = deploy_script.script(large, bootstrap.tree(large))
    assert len(text.splitlines()) < LONGEST[Delivery.DIRECT]


@pytest.mark.parametrize(
    ("delivery", "summary"),
    [
        (Delivery.DIRECT, "3 components, 22 objects, applied by kubectl"),
        (Delivery.INSTALL, "3 components, applied by Argo CD, which is installed first"),
        (Delivery.EXISTING, "3 components, applied by the Argo CD in the cluster"),
    ],
)
def test_components_are_counted_as_cast_counts_them(
    run: Callable[..., Run], parts: tuple[Part, ...], make_part: Callable[..., Part], delivery: Delivery, summary: str
) -> None:
    """Those with objects, Argo CD among them (`CastResult.components`)."""
    result = run(delivery, "--print", parts=(*parts, make_part("empty", [])))
    assert result.out.startswith(f"stack demo, {summary}:\n")


def test_one_is_counted_as_one(
    run: Callable[..., Run], make_part: Callable[..., Part], make_body: Callable[..., dict[str, object]]
) -> None:
    one = make_part("one", [make_body("v1", "ConfigMap", "c", "default")])
    result = run(Delivery.DIRECT, "--yes", parts=(one,))
    assert result.out.startswith("stack demo, 1 component, 1 object, applied by kubectl")
    assert "applied bootstrap/waves/000-one/objects.yaml (1 object)\n" in result.out


@pytest.mark.parametrize("delivery", list(Delivery))
def test_print_needs_no_cluster(run: Callable[..., Run], delivery: Delivery) -> None:
    result = run(delivery, "--print")
    assert (result.code, result.calls, result.err) == (0, [], "")
    assert result.out.endswith("nothing was changed\n")


def test_print_lists_every_step_in_order(run: Callable[..., Run]) -> None:
    steps = [
        line.strip()
        for line in run(Delivery.DIRECT, "--print").out.splitlines()
        if "002-shop" in line or "shop" in line
    ]
    assert [step.replace("bootstrap/waves/002-shop/", "") for step in steps] == [
        "wave 10: bootstrap/waves/002-shop (7 objects)",
        "apply namespaces.yaml",
        "apply hooks-pre-00-objects.yaml",
        "delete and run the Jobs in hooks-pre-01-jobs.yaml, wait until they are complete",
        "apply objects.yaml",
        "apply jobs.yaml",
        "apply custom.yaml",
        "wait for deployment.apps/web in shop",
        "wait for job.batch/plain in shop",
        "delete and run the Jobs in hooks-post-00-jobs.yaml, wait until they are complete",
    ]


def test_without_a_terminal_or_yes_nothing_is_done(run: Callable[..., Run]) -> None:
    result = run(Delivery.DIRECT)
    assert (result.code, result.calls) == (2, [])
    assert result.err == "deploy.sh: not a terminal: pass --yes\n"


def test_kubectl_applies_wave_by_wave_and_waits(run: Callable[..., Run]) -> None:
    result = run(Delivery.DIRECT, "--yes", "--context", "there", "--kubeconfig=/k", "--timeout", "9s")
    assert result.code == 0, result.err
    assert all(call.startswith("--context there --kubeconfig /k ") for call in result.calls)
    calls = [call.removeprefix("--context there --kubeconfig /k ") for call in result.calls]
    environment = "jsonpath={.metadata.name} {.metadata.labels.cluster-forge/environment}"
    lease = "jsonpath={.spec.holderIdentity} since {.spec.acquireTime}|{.spec.renewTime}"
    assert calls[:6] == [
        "get --raw /version",
        "auth can-i * * --all-namespaces",
        f"get lease deploy-demo -n cluster-forge --ignore-not-found -o {lease}",
        "api-resources --no-headers",
        f"get configmap claim-demo -n cluster-forge --ignore-not-found -o {environment}",
        "config view --minify -o jsonpath={.current-context}|{.clusters[0].cluster.server}|{.contexts[0].context.namespace}",
    ]
    shop = [call.split(" -o ")[0] for call in calls if "shop" in call]
    apply, at = "apply --server-side --field-manager=cluster-forge -f", "bootstrap/waves/002-shop"
    assert shop == [
        f"{apply} {at}/namespaces.yaml",
        f"{apply} {at}/hooks-pre-00-objects.yaml",
        f"delete --ignore-not-found --timeout=9s -f {at}/hooks-pre-01-jobs.yaml",
        f"{apply} {at}/hooks-pre-01-jobs.yaml",
        f"get -f {at}/hooks-pre-01-jobs.yaml --ignore-not-found --no-headers",
        f"{apply} {at}/objects.yaml",
        f"{apply} {at}/jobs.yaml",
        f"{apply} {at}/custom.yaml",
        "rollout status -n shop deployment.apps/web --timeout=9s",
        "get job.batch/plain -n shop --ignore-not-found --no-headers",
        f"delete --ignore-not-found --timeout=9s -f {at}/hooks-post-00-jobs.yaml",
        f"{apply} {at}/hooks-post-00-jobs.yaml",
        f"get -f {at}/hooks-post-00-jobs.yaml --ignore-not-found --no-headers",
    ]
    assert (
        "wait --timeout=9s --for=condition=Available apiservice.apiregistration.k8s.io/v1.metrics.example.com" in calls
    )
    assert "wait --timeout=9s --for=condition=Established -f bootstrap/waves/001-definitions/crds.yaml" in calls
    assert "waiting for deployment.apps/web in shop (up to 9s)" in result.out
    assert "    warning: beware" in result.out
    assert result.out.endswith("the stack demo is deployed\n")


def test_a_dry_run_changes_nothing(run: Callable[..., Run]) -> None:
    unknown = 'Error from server (NotFound): namespaces "shop" not found'
    result = run(Delivery.DIRECT, "--dry-run", answers=[["002-shop/objects.yaml", [[1, unknown]]]])
    assert result.code == 0, result.err
    assert all("--dry-run=server" in call for call in result.calls if call.startswith("apply"))
    assert not [call for call in result.calls if call.startswith(("delete", "rollout", "wait", "patch", "annotate"))]
    assert "objects.yaml can be checked before" in result.out
    assert result.out.endswith("nothing was changed\n")


def test_a_dry_run_reports_invalid_objects(run: Callable[..., Run]) -> None:
    result = run(Delivery.DIRECT, "--dry-run", answers=[["objects.yaml", [[1, "error: it is invalid"]]]])
    assert result.code == 1
    assert "it is invalid" in result.err


@pytest.mark.parametrize(
    ("minor", "arguments", "code", "says"),
    [
        ("33", [], 0, ""),
        ("34", [], 0, "supported, one minor apart"),
        ("36", [], 3, "targets Kubernetes 1.33"),
        ("24", [], 3, "at least 1.25"),
        ("36", ["--force-version"], 0, "because of --force-version"),
    ],
)
def test_the_version_of_the_cluster_must_be_supported(
    run: Callable[..., Run], minor: str, arguments: list[str], code: int, says: str
) -> None:
    version = [["--raw /version", [[0, f'{{"major":"1","minor":"{minor}","x":""}}']]]]
    result = run(Delivery.DIRECT, "--yes", *arguments, answers=version)
    assert result.code == code
    assert says in result.err
    assert bool(files(result)) == (code == 0)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([["--raw /version", [[1, "connection refused"]]]], "cannot reach the cluster: connection refused"),
        ([["auth can-i", [[1, "no"]]]], "cluster administrator"),
    ],
)
def test_the_cluster_is_checked_before_the_first_change(run: Callable[..., Run], answers: Answers, says: str) -> None:
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 3
    assert says in result.err
    assert files(result) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--nonsense"], "unknown option --nonsense"),
        (["--timeout"], "--timeout needs a value"),
        (["--timeout=soon"], "needs a number of seconds"),
        (["--namespace", "other", "--print"], "kubectl applies this stack"),
    ],
)
def test_a_usage_error_exits_with_2(run: Callable[..., Run], arguments: list[str], says: str) -> None:
    result = run(Delivery.DIRECT, *arguments)
    assert (result.code, result.calls) == (2, [])
    assert says in result.err


def test_help_lists_the_options(run: Callable[..., Run]) -> None:
    result = run(Delivery.DIRECT, "--help")
    assert result.code == 0
    assert "--force-version" in result.out


def test_a_temporary_error_is_retried(run: Callable[..., Run]) -> None:
    webhook = [[1, 'failed calling webhook "x"'], [1, 'no matches for kind "Widget"'], [0, "w serverside-applied"]]
    established = [[1, ".status.conditions accessor error: <nil>"], [0, "widgets.example.com condition met"]]
    answers: Answers = [["002-shop/custom.yaml", list(webhook)], ["condition=Established", list(established)]]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 0, result.err
    assert result.out.count("retrying bootstrap/waves/002-shop/custom.yaml") == 1
    assert files(result).count("waves/002-shop/custom.yaml") == 3


REFUSED = """\
Error from server (Invalid): StatefulSet.apps "controller" is invalid: spec: Forbidden: updates to statefulset spec for fields other \
than 'replicas' are forbidden
Error from server (Invalid): Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be 0 or more
"""


def test_a_field_that_cannot_change_ends_it_before_the_first_change(run: Callable[..., Run]) -> None:
    answers: Answers = [
        [
            "get -f - --ignore-not-found",
            [[0, "StatefulSet apps/v1 argocd controller <none> <none> <none> <none> cluster-forge"]],
        ],
        ["jsonpath={.kind}", [[0, "StatefulSet/argocd/controller new"]]],
        ["000-argo-cd/objects.yaml", [[1, REFUSED]]],
        ["get statefulsets.apps controller", [[0, "old"]]],
    ]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 3
    assert "  StatefulSet.apps/argocd/controller: " in result.err
    assert "spec.serviceName" in result.err
    assert "must be 0 or more" not in result.err
    assert "pass --recreate" in result.err
    changes = [call for call in result.calls if re.match("create|apply|delete|patch|annotate", call)]
    assert all("--dry-run=" in call for call in changes)


def test_a_crd_that_the_api_server_forgot_is_reminded(run: Callable[..., Run]) -> None:
    late = [1, "timed out waiting for the condition"]
    answers: Answers = [["condition=Established", [*[late] * 8, [0, "widgets.example.com condition met"]]]]
    result = run(Delivery.DIRECT, "--yes", answers=answers, clock=20)
    assert result.code == 0, result.err
    marks = [call.rpartition("/")[2] for call in result.calls if call.startswith("annotate -f")]
    assert [mark.rstrip("0123456789") for mark in marks[:2]] == ["reminded=", "reminded-"]


def test_an_immutable_job_is_replaced(run: Callable[..., Run]) -> None:
    answers: Answers = [
        [
            "002-shop/jobs.yaml",
            [[1, "field is immutable"], [0, "serverside-applied"]],
        ]
    ]
    result = run(Delivery.DIRECT, "--yes", answers=answers)
    assert result.code == 0, result.err
    assert "delete --ignore-not-found --timeout=600s -f bootstrap/waves/002-shop/jobs.yaml" in result.calls


@pytest.mark.parametrize(
    "said",
    [
        '"widgets.example.com" is invalid: spec.conversion.strategy: Required value',
        '"widgets.example.com" is invalid: \n* spec.x: Invalid value\n* spec.conversion.strategy: Required value',
    ],
    ids=["one cause", "several causes"],
)
def test_a_conversion_webhook_of_before_is_taken_out_of_a_crd(run: Callable[..., Run], said: str) -> None:
    definitions, ready = "001-definitions/crds.yaml", [0, "widgets.example.com condition met"]
    invalid = [1, f"The CustomResourceDefinition {said}"]
    result = run(Delivery.DIRECT, "--yes", answers=[[definitions, [invalid, [0, "widgets serverside-applied"], ready]]])
    assert result.code == 0, result.err
    patch = '{"spec":{"conversion":{"strategy":"None","webhook":null}}}'
    assert f"widgets.example.com --field-manager=cluster-forge --type=merge -p {patch}" in " ".join(result.calls)
    result = run(Delivery.DIRECT, "--yes", answers=[[definitions, [invalid]]])
    assert result.code == 1
    assert " ".join(result.calls).count(patch) == 2, "once in each run"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([["objects.yaml", [[1, "error: it is invalid"]]]], "objects.yaml: error: it is invalid"),
        (
            [["002-shop/custom.yaml", [[1, "no matches for kind"]]]],
            "cannot apply bootstrap/waves/002-shop/custom.yaml: no matches for kind",
        ),
        ([["rollout status -n shop", [[1, "timed out"]]]], "deployment.apps/web in shop is not ready: timed out"),
        ([["condition=Available", [[1, "timed out"]]]], "is not available: timed out"),
        ([["condition=Established", [[1, "timed out"]]]], "CRDs not established: timed out"),
        ([["COMPLETE:", [[0, "migrate shop <none> True <none>"]]]], "migrate failed"),
        (
            [["COMPLETE:", [[0, "migrate shop <none> <none> <none>"]]]],
            "not complete after 0s: migrate",
        ),
    ],
)
def test_a_failure_names_the_object_and_the_last_events(run: Callable[..., Run], answers: Answers, says: str) -> None:
    events: Answers = [["get events", [[0, "LAST  Warning  FailedMount"]]]]
    result = run(Delivery.DIRECT, "--yes", "--timeout=0", answers=answers + events)
    assert result.code == 1
    assert says in result.err
    assert "FailedMount" in result.err
    assert "run deploy.sh again" in result.err


def test_a_workload_that_kubectl_cannot_watch_is_not_awaited(run: Callable[..., Run]) -> None:
    only = "error: rollout status is only available for RollingUpdate strategy type"
    assert run(Delivery.DIRECT, "--yes", answers=[["rollout status", [[1, only]]]]).code == 0


def test_argo_cd_is_installed_and_applies_the_rest(run: Callable[..., Run]) -> None:
    result = run(Delivery.INSTALL, "--yes")
    assert result.code == 0, result.err
    assert files(result) == [
        *("argocd/namespaces.yaml", "argocd/crds.yaml", "argocd/settings.yaml", "argocd/hooks-pre-00-jobs.yaml"),
        *("argocd/objects.yaml", "argocd/project.yaml", "git-server.yaml", "repository-000.yaml"),
        *("git-server-deployment.yaml", "project.yaml", "root.yaml", "project.yaml"),
    ]
    (settings,) = (call for call in result.calls if call.endswith("settings.yaml"))
    assert "--field-manager=cluster-forge-settings" in settings
    clean = f"delete configmap -n cluster-forge -l cluster-forge/stack=demo,cluster-forge/commit,cluster-forge/commit!={'c' * 40}"
    root = next(number for number, call in enumerate(result.calls) if call.endswith("root.yaml"))
    assert result.calls.index(clean) < root
    assert (
        "annotate applications.argoproj.io demo.argo-apps -n argocd --overwrite argocd.argoproj.io/refresh=hard"
        in result.calls[root:]
    )


def test_what_argo_cd_is_refused_of_a_crd_is_taken_out(run: Callable[..., Run]) -> None:
    said = (
        "demo.crds.1   <none>   Failed to compare desired state to live state: error running server side apply in dryrun mode "
        'for resource CustomResourceDefinition/w: CustomResourceDefinition.apiextensions.k8s.io "widgets.example.com" is '
        "invalid: [spec.conversion.strategy: Required value, spec.conversion.webhookClientConfig: Forbidden]"
    )
    refused = [0, states(crds="v-1 v-1 Unknown Healthy Succeeded")]
    answers: Answers = [["WANTED:", [*[refused] * 6, [0, HEALTHY]]], ["SAYS:", [[0, said]]]]
    result = run(Delivery.INSTALL, "--yes", answers=answers, clock=40)
    assert result.code == 0, result.err
    (patched,) = (call for call in result.calls if call.startswith("patch customresourcedefinitions"))
    assert '.k8s.io widgets.example.com --field-manager=cluster-forge --type=merge -p {"spec":{"conversion":' in patched


def test_the_namespace_of_an_installed_argo_cd_cannot_change(run: Callable[..., Run]) -> None:
    result = run(Delivery.INSTALL, "--yes", "--namespace=other")
    assert result.code == 2
    assert "in namespace argocd" in result.err


def test_the_root_is_awaited_and_unready_applications_are_named(run: Callable[..., Run]) -> None:
    rows = [
        [0, states(demo="v-0 v-0 Synced Healthy Running", shop="v-0 v-0 Synced Healthy Failed")],
        [0, states("", demo="v-1 <none> <none> <none> <none>")],
        [0, states(demo="v-1 v-1 OutOfSync Healthy Running", shop="v-0 v-0 Synced Healthy <none>")],
        [0, states(demo="v-1 v-1 OutOfSync Progressing Running", shop="v-1 v-1 OutOfSync Missing Running")],
        [0, HEALTHY],
    ]
    result = run(Delivery.INSTALL, "--yes", answers=[["WANTED:", list(rows)]])
    assert result.code == 0, result.err
    assert "terminating the sync of demo.argo-apps at v-0" in result.out
    (ended,) = (call for call in result.calls if "Terminating" in call)
    assert ended.startswith("patch applications.argoproj.io demo.argo-apps -n argocd --type=merge -p ")
    assert "not ready: demo.shop (at v-0)" in result.out
    assert "not ready: demo.shop (OutOfSync, Missing)" in result.out


def test_a_failed_sync_is_restarted(run: Callable[..., Run]) -> None:
    answers: Answers = [
        ["WANTED:", [[0, states("", shop="v-1 v-1 OutOfSync Missing Failed")], [0, HEALTHY]]],
        ["jsonpath={.spec.syncPolicy.syncOptions}", [[0, '["ServerSideApply=true"]']]],
    ]
    result = run(Delivery.INSTALL, "--yes", answers=answers)
    assert result.code == 0, result.err
    (call,) = (call for call in result.calls if '"operation"' in call)
    operation = json.loads(call.partition(" -p ")[2])["operation"]
    assert operation["sync"] == {"prune": True, "revision": "v-1", "syncOptions": ["ServerSideApply=true"]}


def test_applications_that_stay_unready_are_named_with_their_messages(run: Callable[..., Run]) -> None:
    answers: Answers = [
        [
            "SAYS:",
            [[0, "demo.argo-apps   successfully synced   <none>\ndemo.shop   one or more tasks failed   <none>"]],
        ],
        ["WANTED:", [[0, states(demo="v-1 v-1 Unknown Healthy <none>", shop="v-1 v-1 OutOfSync Degraded Failed")]]],
    ]
    result = run(Delivery.INSTALL, "--yes", "--timeout=0", answers=answers)
    assert result.code == 1
    assert "not ready: demo.shop (OutOfSync, Degraded)" in result.err
    assert "demo.shop: one or more tasks failed\n" in result.err


def test_an_existing_argo_cd_provides_image_and_namespace(run: Callable[..., Run]) -> None:
    answers: Answers = [
        ["get deployments,statefulsets", [[0, "server         example.com/ui:1\nrepo-server    example.com/argocd:2"]]],
        ["set image", [[0, "kind: Deployment"]]],
        ["patch --local", [[0, "kind: Application"]]],
    ]
    result = run(Delivery.EXISTING, "--yes", "--namespace=delivery", answers=answers)
    assert result.code == 0, result.err
    assert files(result)[:2] == ["git-server.yaml", "repository-000.yaml"]
    (image,) = (call for call in result.calls if call.startswith("set image"))
    assert image.endswith("unpack=example.com/argocd:2 serve=example.com/argocd:2 -o yaml")
    patched = [call for call in result.calls if call.startswith("patch --local") and "root.yaml" in call]
    assert len(patched) == 1
    assert '{"metadata":{"namespace":"delivery"},"spec":{"destination":{"namespace":"delivery"}}}' in patched[0]
    assert "waves will not wait for each other" in result.err


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([["auth can-i", [[1, "no"]]]], "missing permission: create applications.argoproj.io"),
        ([["get crd", [[1, "not found"]]]], "Argo CD is not installed"),
        ([["get deployments,statefulsets", [[0, ""]]]], "in namespace argocd: pass --namespace"),
    ],
)
def test_a_missing_argo_cd_is_an_error_before_the_first_change(
    run: Callable[..., Run], answers: Answers, says: str
) -> None:
    result = run(Delivery.EXISTING, "--yes", answers=answers)
    assert result.code == 3
    assert says in result.err
    assert files(result) == []
