"""Settings of the stack's own Argo CD that keep waves from gating, or a component from being read, are findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.argocd.component import HEALTH, HEALTH_KEY, LIMIT_KEY, LIMIT_VARIABLE
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack
from cluster_forge.stages.build.assembly import engine_settings

ARGO = ComponentName("argo-cd")
APPLICATIONS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "applications.argoproj.io"},
}


def part(name: str, wave: int, *bodies: dict[str, Any]) -> Part:
    component = ComponentName(name)
    place = Provenance(component=component, origin="")
    objects = [PartObject.of(Manifest.of(body, place), f"{name}/{number}.yaml") for number, body in enumerate(bodies)]
    return Part(name=component, namespace=name, wave=wave, objects=tuple(objects))


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "argo-cd"}, "data": data}


def repo_server(limit: str) -> dict[str, Any]:
    container = {"name": "repo-server", "env": [{"name": LIMIT_VARIABLE, "value": limit}]}
    spec = {"template": {"spec": {"containers": [container]}}}
    metadata = {"name": "argocd-repo-server", "namespace": "argo-cd"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def large(megabytes: float) -> Part:
    return part("shop", 10, config_map("shop", text="x" * int(megabytes * 1e6)))


def origins_of(parts: Sequence[Part]) -> dict[str, str]:
    return {item.path: f"chart/{item.path}:1" for one in parts for item in one.objects}


def found(parts: Sequence[Part], **gitops: Any) -> list[tuple[str, Severity]]:
    stack = Stack(name="shop", gitops=replace(GitOps(engine=GitOpsEngine.ARGOCD), **gitops))
    return [(finding.code, finding.severity) for finding in engine_settings.findings(stack, parts, origins_of(parts))]


@pytest.mark.parametrize(
    ("settings", "size", "expected"),
    [
        ([], 11, []),
        ([config_map("argocd-cm", **{HEALTH_KEY: HEALTH})], 0.1, []),
        (
            [config_map("argocd-cm", **{HEALTH_KEY: "return obj.status.health"})],
            0.1,
            [("unhealthy-gate", Severity.WARNING)],
        ),
        ([config_map("argocd-cmd-params-cm", **{LIMIT_KEY: "5M"})], 6, [("engine-limit", Severity.ERROR)]),
        ([config_map("argocd-cmd-params-cm", **{LIMIT_KEY: "7M"})], 6, []),
        ([config_map("argocd-cmd-params-cm", **{LIMIT_KEY: "0"})], 6, []),
        ([config_map("argocd-cmd-params-cm", **{LIMIT_KEY: "much"})], 6, []),
        (
            [repo_server("5M"), config_map("argocd-cmd-params-cm", **{LIMIT_KEY: "50M"})],
            6,
            [("engine-limit", Severity.ERROR)],
        ),
    ],
)
def test_the_settings_of_the_stacks_own_argo_cd(
    settings: list[dict[str, Any]], size: float, expected: list[tuple[str, Severity]]
) -> None:
    assert found([part("argo-cd", 0, APPLICATIONS, *settings), large(size)]) == expected


def test_a_setting_is_in_a_file_of_working() -> None:
    stack = Stack(name="shop", gitops=GitOps(engine=GitOpsEngine.ARGOCD))
    settings = config_map("argocd-cm", **{HEALTH_KEY: "return obj.status.health"})
    parts = [part("argo-cd", 0, APPLICATIONS, settings), large(0.1)]
    (finding,) = engine_settings.findings(stack, parts, origins_of(parts))
    assert finding.where == "chart/argo-cd/1.yaml:1"


def test_an_argo_cd_in_the_cluster_has_the_default_limit() -> None:
    assert found([large(11)], install=False) == [("engine-limit", Severity.WARNING)]
    assert found([large(9)], install=False) == []


def test_other_engines_have_other_settings() -> None:
    assert found([large(11)], install=False, engine=GitOpsEngine.NONE) == []
    gate = config_map("argocd-cm", **{HEALTH_KEY: "return obj.status.health"})
    assert found([part("argo-cd", 0, APPLICATIONS, gate)]) == []
