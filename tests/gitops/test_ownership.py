"""What belongs to others is never taken over: the list of a stack's objects, and what deploy.sh does with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.gitops.deploying import HEALTHY

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import applyset, bootstrap, deploy_script, ownership, planning, release
from cluster_forge.manifests.identity import WITH_DATA
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack

SHELL = shutil.which("dash") or "sh"
DIRECT = Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE))
STACK = Stack(name="demo")
Make = Callable[..., Any]

KUBECTL = """\
import base64, json, os, sys
sys.argv = [word for word in sys.argv if not word.startswith("--request-timeout=")]
call = " ".join(sys.argv[1:])
folder = os.environ["STUB"]
open(f"{folder}/log", "a").write(call + "\\n")
if os.path.exists(f"{folder}/fails") and call.startswith(open(f"{folder}/fails").read()):
    reason = f"{folder}/reason"
    sys.exit(open(reason).read() if os.path.exists(reason) else "Error from server (Forbidden)")
if call.startswith("get applications") and "PATH" in call and not os.path.exists(f"{folder}/applications"):
    sys.exit("error: the server doesn't have a resource type \\"applications\\"")
for name, part in (("live", "get -f -"), ("served", "api-resources"), ("applications", "STACK:.metadata.labels.cluster-forge/stack,PATH"),
                   ("appliers", "--all-namespaces --no-headers -o custom-columns=STACK:"), ("volumes", "get persistentvolumeclaims --all-namespaces"),
                   ("flux", "get kustomizations.kustomize.toolkit.fluxcd.io --all-namespaces -l"),
                   ("member", "custom-columns=SET:"), ("claims", "-l cluster-forge/claim"), ("claimed", "jsonpath={.data.objects}"), ("claim", "get configmap claim-demo -n cluster-forge --ignore-not-found"), ("root", "WANTED:")):
    if part in call and os.path.exists(f"{folder}/{name}"):
        print(open(f"{folder}/{name}").read(), end="")
        break
if call.startswith("get applications.argoproj.io demo.") and os.path.exists(f"{folder}/applications"):
    name = sys.argv[3]
    print(name if f"{name} " in open(f"{folder}/applications").read() else "", end="")
if "/version" in call:
    print('{"minor": "33"}')
if call.startswith("get -f - "):
    open(f"{folder}/names", "w").write(sys.stdin.read())
if "--patch-file" in call:
    name = "patched" if call.startswith("patch secret") else "patch"
    open(f"{folder}/{name}", "w").write(open(call.rpartition("=")[2]).read())
if call.startswith("create -f") and call.endswith("/release"):
    made = json.load(open(sys.argv[-1]))
    data = {key: base64.b64encode(value.encode()).decode() for key, value in made["stringData"].items()}
    json.dump({**made, "data": data}, open(f"{folder}/released", "w"))
if call.startswith("get lease") and os.path.exists(f"{folder}/lease"):
    print(open(f"{folder}/lease").read() + str(os.getpid()), end="")
if call.startswith("get secrets") and os.path.exists(f"{folder}/numbers"):
    print(open(f"{folder}/numbers").read(), end="")
if call.startswith("apply"):
    text = sys.stdin.read() if sys.argv[-1] == "-" else open(sys.argv[-1]).read()
    print("x serverside-applied\\n" * (text.count("\\n---\\n") + 1))
if "cluster-forge/run=" in call:
    open(f"{folder}/run", "w").write(call.rpartition("=")[2])
if "annotations.cluster-forge/run" in call:
    print(open(f"{folder}/run").read(), end="")
if "COMPLETE:" in call:
    print("job shop True <none> <none>\\n" * 9)
if call.startswith("wait"):
    print("thing condition met\\n" * 9)
if call.startswith("rollout"):
    print('deployment "thing" successfully rolled out')
