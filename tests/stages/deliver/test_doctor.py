"""What is missing on a machine or in a cluster, with the remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, hiding
from tests.gitops import conftest
from tests.gitops.conftest import body
from tests.plugin_packages import install
from tests.stages.deliver.argocd_kinds import KINDS
from tests.stages.deliver.preflight.situations import namespace, node, planned, tools, workload

from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins
from cluster_forge.foundation.errors import ClusterError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.machine import Folder
from cluster_forge.stack.component import Component, HelmSource, KustomizeSource
from cluster_forge.stack.model import GitOps, RepositorySource, Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.deliver import doctor
from cluster_forge.stages.deliver.diagnosis import cluster_checks
from cluster_forge.stages.deliver.diagnosis.examination import Examined, State
from cluster_forge.stages.deliver.doctor import Diagnosis, DoctorRequest
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.tools import DeliverTools

NAME = ComponentName("shop")


class FakeMachine:
    """`ports.machine.Machine` with these programs."""

    def __init__(self, *programs: str, free: int = 1 << 40, is_writable: bool = True, has_engine: bool = True) -> None:
        self.programs = programs
        self.free = free
        self.is_writable = is_writable
        self.has_engine = has_engine

    def version(self, program: str, *arguments: str) -> str | None:
        return f"{program} 1.0" if program in self.programs else None

    def has_module(self, name: str) -> bool:
        return self.has_engine

    def python(self) -> str:
        return "3.11.7"

    def folder(self, path: str) -> Folder:
        return Folder(path=path, is_writable=self.is_writable, free=self.free)


class FakeClock:
    def __init__(self, time: float = 1767225600.0) -> None:
        self._time = time

    def time(self) -> float:
        return self._time


def examined(machine: FakeMachine, tools: DeliverTools | None = None, **request: Any) -> Diagnosis:
    return doctor.doctor(DoctorRequest(folders=("/ws",), **request), machine, InstalledPlugins(path=()), tools)


def named(things: tuple[Examined, ...], name: str) -> Examined:
    (thing,) = [thing for thing in things if thing.name == name]
    return thing


def stack(component: Component, gitops: GitOps | None = None) -> Stack:
    return Stack(name="demo", components=(component,), gitops=gitops or GitOps())


PLAIN = Component(name=NAME)
KUSTOMIZED = Component(name=NAME, kustomize=KustomizeSource(path="overlay"))


def chart(address: str) -> Component:
    return Component(name=NAME, helm=HelmSource(repository=address, chart="x", version="1", release="x"))


@pytest.mark.parametrize(
    ("described", "programs", "missing"),
    [
        (stack(PLAIN), (), []),
        (stack(KUSTOMIZED), (), ["kustomize"]),
        (stack(KUSTOMIZED), ("kubectl",), []),
        (stack(chart("git+https://git.example.com/x")), (), ["git"]),
        (stack(chart("git+ssh://git@git.example.com/x")), ("git",), ["ssh"]),
        (stack(PLAIN, GitOps(source=RepositorySource.EXTERNAL, url="https://git.example.com/x")), (), ["git"]),
    ],
)
def test_what_is_needed_follows_from_the_stack(described: Stack, programs: tuple[str, ...], missing: list[str]) -> None:
    diagnosis = examined(FakeMachine(*programs), stack=described)
    assert [thing.name for thing in diagnosis.machine if thing.state is State.MISSING] == missing
    assert diagnosis.is_good is not bool(missing)
    assert all(thing.fix for thing in diagnosis.machine if thing.state is not State.GOOD)


def test_the_plugins_that_the_stack_names_must_be_installed(tmp_path: Path) -> None:
    points = "[cluster_forge.transformers]\nlabels = some:It\n[cluster_forge.sources]\ns3 = some:It\n"
    install(tmp_path, "some-package", points, some="")
    described = replace(
        stack(replace(chart("s3://bucket/charts"), manifests=("gs://bucket/a.yaml",))),
        transformers=(PluginUse(name="labels"), PluginUse(name="label"), PluginUse(name="fn", program="input/fn.sh")),
        checks=(PluginUse(name="labels"),),
    )
    request = DoctorRequest(stack=described)
    diagnosis = doctor.doctor(request, FakeMachine(), InstalledPlugins(path=(str(tmp_path),)), None)
    states = {
        thing.name: thing.state
        for thing in diagnosis.machine
        if thing.name.split()[0] in ("check", "source", "transformer")
    }
    assert states == {
        "check labels": State.MISSING,
        "source gs": State.MISSING,
        "source s3": State.GOOD,
        "transformer label": State.MISSING,
        "transformer labels": State.GOOD,
    }
    assert named(diagnosis.machine, "transformer labels").detail == "some-package 1.0"
    assert "did you mean 'labels'" in named(diagnosis.machine, "transformer label").detail


def test_a_folder_that_cannot_be_written_is_missing_and_a_full_disk_is_a_warning() -> None:
    assert named(examined(FakeMachine(is_writable=False)).machine, "folder").state is State.MISSING
    full = named(examined(FakeMachine(free=100 << 20)).machine, "folder")
    assert (full.state, full.detail) == (State.DOUBTFUL, "/ws has 100 MiB left on its disk")


@pytest.mark.parametrize(("programs", "state"), [((), State.MISSING), (("helm",), State.ABSENT)])
def test_without_the_engine_the_program_helm_is_needed(programs: tuple[str, ...], state: State) -> None:
    assert named(examined(FakeMachine(*programs, has_engine=False)).machine, "helm engine").state is state


def at(cluster: FakeCluster, clock: FakeClock | None = None) -> DeliverTools:
    return replace(tools(cluster), clock=clock or FakeClock())  # type: ignore[arg-type]


def healthy() -> FakeCluster:
    cluster = FakeCluster()
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    cluster.put(node("a"), body("storage.k8s.io/v1", "StorageClass", "fast", annotations=default, provisioner="x"))
    return cluster


def test_a_healthy_cluster_lacks_nothing() -> None:
    diagnosis = examined(FakeMachine(), at(healthy()))
    assert diagnosis.is_good
    assert named(diagnosis.cluster, "StorageClass").detail == "fast is the default one"
    assert named(diagnosis.cluster, "nodes").detail == "1 of 1 node take Pods"


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_the_controller_of_argo_cd_is_found_as_both_kinds(kind: str) -> None:
    """With the dynamic distribution of clusters it is a Deployment."""
    cluster = healthy()
    controller = conftest.workload(kind, "application-controller", "argocd", image="example.com/argocd:v3.0.0")
    labels = {"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": "application-controller"}
    controller["metadata"]["labels"] = labels
    cluster.put(*KINDS, namespace("argocd"), controller)
    found = named(examined(FakeMachine(), at(cluster)).cluster, "Argo CD")
    assert (found.state, found.detail) == (State.GOOD, "in namespace argocd: example.com/argocd:v3.0.0")


def test_nothing_is_changed() -> None:
    cluster = healthy()
    before = cluster.objects()
    examined(FakeMachine(), at(cluster), plan=planned(workload("Deployment", "web")))
    assert cluster.objects() == before


def test_a_server_that_does_not_answer_is_all_that_is_said() -> None:
    cluster = healthy()

    def about() -> None:
        raise ClusterError("cannot be reached", where="https://127.0.0.1:1", fix="start it")

    cluster.about = about  # type: ignore[assignment,method-assign]
    diagnosis = examined(FakeMachine(), at(cluster), plan=planned(workload("Deployment", "web")))
    assert [(thing.name, thing.state) for thing in diagnosis.cluster] == [("API server", State.MISSING)]


def test_what_is_wrong_with_a_cluster_comes_with_the_remedy() -> None:
    cluster = FakeCluster()
    cluster.stale = frozenset({"metrics.k8s.io"})
    cluster.denied.add(("create", "Secret", "*"))
    cluster.put(node("a", unschedulable=True))
    diagnosis = examined(FakeMachine(), at(cluster, FakeClock(1767225600.0 + 90)))
    states = {thing.name: thing.state for thing in diagnosis.cluster}
    assert states["nodes"] is State.MISSING
    assert states["permissions"] is states["APIs"] is states["StorageClass"] is states["clock"] is State.DOUBTFUL
    assert named(diagnosis.cluster, "clock").detail == "this machine is 90 s ahead of the cluster"
    assert all(thing.fix for thing in diagnosis.cluster if thing.state in (State.DOUBTFUL, State.MISSING))


def test_a_version_that_is_too_old_is_named() -> None:
    server = named(examined(FakeMachine(), at(FakeCluster(minor=24))).cluster, "API server")
    assert (server.state, server.detail) == (State.MISSING, "v1.24.0 (supported: at least 1.25)")


def test_what_the_user_may_not_see_is_a_warning() -> None:
    cluster = healthy()
    cluster.before = hiding("Node")
    diagnosis = examined(FakeMachine(), at(cluster))
    assert named(diagnosis.cluster, "nodes").detail == "cannot be seen: nodes is forbidden"
    assert diagnosis.is_good


def test_a_stack_is_checked_as_before_its_deployment() -> None:
    cluster = healthy()
    plan = planned(workload("Deployment", "web"))
    assert named(examined(FakeMachine(), at(cluster), plan=plan).cluster, "stack").state is State.GOOD
    cluster.put(namespace("shop"), workload("Deployment", "web"), manager="kubectl-edit")
    foreign = named(examined(FakeMachine(), at(cluster), plan=plan).cluster, "foreign-object")
    assert (foreign.state, foreign.where) == (State.MISSING, "Deployment.apps/shop/web")
    assert "or deploy with --adopt" in foreign.fix


def test_an_option_is_not_part_of_commands_that_are_copied() -> None:
    problem = Problem(
        code="missing-secret", message="m", fix="make it:\nkubectl create x", option="--allow-missing-secrets"
    )
    examined_fix = cluster_checks.of_problem(problem).fix
    assert examined_fix == "make it:\nkubectl create x\nor deploy with --allow-missing-secrets"
    assert problem.error().fix == "make it:\nkubectl create x\nor pass --allow-missing-secrets"
    assert cluster_checks.of_problem(replace(problem, fix="")).fix == "deploy with --allow-missing-secrets"
