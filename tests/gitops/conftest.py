"""Small parts, bodies and stacks to deliver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.gitops.deploying import Run, deploy

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part, PartObject

MakeBody = Callable[..., dict[str, Any]]
MakePart = Callable[..., Part]


def body(api_version: str, kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    """An object; ``labels`` and ``annotations`` go into its metadata."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata |= {key: more.pop(key) for key in ("labels", "annotations") if key in more}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def part(name: str, bodies: Sequence[dict[str, Any]], *, wave: int = 0, namespace: str = "") -> Part:
    manifests = [Manifest.of(content, Provenance(component=ComponentName(name), origin="test")) for content in bodies]
    objects = [PartObject.of(manifest, f"{name}/{manifest.id.file_name}") for manifest in manifests]
    return Part(name=ComponentName(name), namespace=namespace or name, wave=wave, objects=tuple(objects))


def crd(name: str, **spec: Any) -> dict[str, Any]:
    return body("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, spec=spec)


def crd_of(group: str, kind: str, version: str = "v1alpha1", plural: str = "", **more: Any) -> dict[str, Any]:
    """A CRD that serves one kind in one version; ``more`` are fields of the version."""
    plural = plural or f"{kind.lower()}s"
    versions = [{"name": version, "served": True, "storage": True, **more}]
    names = {"kind": kind, "plural": plural}
    return crd(f"{plural}.{group}", group=group, names=names, scope="Namespaced", versions=versions)


def workload(
    kind: str, name: str, namespace: str, component: str = "", image: str = "example.com/app:1"
) -> dict[str, Any]:
    labels = {"labels": {"app.kubernetes.io/component": component}} if component else {}
    pod = {"containers": [{"name": "app", "image": image}]}
    return body("apps/v1", kind, name, namespace, **labels, spec={"template": {"spec": pod}})


def argocd_bodies(namespace: str = "argocd") -> list[dict[str, Any]]:
    server, dex = ({"app.kubernetes.io/component": name} for name in ("server", "dex-server"))
    bind = {"kind": "ServiceAccount", "name": "argocd-server", "namespace": namespace}
    hook = {"helm.sh/hook": "pre-install,pre-upgrade"}
    return [
        crd("applications.argoproj.io"),
        workload("StatefulSet", "controller", namespace, "application-controller", "example.com/argocd:v3.4.4"),
        workload("Deployment", "repo-server", namespace, "repo-server", "example.com/argocd:v3.4.4"),
        workload("Deployment", "argocd-server", namespace, "server"),
        workload("Deployment", "dex", namespace, "dex-server"),
        body("v1", "Service", "argocd-server", namespace, labels=server),
        body("v1", "ServiceAccount", "argocd-server", namespace, labels=server),
        body("v1", "ServiceAccount", "dex", namespace, labels=dex),
        body("v1", "ConfigMap", "argocd-cm", namespace, labels=server, data={}),
        body("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "server-binding", subjects=[bind]),
        body("rbac.authorization.k8s.io/v1", "RoleBinding", "others", namespace, subjects=[{"name": "controller"}]),
        body("monitoring.coreos.com/v1", "ServiceMonitor", "controller", namespace),
        body("batch/v1", "Job", "secret-init", namespace, annotations=hook, spec={}),
    ]


@pytest.fixture
def run(tmp_path: Path, parts: tuple[Part, ...]) -> Callable[..., Run]:
    """`deploying.deploy` for the stack of `parts`, or for other ``parts``."""

    def go(delivery: Delivery, *arguments: str, **more: Any) -> Run:
        return deploy(tmp_path, more.pop("parts", parts), delivery, *arguments, **more)

    return go


@pytest.fixture
def make_body() -> MakeBody:
    return body


@pytest.fixture
def make_part() -> MakePart:
    return part


@pytest.fixture
def argo() -> Part:
    return part("argo-cd", argocd_bodies(), wave=-110, namespace="argocd")


@pytest.fixture
def parts(argo: Part) -> tuple[Part, ...]:
    """Argo CD, CRDs, and a shop whose custom resource and hooks need an order."""
    hooked = {"helm.sh/hook": "pre-install", "helm.sh/hook-weight": "-5"}
    versions = [{"name": "v1", "served": True}]
    widgets = crd("widgets.example.com", group="example.com", names={"kind": "Widget"}, versions=versions)
    definitions = part("definitions", [widgets, body("v1", "Namespace", "shop")], wave=-100)
    shop = part(
        "shop",
        [
            workload("Deployment", "web", "shop"),
            body("batch/v1", "Job", "plain", "shop", spec={}),
            body("v1", "ServiceAccount", "migrator", "shop", annotations=hooked),
            body(
                "batch/v1", "Job", "migrate", "shop", annotations={"helm.sh/hook": "pre-install,pre-upgrade"}, spec={}
            ),
            body("batch/v1", "Job", "notify", "shop", annotations={"helm.sh/hook": "post-install"}, spec={}),
            body("example.com/v1", "Widget", "w", "shop", spec={"size": 1}),
            body("apiregistration.k8s.io/v1", "APIService", "v1.metrics.example.com", spec={}),
        ],
        wave=10,
    )
    return (shop, argo, definitions)
