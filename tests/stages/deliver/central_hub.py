"""The cluster of a central Argo CD: a fake one, with a controller that makes what an ApplicationSet asks for."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from tests.fake_cluster import FakeCluster
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, part, workload
from tests.stages.deliver import deliveries
from tests.stages.deliver.argocd_kinds import KINDS
from tests.stages.deliver.deliveries import Delivery, settings, web

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import cluster_folder, sync_files
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Patch, Query
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack
from cluster_forge.stages.deliver import central, central_rollback
from cluster_forge.stages.deliver.argocd import central_stacks
from cluster_forge.stages.deliver.argocd.central import CentralCluster, CentralRequest
from cluster_forge.stages.deliver.argocd.central_removal import CentralRemoval
from cluster_forge.stages.deliver.argocd.central_stacks import CentralStack
from cluster_forge.stages.deliver.central_rollback import CentralRollback, CentralRollbackRequest
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.results import State

SHOP = part("shop", [web(), settings()])
EXTRAS = part("extras", [body("v1", "Secret", "extras", "shop")], wave=1)
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
    """The stack, in the version that its files make."""
    return deliveries.cast(stack, parts, sync_files.of(stack, parts)[1])


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
    """Makes the roots of an ApplicationSet, and deletes those of clusters that left it; a root that is compared brings the
    Applications of its folder in Git.

    ``ill`` are the clusters whose Applications do not get healthy; ``stands_still``: no root is made or deleted.
    """

    folders: dict[str, list[Body]] = field(default_factory=dict)
    ill: set[str] = field(default_factory=set)
    stands_still: bool = False
    moved: list[str] = field(default_factory=list)
    """The clusters in the order in which their pins came, with their revisions."""

    def __call__(self, cluster: FakeCluster, changed: Body) -> None:
        if changed["metadata"].get("deletionTimestamp"):
            if changed["kind"] == "Application" and changed["metadata"].get("finalizers"):
                self._end(cluster, changed)
        elif changed["kind"] == "ApplicationSet":
            self._generate(cluster, changed)
        elif changed["kind"] == "Application":
            self._compare(cluster, changed)
        else:
            becomes_ready(cluster, changed)

    def _end(self, cluster: FakeCluster, application: Body) -> None:
        """The objects of the Application are gone."""
        ended = {"metadata": {"finalizers": None}}
        cluster.patch(ObjectId.of(application), ended, Patch.MERGE, manager="argocd-application-controller")

    def push(self, deployment: Deployment, stack: Stack, parts: Sequence[Part], names: Sequence[str]) -> None:
        tree = FileTree(dict(sync_files.of(stack, parts)[0]))
        for name in names:
            place = cluster_folder.of(deployment.plan, name, yaml.safe_load, is_central=True)
            files = cluster_folder.files(tree, place, yaml.safe_load)
            self.folders[place.tag] = [yaml.safe_load(files[path]) for path in files]

    def _generate(self, cluster: FakeCluster, changed: Body) -> None:
        if self.stands_still:
            return
        elements = changed["spec"]["generators"][0]["list"]["elements"]
        for left in cluster.list(Query(group="argoproj.io", kind="Application", namespace="argocd")).items:
            name = left["metadata"]["name"]
            if name.endswith(".argo-apps") and name not in [element["name"] for element in elements]:
                cluster.delete(ObjectId.of(left))
        for element in elements:
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
            "resources": [
                {"kind": "Namespace", "name": "shop"},
                {"kind": "ConfigMap", "namespace": "shop", "name": "a"},
            ],
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
                states[one.name] = rollout.deliver(one.name, self.delivery.reporter).components[0].state
        return states

    @property
    def stack(self) -> CentralStack:
        """What Argo CD has of the stack."""
        (found,) = central_stacks.of(self.delivery.cluster)
        return found

    def go_back(self, cluster: str, to: int | None = None, *, is_forced: bool = False) -> tuple[int, State]:
        """Take a cluster back; the release that it went to, and the state of its first component."""
        planned = self.planned(cluster, to, is_forced=is_forced)
        raise_all(planned.obstacles)
        with central.opened(planned.rollout, self.delivery.tools) as rollout:
            return planned.release.number, rollout.deliver(cluster, self.delivery.reporter).components[0].state

    def planned(self, cluster: str, to: int | None = None, *, is_forced: bool = False) -> CentralRollback:
        """What taking a cluster back would do."""
        options = DeployOptions(timeout=20)
        asked = CentralRollbackRequest(
            stack=self.stack, cluster=cluster, to=to, options=options, run="host/1/2", is_forced=is_forced
        )
        return central_rollback.planned(asked, self.delivery.tools)

    def removal(self, cluster: str) -> CentralRemoval:
        return CentralRemoval(self.stack, cluster, 5, self.delivery.tools)

    def releases(self, cluster: str) -> list[tuple[int, str, str]]:
        """Number, result and cause of each release of a cluster."""
        kept = releases.listed(self.delivery.cluster, "demo", cluster)
        return [(one.number, one.result.value, one.cause) for one in kept]

    @property
    def applications(self) -> list[str]:
        listed = self.delivery.cluster.list(Query(group="argoproj.io", kind="Application", namespace="argocd"))
        return [body["metadata"]["name"] for body in listed.items]

    @property
    def pins(self) -> dict[str, str]:
        found = self.delivery.there("ApplicationSet", "demo.clusters", "argocd", "argoproj.io")
        return {one["cluster"]: one["revision"] for one in found["spec"]["generators"][0]["list"]["elements"]}

    @property
    def kinds(self) -> set[str]:
        """What the project permits."""
        project = self.delivery.there("AppProject", "demo.project", "argocd", "argoproj.io")
        return {entry["kind"] for entry in project["spec"]["namespaceResourceWhitelist"]}


def made() -> Hub:
    """A hub whose Argo CD knows the clusters staging and eu."""
    argocd = ArgoCd()
    hub = Hub(argocd, Delivery(FakeCluster(on_change=argocd)))
    namespace = body("v1", "Namespace", "argocd")
    hub.delivery.cluster.put(*KINDS, namespace, SERVER, known("staging"), known("eu"), manager="somebody")
    return hub


def clusters(hub: Hub, *parts: Part, names: Mapping[str, int] = {"staging": 1, "eu": 2}) -> tuple[CentralCluster, ...]:
    described = stack()
    deployment = cast(described, parts)
    hub.argocd.push(deployment, described, parts, list(names))
    return tuple(
        CentralCluster(name=name, deployment=deployment, parts=parts, step=step) for name, step in names.items()
    )
