"""A rollout through a central Argo CD: a fake cluster, with a controller that makes what an ApplicationSet asks for."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
import yaml
from tests.fake_cluster import FakeCluster
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, crd, part, workload
from tests.stages.deliver.deliveries import Delivery, settings, web

from cluster_forge.foundation.errors import DeploymentError, DescriptionError, PreflightError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import bootstrap, cluster_folder, plan, sync_files
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack
from cluster_forge.stages.deliver import central
from cluster_forge.stages.deliver import deployment as deployments
from cluster_forge.stages.deliver.argocd.central import CentralCluster, CentralRequest
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.results import State

SHOP = part("shop", [web(), settings()])
EXTRAS = part("extras", [body("v1", "Secret", "extras", "shop")], wave=1)
KINDS = [
    crd(
        f"{plural}.argoproj.io",
        group="argoproj.io",
        names={"kind": kind, "plural": plural},
        scope="Namespaced",
        versions=[{"name": "v1alpha1", "served": True, "storage": True}],
    )
    for kind, plural in (
        ("Application", "applications"),
        ("AppProject", "appprojects"),
        ("ApplicationSet", "applicationsets"),
    )
]
LABELS = {"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": "repo-server"}
SERVER = workload("Deployment", "repo-server", "argocd", image="example.com/argocd:v3.0.0")
SERVER["metadata"]["labels"] = LABELS


def stack(environment: str = "", **more: Any) -> Stack:
    gitops = GitOps(
        engine=GitOpsEngine.ARGOCD,
        install=False,
        source=RepositorySource.EXTERNAL,
        **{"url": "https://git.example.com/p.git"} | more,
    )
    return Stack(name="demo", gitops=gitops, environment=environment)


def cast(stack: Stack, parts: Sequence[Part]) -> Deployment:
    version = sync_files.of(stack, parts)[1]
    planned = plan.of(stack, parts, FileTree({"HEAD": b"x"}), "c" * 40, version)
    about = {"version": version, "image": {"digest": "sha256:" + "a" * 64}}
    files = join(bootstrap.tree(planned), FileTree({"stack.json": orjson.dumps(about)}))
    return deployments.of(files, ".".join(filter(None, ("stacks/demo", stack.environment))))


def known(name: str) -> Body:
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    data = {"name": base64.b64encode(name.encode()).decode(), "config": base64.b64encode(b"a password").decode()}
    return body("v1", "Secret", f"cluster-{name}", "argocd", labels=labels, data=data)


def rendered(template: Body, element: Mapping[str, str]) -> dict[str, Any]:
    text = re.sub(r"\{\{\.(\w+)\}\}", lambda match: element[match[1]], yaml.safe_dump(template))
    made: dict[str, Any] = yaml.safe_load(text)
    return made


@dataclass
class ArgoCd:
    """Makes the roots of an ApplicationSet; a root that is compared brings the Applications of its folder in Git.

    ``ill`` are the clusters whose Applications do not get healthy; ``stands_still``: no root is made.
    """

    folders: dict[str, list[Body]] = field(default_factory=dict)
    ill: set[str] = field(default_factory=set)
    stands_still: bool = False
    moved: list[str] = field(default_factory=list)
    """The clusters in the order in which their pins came, with their revisions."""

    def __call__(self, cluster: FakeCluster, changed: Body) -> None:
        if changed["kind"] == "ApplicationSet":
            self._generate(cluster, changed)
        elif changed["kind"] == "Application":
            self._compare(cluster, changed)
        else:
            becomes_ready(cluster, changed)

    def push(self, deployment: Deployment, stack: Stack, parts: Sequence[Part], names: Sequence[str]) -> None:
        tree = FileTree(dict(sync_files.of(stack, parts)[0]))
        for name in names:
            place = cluster_folder.of(deployment.plan, name, yaml.safe_load, is_central=True)
            files = cluster_folder.files(tree, place, yaml.safe_load)
            self.folders[place.tag] = [yaml.safe_load(files[path]) for path in files]

    def _generate(self, cluster: FakeCluster, changed: Body) -> None:
        if self.stands_still:
            return
        for element in changed["spec"]["generators"][0]["list"]["elements"]:
            made = rendered(changed["spec"]["template"], element)
            made["metadata"]["namespace"] = changed["metadata"]["namespace"]
            root = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **made}
            there = cluster.get(ObjectId.of(root)) or {}
            if there.get("spec") != root["spec"]:
                self.moved.append(element["revision"])
                cluster.put(root)

    def _compare(self, cluster: FakeCluster, changed: Body) -> None:
        if "argocd.argoproj.io/refresh" not in changed["metadata"].get("annotations", {}):
            return
        if changed["metadata"]["name"].endswith(".argo-apps"):
            for child in self.folders[changed["spec"]["source"]["targetRevision"]]:
                placed = {**child, "metadata": {**child["metadata"], "namespace": "argocd"}}
                cluster.put({**placed, "status": self._status(placed)})
        annotations = {"argocd.argoproj.io/compared": "true"}
        cluster.put(
            {
                **changed,
                "metadata": {**changed["metadata"], "annotations": annotations},
                "status": self._status(changed),
            }
        )

    def _status(self, application: Body) -> dict[str, Any]:
        is_ill = application["metadata"]["labels"]["cluster-forge/cluster"] in self.ill
        commit = "c" * 40
        return {
            "sync": {"status": "Synced", "revision": commit, "comparedTo": {"source": application["spec"]["source"]}},
            "health": {"status": "Degraded" if is_ill else "Healthy"},
            "operationState": {"phase": "Succeeded", "syncResult": {"revision": commit}},
        }


@dataclass
class Hub:
    """The cluster of the central Argo CD."""

    argocd: ArgoCd
    delivery: Delivery

    def check(self, *clusters: CentralCluster, **options: Any) -> tuple[Problem, ...]:
        return central.checked(self.request(*clusters, **options), self.delivery.tools)

    def request(self, *clusters: CentralCluster, described: str = "staging eu", **options: Any) -> CentralRequest:
        return CentralRequest(
            clusters=clusters,
            described=frozenset(described.split()),
            at_once=1,
            options=DeployOptions(**{"timeout": 20} | options),
            run="host/1/1",
        )

    def deploy(self, *clusters: CentralCluster, described: str = "staging eu", **options: Any) -> dict[str, State]:
        """Roll out, cluster after cluster; the state of each one's first component."""
        states = {}
        request = self.request(*clusters, described=described, **options)
        with central.opened(request, self.delivery.tools) as rollout:
            for one in clusters:
                states[one.name] = rollout.deliver(one.name, self.delivery.reporter)[0].state
        return states

    @property
    def pins(self) -> dict[str, str]:
        found = self.delivery.there("ApplicationSet", "demo.clusters", "argocd", "argoproj.io")
        return {one["cluster"]: one["revision"] for one in found["spec"]["generators"][0]["list"]["elements"]}

    @property
    def kinds(self) -> set[str]:
        """What the project permits."""
        project = self.delivery.there("AppProject", "demo.project", "argocd", "argoproj.io")
        return {entry["kind"] for entry in project["spec"]["namespaceResourceWhitelist"]}


