"""Situations for the checks: a fake cluster, and a small stack as it is deployed to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fake_cluster import FakeCluster
from tests.gitops.conftest import argocd_bodies, body, part
from tests.stages.deliver.preflight.quiet import Quiet

from cluster_forge.adapters.clock import SystemClock
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import planning
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.part import Part
from cluster_forge.stack.component import Component, ExpectedSecret
from cluster_forge.stack.model import GitOps, GitOpsEngine, RepositorySource, Stack
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.registry import Check
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.tools import DeliverTools

DIRECT = GitOps(engine=GitOpsEngine.NONE)
EXISTING = GitOps(install=False)
FLUX = GitOps(
    engine=GitOpsEngine.FLUX, install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/demo.git"
)


def tools(cluster: FakeCluster) -> DeliverTools:
    workers = ThreadWorkers(2)
    return DeliverTools(
        cluster=cluster,
        files=Quiet(),
        reader=PurePythonYaml(),
        clock=SystemClock(),
        workers=workers,
        waiters=workers,
        reporter=Quiet(),
    )


def planned(
    *bodies: Mapping[str, Any],
    gitops: GitOps = DIRECT,
    secrets: Sequence[ExpectedSecret] = (),
    more: Sequence[Part] = (),
    **stack: Any,
) -> DeployPlan:
    """The plan of a stack ``demo`` with one component ``shop`` of these objects."""
    shop = part("shop", [dict(each) for each in bodies])
    component = Component(name=shop.name, namespace="shop", secrets=tuple(secrets))
    described = Stack(name="demo", gitops=gitops, components=(component,), **stack)
    return planning.of(described, (shop, *more), FileTree({"HEAD": b"x"}), "c" * 40, "v-1")


def installing(*bodies: Mapping[str, Any]) -> DeployPlan:
    """The plan of a stack that brings its Argo CD."""
    argo = part("argo-cd", argocd_bodies(), wave=-110, namespace="argocd")
    return planned(*bodies, gitops=GitOps(), more=(argo,))


def situation(
    cluster: FakeCluster, of: DeployPlan | None = None, parts: Sequence[Part] = (), **options: Any
) -> Situation:
    return Situation(plan=of or planned(), tools=tools(cluster), options=DeployOptions(**options), parts=parts)


def found(check: Check, cluster: FakeCluster, of: DeployPlan | None = None, **options: Any) -> list[Problem]:
    return list(check.problems(situation(cluster, of, **options)))


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return body("v1", "Namespace", name, labels=labels)


def pod_spec(**container: Any) -> dict[str, Any]:
    return {"containers": [{"name": "app", "image": "example.com/app:1", **container}]}


def workload(kind: str, name: str, spec: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A workload in the namespace ``shop`` whose Pods have the label ``app``."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec or pod_spec()}
    return body("apps/v1", kind, name, "shop", spec={"selector": {"matchLabels": labels}, "template": template, **more})


def node(name: str, cpu: str = "4", memory: str = "8Gi", **spec: Any) -> dict[str, Any]:
    status = {
        "allocatable": {"cpu": cpu, "memory": memory, "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return body("v1", "Node", name, spec=spec, status=status)


def running(name: str, spec: Mapping[str, Any], on: str, where: str = "default", **labels: str) -> dict[str, Any]:
    """A Pod on a node."""
    status = {"phase": "Running"}
    return body("v1", "Pod", name, where, labels=labels, spec={**spec, "nodeName": on}, status=status)