"""


class Run:
    def __init__(self, finished: subprocess.CompletedProcess[str], log: Path) -> None:
        self.code, self.out, self.err = finished.returncode, finished.stdout, finished.stderr
        self.calls = log.read_text().replace(f"{log.parent}/cast/", "").splitlines()

    @property
    def changes(self) -> list[str]:
        """The calls that change something, up to the first file of the stack; without the mark of the run and its release."""
        verbs = ("apply", "create", "replace", "delete", "patch", "annotate")
        changes = [call for call in self.calls if call.startswith(verbs) and "--dry-run=server" not in call]
        first = next((number for number, call in enumerate(changes) if call.startswith("apply")), len(changes))
        return [call for call in changes[:first] if "cluster-forge/run=" not in call and "/facts/release" not in call]


@pytest.fixture
def deploy(tmp_path: Path, parts: tuple[Part, ...]) -> Callable[..., Run]:
    """Run the script against a cluster with these ``answers`` of kubectl, by name."""

    def go(stack: Stack, *arguments: str, **answers: str) -> Run:
        planned = planning.of(stack, parts, FileTree({"HEAD": b"x"}), "c" * 40, "v-1")
        files: Mapping[str, bytes] = {
            **bootstrap.tree(planned).files,
            "deploy.sh": deploy_script.script(planned, bootstrap.tree(planned)).encode(),
        }
        for path, content in files.items():
            (tmp_path / "cast" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "cast" / path).write_bytes(content)
        served = "namespaces ns v1 false Namespace\ndeployments deploy apps/v1 true Deployment\n"
        root = f"{HEALTHY}\n"
        for name, text in {"root": root, "served": served, **answers}.items():
            (tmp_path / name).write_text(text)
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "kubectl").write_text(f"#!{sys.executable} -IS\n{KUBECTL}")
        (tmp_path / "bin" / "kubectl").chmod(0o755)
        environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "STUB": str(tmp_path)}
        finished = subprocess.run(
            [SHELL, tmp_path / "cast" / "deploy.sh", "--yes", "--timeout=1", "--allow-missing-apis", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )
        return Run(finished, tmp_path / "log")

    return go


def live(
    tracked: str = "<none>",
    release: str = "<none>",
    managers: str = "cluster-forge",
    name: str = "web",
    going: str = "<none>",
) -> str:
    return f"Deployment   apps/v1   shop   {name}   {tracked}   {release}   <none>   {going}   {managers}\n"


def test_the_list_has_every_object_but_hooks(parts: tuple[Part, ...]) -> None:
    files = ownership.tree(STACK, parts).files
    lines = files["objects"].decode().splitlines()
    assert "Deployment.apps shop web demo.shop" in lines
    assert "Namespace - shop demo.definitions" in lines
    assert not any("migrate" in line for line in lines)
    claim = yaml.safe_load(files["claim.yaml"])
    assert claim["metadata"]["labels"]["cluster-forge/stack"] == "demo"
    assert claim["data"]["objects"] == files["objects"].decode()
    assert len(list(ownership.read(claim["data"]["objects"]))) == len(lines)


@pytest.mark.parametrize("name", ["read only", 'a"b', "a\\b", "a\tb"])
def test_a_name_that_is_not_one_word_is_not_listed(parts: tuple[Part, ...], name: str) -> None:
    """Kubernetes allows such names of roles; deploy.sh reads the list word by word and writes JSON from it."""
    part = parts[0]
    identity = replace(
        part.objects[0].id, group="rbac.authorization.k8s.io", kind="ClusterRole", namespace="", name=name
    )
    more = replace(part, objects=(*part.objects, replace(part.objects[0], id=identity)))
    assert ownership.tree(STACK, (more, *parts[1:])).files == ownership.tree(STACK, parts).files


def test_an_object_that_kubectl_applies_has_no_application(parts: tuple[Part, ...]) -> None:
    assert b"Deployment.apps shop web -\n" in ownership.tree(DIRECT, parts).files["objects"]


@pytest.mark.parametrize("stack", [DIRECT, STACK])
@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"live": live()},
        {"live": live("demo.shop:apps/Deployment:shop/web", managers="argocd-controller")},
        {"live": "Namespace v1 <none> shop <none> <none> <none> <none> kubectl-create\n"},
        {
            "live": live(managers="helm"),
            "claims": "demo claim-demo\n",
            "claimed": "Deployment.apps shop web demo.shop\n",
        },
    ],
)
def test_what_is_new_or_of_the_stack_is_claimed(
    deploy: Callable[..., Run], stack: Stack, answers: dict[str, str]
) -> None:
    run = deploy(stack, **answers)
    assert run.code == 0, run.err
    assert run.changes == ["create namespace cluster-forge", "create -f bootstrap/claim.yaml"]


@pytest.mark.parametrize(
    ("there", "named"),
    [
        (live("demo.shop:apps/Deployment:shop/web", going="2026-12-01T15:02:00Z"), "Deployment.apps/shop/web"),
        ("Namespace v1 <none> shop <none> <none> <none> 2026-12-01T15:02:00Z kubectl-create\n", "Namespace/shop"),
    ],
)
@pytest.mark.parametrize("option", ["--yes", "--adopt"])
def test_what_is_being_deleted_is_named_before_the_first_change(
    deploy: Callable[..., Run], there: str, named: str, option: str
) -> None:
    run = deploy(DIRECT, option, live=there)
    assert (run.code, run.changes) == (3, [])
    assert f"these objects are being deleted, and what is applied goes with them:\n  {named}\n" in run.err


OWNED = [
    ({"live": live(managers="kubectl-edit,k3s")}, "no stack (its fields are those of kubectl-edit k3s)"),
    ({"live": live(release="web", managers="helm")}, "the Helm release web"),
    ({"live": live("gone:apps/Deployment:shop/web", managers="argocd-controller")}, "the former Application gone"),
    ({"claims": "other claim-other\n", "claimed": "Deployment.apps shop web -\n"}, "the stack other"),
]
RUNNING = [
    (
        {
            "live": live("other.web:apps/Deployment:shop/web"),
            "applications": "other.web other web\n",
        },
        "Deployment.apps/shop/web: belongs to the Application other.web of the stack other",
    ),
    (
        {"live": live("web:apps/Deployment:shop/web"), "applications": "web <none> web\n"},
        "Deployment.apps/shop/web: belongs to the Application web",
    ),
]


@pytest.mark.parametrize("stack", [DIRECT, STACK])
@pytest.mark.parametrize(("answers", "owner"), OWNED)
def test_what_is_of_others_is_refused_unless_adopted(
    deploy: Callable[..., Run], stack: Stack, answers: dict[str, str], owner: str
) -> None:
    run = deploy(stack, **answers)
    assert (run.code, run.changes) == (3, [])
    assert f"Deployment.apps/shop/web: belongs to {owner}\n" in run.err
    assert "--adopt" in run.err


@pytest.mark.parametrize(("answers", "owner"), OWNED)
def test_what_is_adopted_is_named(deploy: Callable[..., Run], answers: dict[str, str], owner: str) -> None:
    run = deploy(STACK, "--adopt", **answers)
    assert run.code == 0, run.err
    assert f"adopting Deployment.apps/shop/web from {owner}\n" in run.out
    assert "create -f bootstrap/claim.yaml" in run.changes


def test_what_is_adopted_leaves_the_claim_of_the_other_stack(deploy: Callable[..., Run], tmp_path: Path) -> None:
    claimed = "Deployment.apps shop web other.web\nSecret other key other.web\n"
    run = deploy(DIRECT, "--adopt", claims="other claim-other\n", claimed=claimed)
    assert run.code == 0, run.err
    assert json.loads((tmp_path / "patch").read_text())["data"] == {"objects": "Secret other key other.web\n"}


def test_what_is_adopted_from_a_former_application_leaves_the_claim_of_its_stack(
    deploy: Callable[..., Run], tmp_path: Path
) -> None:
    """Else the next deployment would refuse it: the stack that was renamed goes on claiming it."""
    claimed = "Deployment.apps shop web other.web\nSecret other key other.web\n"
    rows = live("other.web:apps/Deployment:shop/web", managers="argocd-controller")
    run = deploy(STACK, "--adopt", live=rows, claims="other claim-other\n", claimed=claimed)
    assert run.code == 0, run.err
    assert "adopting Deployment.apps/shop/web from the former Application other.web of the stack other\n" in run.out
    assert json.loads((tmp_path / "patch").read_text())["data"] == {"objects": "Secret other key other.web\n"}


def test_what_stays_behind_with_data_stays_claimed(
    deploy: Callable[..., Run], tmp_path: Path, parts: tuple[Part, ...]
) -> None:
    """Argo CD does not track CRDs: on a real one the way back to a version that has one was refused without the claim."""
    gone = sorted(f"{kind}{group and '.'}{group} shop gone" for group, kind in WITH_DATA)
    lost = "".join(f"{line} demo.shop\n" for line in gone)
    claimed = f"Secret shop gone demo.shop\n{lost}Namespace - shop demo.definitions\n"
    run = deploy(STACK, claims="demo claim-demo\n", claimed=claimed, claim="configmap/claim-demo\n")
    assert run.code == 0, run.err
    objects = ownership.tree(STACK, parts).files["objects"].decode()
    kept = "".join(f"{line} stays-behind\n" for line in gone)
    assert json.loads((tmp_path / "patch").read_text()) == {
        "metadata": {"labels": {"cluster-forge/environment": None}},
        "data": {"objects": f"{objects}{kept}"},
    }
    assert not any(call.startswith(("create -f", "replace")) for call in run.changes)


@pytest.mark.parametrize(("row", "code"), [("", 0), (live(managers="argocd-controller"), 3)])
def test_what_stayed_behind_of_another_stack_is_refused_if_it_is_there(
    deploy: Callable[..., Run], row: str, code: int
) -> None:
    run = deploy(STACK, claims="other claim-other\n", claimed="Deployment.apps shop web stays-behind\n", live=row)
    assert run.code == code, run.err
    assert ("Deployment.apps/shop/web: belongs to the stack other" in run.err) == bool(code)


def test_kubectl_does_not_apply_what_argo_cd_still_delivers(deploy: Callable[..., Run]) -> None:
    """A stack whose engine changed: Argo CD would undo the changes."""
    rows = live("demo.shop:apps/Deployment:shop/web", managers="argocd-controller")
    run = deploy(DIRECT, "--adopt", live=rows, applications="demo.shop demo shop\ndemo.argo-apps demo argo-apps\n")
    assert (run.code, run.changes) == (3, [])
    assert "Application/demo.argo-apps: belongs to this stack as Argo CD delivers it" in run.err


@pytest.mark.parametrize("arguments", [(), ("--adopt",)])
@pytest.mark.parametrize(("answers", "says"), RUNNING)
def test_what_another_application_manages_is_refused(
    deploy: Callable[..., Run], answers: dict[str, str], says: str, arguments: tuple[str, ...]
) -> None:
    run = deploy(STACK, *arguments, **answers)
    assert (run.code, run.changes) == (3, [])
    assert says in run.err
    assert "--cascade=orphan" in run.err


@pytest.mark.parametrize("name", ["demo.shop", "demo.argo-apps"])
def test_an_application_of_others_with_a_name_of_ours_is_refused(deploy: Callable[..., Run], name: str) -> None:
    run = deploy(STACK, "--adopt", applications=f"{name} <none> x\n")
    assert (run.code, run.changes) == (3, [])
    assert f"Application/{name}: belongs to no stack" in run.err


def test_a_stack_of_the_older_naming_is_brought_over_without_deleting_objects(deploy: Callable[..., Run]) -> None:
    rows = live("shop:apps/Deployment:shop/web", managers="argocd-controller")
    crd = "CustomResourceDefinition apiextensions.k8s.io/v1 <none> widgets.example.com <none> <none> <none> <none> argocd-controller\n"
    applications = "shop demo shop\ndemo demo argo-apps\nweb other web\n"
    run = deploy(STACK, live=rows + crd, applications=applications)
    assert run.code == 0, run.err
    deleted = [call for call in run.changes if call.startswith("delete")]
    assert deleted == [
        f"delete applications.argoproj.io {name} -n argocd --cascade=orphan --ignore-not-found"
        for name in ("demo", "shop")
    ]
    patched = [call.split()[2] for call in run.changes if '"finalizers":null' in call]
    assert patched == ["demo", "shop"]


def test_a_broken_off_bringing_over_can_be_run_again(deploy: Callable[..., Run]) -> None:
    rows = live("shop:apps/Deployment:shop/web", managers="argocd-controller")
    run = deploy(STACK, live=rows, claims="demo claim-demo\n", claimed="Deployment.apps shop web demo.shop\n")
    assert run.code == 0, run.err


def test_an_object_that_another_component_has_now_is_handed_over(deploy: Callable[..., Run]) -> None:
    rows = live("demo.web:apps/Deployment:shop/web", managers="argocd-controller")
    run = deploy(STACK, live=rows, applications="demo.web demo web\ndemo.argo-apps demo argo-apps\n")
    assert run.code == 0, run.err
    off = '{"spec":{"syncPolicy":{"automated":null}}}'
    assert run.changes[2:] == [
        f"patch applications.argoproj.io demo.argo-apps -n argocd --type=merge -p {off}",
        f"patch applications.argoproj.io demo.web -n argocd --type=merge -p {off}",
        "annotate deployment.apps web -n shop --overwrite argocd.argoproj.io/tracking-id=demo.shop:apps/Deployment:shop/web",
    ]


def test_an_application_that_gets_an_object_does_not_sync_before_the_root_does(deploy: Callable[..., Run]) -> None:
    """On a real Argo CD it pruned the object at its revision of before, and created it again at the new one."""
    rows = live("demo.web:apps/Deployment:shop/web", managers="argocd-controller")
    applications = "demo.web demo web\ndemo.shop demo shop\ndemo.argo-apps demo argo-apps\n"
    run = deploy(STACK, live=rows, applications=applications)
    assert run.code == 0, run.err
    annotated = next(number for number, call in enumerate(run.changes) if call.startswith("annotate"))
    paused = [call.split()[2] for call in run.changes[:annotated] if '"automated":null' in call]
    assert paused == ["demo.argo-apps", "demo.shop", "demo.web"]


def test_a_stack_whose_root_was_ended_is_handed_over_as_well(deploy: Callable[..., Run]) -> None:
    rows = live("demo.web:apps/Deployment:shop/web", managers="argocd-controller")
    run = deploy(STACK, live=rows, applications="demo.web demo web\n")
    assert run.code == 0, run.err


def test_kinds_that_the_cluster_does_not_serve_are_not_asked_for(deploy: Callable[..., Run], tmp_path: Path) -> None:
    """kubectl get prints nothing at all if it does not know one of the kinds (1.32)."""
    assert deploy(DIRECT).code == 0
    names = list(yaml.safe_load_all((tmp_path / "names").read_text()))
    assert {name["kind"] for name in names} == {"Namespace", "Deployment"}
    assert {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}} in names


def test_a_cluster_that_does_not_answer_is_refused(deploy: Callable[..., Run]) -> None:
    run = deploy(DIRECT, served="")
    assert (run.code, run.changes) == (3, [])
    assert "the cluster does not list what it serves" in run.err


@pytest.mark.parametrize("fails", ["get applications", "get configmaps"])
def test_owners_that_cannot_be_seen_are_an_error(deploy: Callable[..., Run], fails: str) -> None:
    run = deploy(DIRECT, fails=fails)
    assert (run.code, run.changes) == (3, [])
    assert "cannot see whose the objects are: Error from server (Forbidden)" in run.err


def test_what_another_deployment_creates_at_the_same_time_counts_as_created(deploy: Callable[..., Run]) -> None:
    run = deploy(DIRECT, fails="create ", reason="Error from server (AlreadyExists): already exists")
    assert run.code == 0, run.err


def test_a_claim_that_cannot_be_created_is_an_error(deploy: Callable[..., Run]) -> None:
    run = deploy(DIRECT, fails="create -f")
    assert run.code == 1
    assert "cannot create -f" in run.err
    assert "Forbidden" in run.err


def test_a_dry_run_refuses_and_claims_nothing(deploy: Callable[..., Run]) -> None:
    assert deploy(DIRECT, "--dry-run", live=live(managers="helm")).code == 3


def test_a_dry_run_of_a_new_stack_changes_nothing(deploy: Callable[..., Run]) -> None:
    run = deploy(DIRECT, "--dry-run")
    assert (run.code, run.changes) == (0, [])


GONE = "ConfigMap shop gone -\nWidget.example.com shop old -\nPersistentVolumeClaim shop data -\n"
OURS = applyset.identity(ownership.claim_id("demo"))


def pruning(deploy: Callable[..., Run], member: str, *arguments: str, **answers: str) -> Run:
    """Deploy over an earlier version, of which these objects were."""
    claimed = {"claims": "demo claim-demo\n", "claimed": GONE, "claim": "configmap/claim-demo\n"}
    return deploy(DIRECT, *arguments, member=member, **claimed, **answers)


def pruned(run: Run) -> list[str]:
    """The kinds and names that were deleted; not the Jobs of hooks, which come from files."""
    return [" ".join(call.split()[1:3]) for call in run.calls if call.startswith("delete") and " -f " not in call]


def test_what_left_a_direct_stack_is_deleted_custom_resources_first_and_data_stays(
    deploy: Callable[..., Run], tmp_path: Path
) -> None:
    run = pruning(deploy, f"{OURS} <none> <none> <none> u1 cluster-forge\n")
    assert run.code == 0, run.err
    assert pruned(run) == ["widget.example.com old", "configmap gone"]
    patch = json.loads((tmp_path / "patch").read_text())
    lines = patch["data"]["objects"].splitlines()
    assert "PersistentVolumeClaim shop data stays-behind" in lines
    assert not [line for line in lines if line.endswith(" leaves")]
    assert patch["metadata"]["labels"][applyset.ID] == OURS
    kinds = patch["metadata"]["annotations"][applyset.KINDS].split(",")
    assert kinds == sorted({line.split()[0] for line in lines})


@pytest.mark.parametrize(
    ("member", "owner"),
    [
        ("applyset-x-v1 <none> <none> <none> u1 cluster-forge", "the ApplySet applyset-x-v1"),
        (
            f"{OURS} theirs:/ConfigMap:shop/gone <none> <none> u1 cluster-forge,argocd-controller",
            "the Application theirs",
        ),
        (f"{OURS} demo.theirs:/ConfigMap:shop/gone <none> <none> u1 cluster-forge", "the Application demo.theirs"),
        (f"{OURS} <none> <none> theirs u1 cluster-forge", "the Kustomization theirs"),
        (f"{OURS} <none> <none> demo.theirs u1 cluster-forge", "the Kustomization demo.theirs"),
        (f"{OURS} <none> web <none> u1 cluster-forge,helm", "the Helm release web"),
        ("<none> <none> <none> <none> u1 kubectl", "others: no field of it is managed by cluster-forge any more"),
    ],
)
def test_what_others_took_over_is_left_with_a_word(deploy: Callable[..., Run], member: str, owner: str) -> None:
    run = pruning(deploy, f"{member}\n", appliers="other demo.theirs\n<none> theirs\ndemo demo.ours\n")
    assert run.code == 0, run.err
    assert f"leaving ConfigMap/gone, which has left the stack: it belongs to {owner}\n" in run.out
    assert pruned(run) == []


@pytest.mark.parametrize(("kinds", "is_left"), [("Widget", True), ("Pod", False)])
def test_what_owns_a_volume_is_left_and_stays_claimed(
    deploy: Callable[..., Run], tmp_path: Path, kinds: str, *, is_left: bool
) -> None:
    volumes = f"shop data-0 {kinds} u0,u1\nshop other Widget u2\nshop free <none> <none>\n"
    run = pruning(deploy, f"{OURS} <none> <none> <none> u1 cluster-forge\n", volumes=volumes)
    assert run.code == 0, run.err
    said = "leaving Widget.example.com/old, which has left the stack: it owns PersistentVolumeClaim/shop/data-0, which would"
    assert (said in run.out) is is_left
    assert (pruned(run) == []) is is_left
    lines = json.loads((tmp_path / "patch").read_text())["data"]["objects"].splitlines()
    assert ("Widget.example.com shop old leaves" in lines) is is_left


@pytest.mark.parametrize("delivery", [DIRECT, STACK], ids=["direct", "argocd"])
def test_a_stack_that_flux_delivers_is_delivered_by_nothing_else(deploy: Callable[..., Run], delivery: Stack) -> None:
    run = deploy(delivery, flux="flux-system demo.shop\n")
    assert (run.code, run.changes) == (3, [])
    assert (
        "Flux delivers the stack demo here, and is still at work:\n  Kustomization/flux-system/demo.shop\n" in run.err
    )


def test_what_is_to_be_pruned_is_claimed_until_then(deploy: Callable[..., Run], tmp_path: Path) -> None:
    run = pruning(deploy, f"{OURS} <none> <none> <none> u1 cluster-forge\n", fails="delete widget")
    assert run.code == 1
    assert "cannot delete Widget.example.com/old" in run.err
    lines = json.loads((tmp_path / "patch").read_text())["data"]["objects"].splitlines()
    assert {"ConfigMap shop gone leaves", "Widget.example.com shop old leaves"} < set(lines)


def test_argo_cd_prunes_what_it_delivers(deploy: Callable[..., Run]) -> None:
    run = deploy(STACK, claims="demo claim-demo\n", claimed=GONE, claim="configmap/claim-demo\n")
    assert run.code == 0, run.err
    assert not [line for line in pruned(run) if "gone" in line]


def test_the_deployment_is_kept_as_a_release(deploy: Callable[..., Run], tmp_path: Path) -> None:
    run = deploy(DIRECT, numbers="3\n12\n4\n")
    assert run.code == 0, run.err
    kept = release.read(json.loads((tmp_path / "released").read_text()))
    assert (kept.number, kept.version, kept.tool, kept.result) == (13, "v-1", "deploy.sh", release.Result.RUNNING)
    body = json.loads((tmp_path / "released").read_text())
    assert (body["metadata"]["name"], body["type"]) == ("release.demo.13", release.RECORD_TYPE)
    ended = json.loads(json.loads((tmp_path / "patched").read_text())["stringData"]["release"])
    assert ended["result"] == "deployed"
    assert ended["ended"] >= ended["began"] == kept.began


def test_a_release_that_cannot_be_kept_is_said_and_stops_nothing(deploy: Callable[..., Run]) -> None:
    run = deploy(DIRECT, fails="create -f", claim="configmap/claim-demo\n")
    assert run.code == 0, run.err
    assert "cannot keep this deployment as a release: Error from server (Forbidden)" in run.err


def test_a_deployment_at_work_is_not_disturbed(deploy: Callable[..., Run]) -> None:
    run = deploy(DIRECT, lease="host/1/0 since 2026-01-01T00:00:00Z|")
    assert (run.code, run.changes) == (3, [])
    assert "host/1/0 since 2026-01-01T00:00:00Z has the lease of the stack: ended if" in run.out
    assert "the stack demo is being deployed by host/1/0 since 2026-01-01T00:00:00Z" in run.err


CRD_THERE = "CustomResourceDefinition   apiextensions.k8s.io/v1   <none>   widgets.example.com   <none>   <none>   {stored}   <none>   cluster-forge\n"


@pytest.mark.parametrize(("stored", "is_refused"), [("v1", False), ("v1alpha1", True), ("v1,v1alpha1", True)])
def test_a_crd_that_loses_the_version_of_its_objects_is_refused_before_the_first_change(
    deploy: Callable[..., Run], stored: str, *, is_refused: bool
) -> None:
    run = deploy(DIRECT, live=CRD_THERE.format(stored=stored))
    assert ("  CustomResourceDefinition/widgets.example.com: v1alpha1\nnothing was changed" in run.err) is is_refused
    assert (run.code == 3) is is_refused
    assert not is_refused or not run.changes
