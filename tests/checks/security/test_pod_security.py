"""Pods against the Pod Security Standards, and against the level of their namespace."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.security.security_objects import manifest, namespace, stack, workload

from cluster_forge.checks.security import pod_security, pod_standards, unpinned_image
from cluster_forge.checks.security.pod_standards import Level
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.checks.vulnerabilities import stack_images
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest

SAFE: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod_of(made: Manifest) -> PodTemplate:
    (pod,) = PodTemplate.of(made)
    return pod


def context(**more: Any) -> dict[str, Any]:
    return {"securityContext": {**SAFE, **more}}


def without(key: str) -> dict[str, Any]:
    return {"securityContext": {name: value for name, value in SAFE.items() if name != key}}


@pytest.mark.parametrize(
    ("control", "pod", "container"),
    [
        ("HostProcess", {"securityContext": {"windowsOptions": {"hostProcess": True}}}, context()),
        ("HostProcess", {}, context(windowsOptions={"hostProcess": True})),
        ("Host Namespaces", {"hostNetwork": True}, context()),
        ("Host Namespaces", {"hostPID": True}, context()),
        ("Host Namespaces", {"hostIPC": True}, context()),
        ("Privileged Containers", {}, context(privileged=True)),
        ("Capabilities", {}, context(capabilities={"add": ["SYS_ADMIN"], "drop": ["ALL"]})),
        ("HostPath Volumes", {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, context()),
        ("Host Ports", {}, {**context(), "ports": [{"containerPort": 80, "hostPort": 80}]}),
        ("AppArmor", {}, context(appArmorProfile={"type": "Unconfined"})),
        ("SELinux", {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}, context()),
        ("SELinux", {}, context(seLinuxOptions={"user": "system_u"})),
        ("/proc Mount Type", {}, context(procMount="Unmasked")),
        ("Seccomp", {}, context(seccompProfile={"type": "Unconfined"})),
        ("Sysctls", {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}, context()),
    ],
)
def test_each_control_of_baseline(control: str, pod: dict[str, Any], container: dict[str, Any]) -> None:
    wrong = list(pod_standards.violations(pod_of(workload(pod, container)), 33))
    assert (control, Level.BASELINE) in {(violation.control, violation.level) for violation in wrong}
    assert pod_standards.strictest(pod_of(workload(pod, container)), 33) is Level.PRIVILEGED


@pytest.mark.parametrize(
    ("control", "pod", "container"),
    [
        ("Volume Types", {"volumes": [{"name": "x", "nfs": {"server": "x", "path": "/"}}]}, context()),
        ("Privilege Escalation", {}, without("allowPrivilegeEscalation")),
        ("Running as Non-root", {}, without("runAsNonRoot")),
        ("Running as Non-root", {"securityContext": {"runAsNonRoot": False}}, without("runAsNonRoot")),
        ("Running as Non-root user", {}, context(runAsUser=0)),
        ("Seccomp", {}, without("seccompProfile")),
        ("Capabilities", {}, without("capabilities")),
        ("Capabilities", {}, context(capabilities={"drop": ["ALL"], "add": ["CHOWN"]})),
    ],
)
def test_each_control_of_restricted(control: str, pod: dict[str, Any], container: dict[str, Any]) -> None:
    wrong = list(pod_standards.violations(pod_of(workload(pod, container)), 33))
    assert {(violation.control, violation.level) for violation in wrong} == {(control, Level.RESTRICTED)}
    assert pod_standards.strictest(pod_of(workload(pod, container)), 33) is Level.BASELINE


@pytest.mark.parametrize(
    ("pod", "container"),
    [
        ({}, context()),
        ({"securityContext": {"runAsNonRoot": True}}, without("runAsNonRoot")),
        ({"securityContext": {"seccompProfile": {"type": "Localhost"}}}, without("seccompProfile")),
        ({}, context(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]})),
        ({"os": {"name": "windows"}}, {"securityContext": {"runAsNonRoot": True}}),
        ({"volumes": [{"name": "x", "emptyDir": {}}, {"name": "y", "image": {"reference": "x"}}]}, context()),
        ({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}}, context()),
    ],
)
def test_pods_that_keep_restricted(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert pod_standards.strictest(pod_of(workload(pod, container)), 33) is Level.RESTRICTED


@pytest.mark.parametrize(
    ("pod", "container", "changes_at", "before", "after"),
    [
        ({}, {**context(), "livenessProbe": {"httpGet": {"host": "x"}}}, 34, Level.RESTRICTED, Level.PRIVILEGED),
        (
            {},
            {**context(), "lifecycle": {"preStop": {"tcpSocket": {"host": "x"}}}},
            34,
            Level.RESTRICTED,
            Level.PRIVILEGED,
        ),
        ({"hostUsers": False}, without("runAsNonRoot"), 35, Level.BASELINE, Level.RESTRICTED),
        ({"hostUsers": False}, context(procMount="Unmasked"), 35, Level.PRIVILEGED, Level.BASELINE),
        ({}, context(seLinuxOptions={"type": "container_engine_t"}), 31, Level.PRIVILEGED, Level.RESTRICTED),
        (
            {"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_wmem"}]}},
            context(),
            32,
            Level.PRIVILEGED,
            Level.RESTRICTED,
        ),
    ],
)
def test_the_standards_change_with_kubernetes(
    pod: dict[str, Any], container: dict[str, Any], changes_at: int, before: Level, after: Level
) -> None:
    made = pod_of(workload(pod, container))
    assert pod_standards.strictest(made, changes_at - 1) is before
    assert pod_standards.strictest(made, changes_at) is after


PRIVILEGED = workload(container={"securityContext": {"privileged": True}})


@pytest.mark.parametrize(
    ("spaces", "severities"),
    [
        ([namespace("baseline")], [Severity.ERROR]),
        ([namespace("restricted")], [Severity.ERROR]),
        ([namespace("privileged")], []),
        ([namespace()], [Severity.WARNING]),
        ([namespace("none such")], [Severity.WARNING]),
        ([], [Severity.WARNING]),
    ],
)
def test_the_level_of_the_namespace_decides(spaces: list[Manifest], severities: list[Severity]) -> None:
    assert [finding.severity for finding in pod_security.findings(stack(*spaces, PRIVILEGED))] == severities


def test_pods_without_hardening_are_reported_where_the_namespace_demands_it_only() -> None:
    assert list(pod_security.findings(stack(namespace(), workload()))) == []
    assert list(pod_security.findings(stack(namespace("baseline"), workload()))) == []
    (finding,) = pod_security.findings(stack(namespace("restricted"), workload()))
    assert finding.message == (
        "namespace web has level restricted, which does not allow it: container web: allowPrivilegeEscalation is not "
        "false, may run as root (runAsNonRoot is not true), has no seccomp profile, does not drop ALL capabilities"
    )
    place = 'spec.template.spec.containers[name="web"].securityContext.allowPrivilegeEscalation'
    assert (finding.where, finding.field) == ("templates/web.yaml", place)


def test_the_version_that_the_namespace_names_counts() -> None:
    probe = workload(container={**context(), "livenessProbe": {"httpGet": {"host": "x", "port": 80}}})
    version = {"pod-security.kubernetes.io/enforce-version": "v1.33"}
    assert list(pod_security.findings(stack(namespace("baseline", **version), probe, minor=34))) == []
    assert len(list(pod_security.findings(stack(namespace("baseline"), probe, minor=34)))) == 1


def test_the_cluster_s_own_namespaces_reach_the_node_anyway() -> None:
    made = workload(container={"securityContext": {"privileged": True}}, namespace="kube-system")
    assert list(pod_security.findings(stack(made))) == []


@pytest.mark.parametrize("wrong", [None, [], "x", 1, {"spec": None}, {"spec": {"containers": [None, {"ports": 3}]}}])
def test_objects_of_another_shape_are_passed_over(wrong: Any) -> None:
    made = manifest("apps/v1", "Deployment", spec={"template": wrong})
    assert list(pod_security.findings(stack(namespace("baseline"), made))) == []
    assert field_path.text(pod_of(made).steps) == "spec.template.spec"
    assert PodTemplate.of(manifest("example.com/v1", "Deployment", spec={"template": wrong})) == ()


def custom(api: str, kind: str, *way: str, **container: Any) -> Manifest:
    """A custom resource with the template of a Pod in its spec."""
    one = {"name": "web", "image": "example.com/web", **container}
    template: dict[str, Any] = {"spec": {"containers": [one], "ephemeralContainers": []}}
    for key in reversed(way):
        template = {key: template}
    return manifest(api, kind, spec=template)


HOST_PID = {"template": {"spec": {"hostPID": True, "containers": [{"name": "web", "image": "example.com/web:1"}]}}}
CUSTOM = [
    ("argoproj.io/v1alpha1", "Rollout", ("template",)),
    ("serving.knative.dev/v1", "Service", ("template",)),
    ("keda.sh/v1alpha1", "ScaledJob", ("jobTargetRef", "template")),
    ("apps.kruise.io/v1beta1", "AdvancedCronJob", ("jobTemplate", "spec", "template")),
]


@pytest.mark.parametrize(("api", "kind", "way"), CUSTOM)
def test_the_templates_of_custom_resources_are_read(api: str, kind: str, way: tuple[str, ...]) -> None:
    made = custom(api, kind, *way, securityContext={"privileged": True})
    (finding,) = pod_security.findings(stack(made, namespace()))
    assert (finding.severity, finding.field.rpartition(".")[2]) == (Severity.WARNING, "privileged")
    (finding,) = pod_security.findings(stack(made, namespace("baseline")))
    assert finding.severity is Severity.ERROR
    (finding,) = unpinned_image.findings(stack(made))
    assert finding.field.endswith('containers[name="web"].image')


@pytest.mark.parametrize(("api", "kind", "way"), CUSTOM)
def test_what_their_controllers_may_set_is_not_reported(api: str, kind: str, way: tuple[str, ...]) -> None:
    assert list(pod_security.findings(stack(custom(api, kind, *way), namespace("restricted")))) == []


def test_a_template_whose_namespace_is_not_known_has_a_message_all_the_same() -> None:
    made = manifest("example.com/v1", "Thing", namespace="", spec=HOST_PID)
    (finding,) = pod_security.findings(stack(made))
    assert finding.message == "its Pods reach the node, and its namespace names no level: sets hostPID"


def test_what_is_not_a_template_of_a_pod_is_passed_over() -> None:
    for spec in (
        {"template": {"spec": {"containers": ["web"]}}},
        {"template": {"spec": {"containers": [{"name": "x"}]}}},
    ):
        assert PodTemplate.of(manifest("example.com/v1", "Thing", spec=spec)) == ()
    definition = {"template": {"spec": {"containers": [{"name": "x", "image": "x"}]}}}
    assert PodTemplate.of(manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec=definition)) == ()


def group(name: str, **pod: Any) -> dict[str, Any]:
    containers = [{"name": "ray", "image": f"example.com/{name}"}]
    return {"groupName": name, "template": {"spec": {"containers": containers, **pod}}}


def test_each_template_of_a_custom_resource_is_read() -> None:
    """As a RayCluster has them: one for the head, and one for each group of workers."""
    workers = [group("small"), group("large", hostPID=True)]
    cluster = manifest("ray.io/v1", "RayCluster", spec={"headGroupSpec": group("head"), "workerGroupSpecs": workers})
    (finding,) = pod_security.findings(stack(cluster))
    assert finding.field == "spec.workerGroupSpecs[1].template.spec.hostPID"
    assert [finding.field for finding in unpinned_image.findings(stack(cluster))] == [
        'spec.headGroupSpec.template.spec.containers[name="ray"].image',
        'spec.workerGroupSpecs[0].template.spec.containers[name="ray"].image',
        'spec.workerGroupSpecs[1].template.spec.containers[name="ray"].image',
    ]
    used = stack_images.uses(stack(cluster))
    assert {image for image, uses in used.items() if any(use.reaches_node for use in uses)} == {"example.com/large"}


def test_objects_in_a_custom_resource_are_read() -> None:
    """As an AppWrapper has them, which makes them as they are."""
    inner = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": HOST_PID}
    made = manifest("workload.codeflare.dev/v1", "AppWrapper", spec={"components": [{"template": inner}]})
    assert [finding.field for finding in pod_security.findings(stack(made))] == [
        "spec.components[0].template.spec.template.spec.hostPID"
    ]


def test_the_patterns_of_policies_are_passed_over() -> None:
    rule = {"validate": {"pattern": {"spec": HOST_PID}}}
    assert PodTemplate.of(manifest("kyverno.io/v1", "Policy", spec={"rules": [rule]})) == ()