@pytest.fixture
def hub() -> Hub:
    argocd = ArgoCd()
    made = Hub(argocd, Delivery(FakeCluster(on_change=argocd)))
    namespace = body("v1", "Namespace", "argocd")
    made.delivery.cluster.put(*KINDS, namespace, SERVER, known("staging"), known("eu"), manager="somebody")
    return made


def clusters(hub: Hub, *parts: Part, names: Mapping[str, int] = {"staging": 1, "eu": 2}) -> tuple[CentralCluster, ...]:
    described = stack()
    deployment = cast(described, parts)
    hub.argocd.push(deployment, described, parts, list(names))
    return tuple(
        CentralCluster(name=name, deployment=deployment, parts=parts, step=step) for name, step in names.items()
    )


def test_pins_move_one_after_the_other_and_the_project_ends_narrow(hub: Hub) -> None:
    both = clusters(hub, SHOP, EXTRAS)
    assert hub.check(*both)[0].code == "engine-setting"  # the health script: a warning
    assert hub.deploy(*both) == {"staging": State.READY, "eu": State.READY}
    assert hub.argocd.moved == [hub.pins["staging"], hub.pins["eu"]]
    assert "Secret" in hub.kinds
    without = clusters(hub, SHOP)
    with central.opened(hub.request(*without), hub.delivery.tools) as rollout:
        assert "Secret" in hub.kinds, "Argo CD prunes only what the project permits"
        for one in without:
            rollout.deliver(one.name, hub.delivery.reporter)
    assert "Secret" not in hub.kinds
    assert hub.deploy(*without) == {"staging": State.UNCHANGED, "eu": State.UNCHANGED}


def test_a_cluster_alone_leaves_the_others_where_they_are_and_the_project_wide(hub: Hub) -> None:
    hub.deploy(*clusters(hub, SHOP, EXTRAS))
    before = hub.pins
    staging, _ = clusters(hub, SHOP)
    hub.deploy(staging)
    assert hub.pins == before | {"staging": f"staging/{staging.deployment.plan.version}"} != before
    assert "Secret" in hub.kinds


def test_an_application_that_is_ill_fails_and_says_so(hub: Hub) -> None:
    hub.argocd.ill.add("staging")
    staging, _ = clusters(hub, SHOP)
    assert hub.deploy(staging) == {"staging": State.FAILED}
    assert list(hub.pins) == ["staging"]


def test_a_cluster_that_the_description_no_longer_has_is_no_longer_pinned(hub: Hub) -> None:
    both = clusters(hub, SHOP)
    hub.deploy(*both)
    hub.deploy(both[0], described="staging")
    assert list(hub.pins) == ["staging"]


def test_without_waiting_all_pins_move(hub: Hub) -> None:
    both = clusters(hub, SHOP)
    (problem,) = [one for one in hub.check(*both, waits=False) if "progressive" in one.message]
    assert not problem.is_error
    assert hub.deploy(*both, waits=False) == {"staging": State.APPLIED, "eu": State.APPLIED}
    assert list(hub.pins) == ["staging", "eu"]


def test_a_controller_that_does_nothing_is_named(hub: Hub) -> None:
    hub.argocd.stands_still = True
    staging, _ = clusters(hub, SHOP)
    with pytest.raises(DeploymentError, match="ApplicationSet controller has not moved"):
        hub.deploy(staging)


def test_what_argo_cd_lacks_is_said_before_the_first_change(hub: Hub) -> None:
    both = clusters(hub, SHOP, names={"staging": 1, "asia": 1})
    with pytest.raises(PreflightError) as refused:
        hub.check(*both, described="staging asia")
    error = refused.value
    assert "'asia'" in str(error)
    assert error.fix
    assert "it knows: eu, in-cluster, staging" in error.fix
    assert "password" not in str(error) + error.fix
    assert not [one for one in hub.delivery.cluster.requests if one.verb in ("apply", "create")]


def test_environments_with_other_repositories_are_refused(hub: Hub) -> None:
    staging, eu = clusters(hub, SHOP)
    other = cast(stack("production", url="https://git.example.com/other.git"), (SHOP,))
    with pytest.raises(DescriptionError, match="one repository"):
        hub.deploy(staging, replace(eu, deployment=other))
