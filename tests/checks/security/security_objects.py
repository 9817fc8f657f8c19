"""Small stacks for the checks of security."""

from __future__ import annotations

from typing import Any

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import KubernetesVersion, Stack, Target

RBAC = "rbac.authorization.k8s.io"


def manifest(api: str, kind: str, name: str = "web", namespace: str = "web", **more: Any) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, **more}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="templates/web.yaml"))


def workload(pod: Any = None, container: Any = None, *, namespace: str = "web", **template: Any) -> Manifest:
    """A Deployment of one container called web."""
    one = {"name": "web", "image": "example.com/web:1.0.0", **(container or {})}
    spec = {"containers": [one], **(pod or {})}
    return manifest("apps/v1", "Deployment", namespace=namespace, spec={"template": {"spec": spec, **template}})


def namespace(level: str = "", name: str = "web", **labels: str) -> Manifest:
    enforced = {"pod-security.kubernetes.io/enforce": level} if level else {}
    return manifest("v1", "Namespace", name, "", metadata={"labels": {**enforced, **labels}})


def stack(*manifests: Manifest, minor: int = 33) -> CheckedStack:
    target = Target(kubernetes=KubernetesVersion(1, minor))
    return CheckedStack(Stack(name="shop", target=target), manifests, waves={})
