"""Stacks of workloads on nodes, for the tests of whether they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Node, Size, Stack, Target

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


def container(cpu: str | None = "1", memory: str | None = "1Gi", **more: Any) -> dict[str, Any]:
    """A container that requests something; ``more`` are other resources (``gpu``: one of amd.com) or fields."""
    gpu = more.pop("gpu", None)
    requests = {"cpu": cpu, "memory": memory, "amd.com/gpu": gpu}
    return {
        "name": "main",
        "image": "registry.example.com/main:1",
        "resources": {"requests": {name: value for name, value in requests.items() if value is not None}},
        **more,
    }


def pod(*containers: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    return {"containers": list(containers or (container(),)), **spec}


def workload(
    name: str, replicas: int | None, spec: Mapping[str, Any], kind: str = "Deployment", **more: Any
) -> Manifest:
    """A workload whose Pods have the label ``app: NAME``."""
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    return manifest(
        "apps/v1",
        kind,
        name,
        {**({} if replicas is None else {"replicas": replicas}), "template": template, **more},
    )


def manifest(api: str, kind: str, name: str, spec: Mapping[str, Any] | None = None, **more: Any) -> Manifest:
    namespace = more.pop("namespace", "shop")
    body: dict[str, Any] = {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})},
        **({"spec": spec} if spec is not None else {}),
        **more,
    }
    return Manifest.of(body, Provenance(component=ComponentName("shop"), origin="templates/shop.yaml:1"))


def apart(name: str, key: str = HOSTNAME) -> dict[str, Any]:
    """A required anti-affinity of the Pods of a workload."""
    return {"podAntiAffinity": {REQUIRED: [{"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": key}]}}


def near(name: str, key: str = HOSTNAME) -> dict[str, Any]:
    """A required affinity to the Pods of a workload."""
    return {"podAffinity": {REQUIRED: [{"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": key}]}}


def spread(name: str, key: str = HOSTNAME, skew: int = 1, **more: Any) -> list[dict[str, Any]]:
    selector = {"matchLabels": {"app": name}}
    return [
        {"labelSelector": selector, "topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": "DoNotSchedule", **more}
    ]


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def nodes(count: int = 3, cpu: str = "4", memory: str = "8Gi", **more: Any) -> Node:
    return Node(count=count, cpu=cpu, memory=memory, where="input/config.yaml:5", **more)


def checked(on: Sequence[Node], *manifests: Manifest, size: Size = Size.SMALL) -> CheckedStack:
    return CheckedStack(Stack(name="shop", target=Target(nodes=tuple(on), size=size)), manifests, waves={})
