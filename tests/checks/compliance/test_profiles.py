"""The controls of the profiles: each has its failing object, and a good stack passes what can be decided."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.security.security_objects import RBAC, manifest, namespace, stack, workload

from cluster_forge.checks.compliance import cis, profiles
from cluster_forge.checks.compliance.control import Result, Verdict
from cluster_forge.checks.compliance.profiles import PROFILES
from cluster_forge.manifests.manifest import Manifest

SAFE: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
GOOD = [
    namespace("restricted"),
    workload(
        {"automountServiceAccountToken": False, "serviceAccountName": "web"},
        {"securityContext": SAFE, "resources": {"limits": {"memory": "1Gi"}}},
    ),
    manifest("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}}),
]


def results(name: str, *manifests: Manifest) -> list[Result]:
    return profiles.results(PROFILES[name], stack(*manifests), lambda _: True)


def failed(name: str, *manifests: Manifest) -> set[str]:
    return {str(result.control.number) for result in results(name, *manifests) if result.verdict is Verdict.FAILED}


def role(*rules: dict[str, Any], name: str = "web") -> list[Manifest]:
    api = f"{RBAC}/v1"
    subjects = [{"kind": "ServiceAccount", "name": "web", "namespace": "web"}]
    reference = {"kind": "ClusterRole", "name": name}
    made = [manifest(api, "ClusterRoleBinding", "web", "", roleRef=reference, subjects=subjects)]
    return [*made, *([manifest(api, "ClusterRole", "web", "", rules=list(rules))] if rules else [])]


def rule(group: str, resource: str, *verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


@pytest.mark.parametrize("name", PROFILES)
def test_a_good_stack_fails_no_control(name: str) -> None:
    assert failed(name, *GOOD) == set()
    assert any(result.verdict is Verdict.PASSED for result in results(name, *GOOD))


def container(**more: Any) -> list[Manifest]:
    return [workload(container=more)]


@pytest.mark.parametrize(
    ("number", "manifests"),
    [
        ("5.1.1", role(name="cluster-admin")),
        ("5.1.2", role(rule("", "secrets", "list"))),
        ("5.1.3", role(rule("apps", "*", "get"))),
        ("5.1.4", role(rule("", "pods", "create"))),
        ("5.1.5", [workload()]),
        ("5.1.6", [workload({"serviceAccountName": "web"})]),
        ("5.1.8", role(rule(RBAC, "clusterroles", "bind"))),
        ("5.1.9", role(rule("", "persistentvolumes", "create"))),
        ("5.1.10", role(rule("", "nodes/proxy", "get"))),
        ("5.1.11", role(rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"))),
        ("5.1.12", role(rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"))),
        ("5.1.13", role(rule("", "serviceaccounts/token", "create"))),
        ("5.2.1", [namespace("privileged"), workload()]),
        ("5.2.2", container(securityContext={"privileged": True})),
        ("5.2.3", [workload({"hostPID": True})]),
        ("5.2.4", [workload({"hostIPC": True})]),
        ("5.2.5", [workload({"hostNetwork": True})]),
        ("5.2.6", container(securityContext={})),
        ("5.2.7", container(securityContext={"runAsUser": 0})),
        ("5.2.8", container(securityContext={"capabilities": {"add": ["NET_RAW"], "drop": ["ALL"]}})),
        ("5.2.9", container(securityContext={"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}})),
        ("5.2.10", container(securityContext={})),
        ("5.2.11", [workload({"securityContext": {"windowsOptions": {"hostProcess": True}}})]),
        ("5.2.12", [workload({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]})]),
        ("5.2.13", container(ports=[{"containerPort": 80, "hostPort": 80}])),
        ("5.3.2", [workload()]),
        ("5.4.1", container(env=[{"name": "X", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}])),
        ("5.4.2", [manifest("v1", "Secret", stringData={"password": "hunter2x"})]),
        ("5.7.2", container(securityContext={})),
        ("5.7.3", container()),
        ("5.7.4", [manifest("v1", "ConfigMap", namespace="default")]),
    ],
)
def test_each_control_of_cis_finds_its_object(number: str, manifests: list[Manifest]) -> None:
    assert number in failed("cis", *manifests)


def test_masters_are_found() -> None:
    subjects = [{"kind": "Group", "name": "system:masters"}]
    made = manifest(f"{RBAC}/v1", "ClusterRoleBinding", roleRef={"kind": "ClusterRole", "name": "x"}, subjects=subjects)
    assert "5.1.7" in failed("cis", made)


def test_controls_of_the_cluster_are_not_decided() -> None:
    undecided = {control.number for control in cis.CONTROLS if control.judge is None}
    of_stack = {result.control.number for result in results("cis", *GOOD) if result.verdict is Verdict.UNDECIDABLE}
    assert undecided == of_stack
    assert {"1.2", "4.2", "5.3.1", "5.5.1"} <= undecided


def test_only_wanted_objects_count() -> None:
    judged = profiles.results(PROFILES["cis"], stack(workload()), lambda _: False)
    assert all(result.verdict is not Verdict.FAILED for result in judged)
