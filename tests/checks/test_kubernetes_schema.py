"""Objects of Kubernetes' own kinds: what an API server refuses is found, at its field; what it takes is not."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.kubernetes_examples import EXAMPLES, changed, findings
from tests.checks.object_changes import JSON, REMOVED, paths

from cluster_forge.manifests.kubernetes_apis import minors

WEB = "spec/template/spec/containers/0"
FIELD = 'spec.template.spec.containers[name="web"]'

REFUSED: list[tuple[str, str, object, str, str]] = [
    # types and unknown fields
    ("Deployment", "spec/replicas", "2", "spec.replicas", "must be a whole number, and is text"),
    ("Deployment", "spec/replicas", 1.5, "spec.replicas", "must be a whole number"),
    ("Deployment", "spec/replicas", 1 << 31, "spec.replicas", "above 2,147,483,647"),
    ("Deployment", "spec/paused", "yes", "spec.paused", "must be true or false"),
    (
        "Deployment",
        "spec/template/spec/imagePullPolicy",
        "Always",
        "spec.template.spec.imagePullPolicy",
        "below containers",
    ),
    ("Deployment", "spec/Replicas", 1, "spec.Replicas", "did you mean replicas?"),
    ("Deployment", "metadata/lables", {}, "metadata.lables", "did you mean labels?"),
    ("Deployment", "specs", {}, "specs", "did you mean spec?"),
    ("Deployment", "metadata/annotations", {"a": 1}, "metadata.annotations.a", "must be text"),
    ("Deployment", "spec/template/spec/containers", {}, "spec.template.spec.containers", "must be a list"),
    ("Deployment", f"{WEB}/env/0/value", 8080, f'{FIELD}.env[name="A"].value', "must be text, and is a number"),
    ("Deployment", f"{WEB}/env/0/value", True, f'{FIELD}.env[name="A"].value', "is true or false"),
    ("Deployment", f"{WEB}/resources/limits/memory", "64MB", f"{FIELD}.resources.limits.memory", "quantity"),
    ("Deployment", f"{WEB}/args", "a b", f"{FIELD}.args", "must be a list"),
    ("Service", "spec/ports/0/targetPort", {}, "spec.ports[port=80].targetPort", "whole number or text"),
    ("Secret", "data/tls.key", "not base64!", 'data["tls.key"]', "Base64"),
    # keys of lists
    ("Deployment", f"{WEB}/ports/1", {"containerPort": 80, "protocol": "TCP"}, f"{FIELD}.ports[1]", "twice"),
    ("Deployment", f"{WEB}/env/1", {"name": "A"}, f"{FIELD}.env[1]", 'name "A" is in the list twice'),
    (
        "Deployment",
        "spec/template/spec/volumes/1",
        {"name": "data", "emptyDir": {}},
        "spec.template.spec.volumes[1]",
        "twice",
    ),
    (
        "Deployment",
        f"{WEB}/volumeMounts/1",
        {"name": "data", "mountPath": "/data"},
        f"{FIELD}.volumeMounts[1]",
        "twice",
    ),
    ("Service", "spec/ports/2", {"name": "x", "port": 80}, "spec.ports[2]", "twice"),
    # what is missing
    ("Deployment", "spec/selector", REMOVED, "spec.selector", "selector is missing"),
    ("Deployment", "spec/template/spec/containers", [], "spec.template.spec.containers", "containers is missing"),
    ("Deployment", f"{WEB}/image", "", f"{FIELD}.image", "image is missing"),
    ("Deployment", f"{WEB}/image", REMOVED, f"{FIELD}.image", "image is missing"),
    ("Ingress", "spec/rules/0/http/paths/0/pathType", REMOVED, "spec.rules[0].http.paths[0].pathType", "missing"),
    ("StorageClass", "provisioner", REMOVED, "provisioner", "missing"),
    ("ClusterRole", "rules/0/verbs", [], "rules[0].verbs", "missing"),
    # values
    ("Deployment", f"{WEB}/imagePullPolicy", "always", f"{FIELD}.imagePullPolicy", "none of Always"),
    ("Deployment", f"{WEB}/name", "Web", 'spec.template.spec.containers[name="Web"].name', "DNS label"),
    ("Deployment", f"{WEB}/ports/0/containerPort", 70000, f"{FIELD}.ports[containerPort=70000].containerPort", "65535"),
    (
        "Deployment",
        f"{WEB}/ports/0/name",
        "a-very-long-port-name",
        f"{FIELD}.ports[containerPort=80].name",
        "port's name",
    ),
    ("Deployment", f"{WEB}/ports/0/protocol", "tcp", f"{FIELD}.ports[containerPort=80].protocol", "none of TCP"),
    ("Deployment", "spec/replicas", -1, "spec.replicas", "less than 0"),
    ("Deployment", "spec/template/spec/dnsPolicy", "Cluster", "spec.template.spec.dnsPolicy", "none of"),
    ("Service", "spec/ports/0/targetPort", "8080", "spec.ports[port=80].targetPort", "port's name"),
    ("Service", "spec/type", "Loadbalancer", "spec.type", "none of"),
    ("PodDisruptionBudget", "spec/minAvailable", "half", "spec.minAvailable", "percentage"),
    ("PodDisruptionBudget", "spec/minAvailable", "150%", "spec.minAvailable", "100%"),
    ("StorageClass", "reclaimPolicy", "Keep", "reclaimPolicy", "none of"),
    ("PersistentVolumeClaim", "spec/accessModes", ["RWO"], "spec.accessModes", "none of"),
    ("ConfigMap", "data/a b", "", 'data["a b"]', "a key"),
    ("APIService", "spec/groupPriorityMinimum", 0, "spec.groupPriorityMinimum", "from 1"),
    # containers
    ("Deployment", f"{WEB}/resources/requests/cpu", 2, f"{FIELD}.resources.requests.cpu", "above the limit"),
    ("Deployment", f"{WEB}/resources/requests/gpu", 1, f"{FIELD}.resources.requests.gpu", "not a resource"),
    (
        "Deployment",
        f"{WEB}/resources/requests",
        {"amd.com/gpu": 1},
        f'{FIELD}.resources.limits["amd.com/gpu"]',
        "without a limit",
    ),
    ("Deployment", f"{WEB}/livenessProbe", {"periodSeconds": 1}, f"{FIELD}.livenessProbe", "has none of"),
    ("Deployment", f"{WEB}/livenessProbe/exec", {"command": ["a"]}, f"{FIELD}.livenessProbe.httpGet", "has both"),
    ("Deployment", f"{WEB}/livenessProbe/successThreshold", 2, f"{FIELD}.livenessProbe.successThreshold", "must be 1"),
    ("Deployment", f"{WEB}/volumeMounts/0/name", "dat", f"{FIELD}.volumeMounts[0].name", "did you mean 'data'?"),
    ("Deployment", f"{WEB}/env/0/name", "A=B", f'{FIELD}.env[name="A=B"].name', "cannot be the name"),
    (
        "Deployment",
        f"{WEB}/env/0/valueFrom",
        {"fieldRef": {"fieldPath": "metadata.name"}},
        f'{FIELD}.env[name="A"].valueFrom',
        "both",
    ),
    (
        "Deployment",
        f"{WEB}/securityContext",
        {"privileged": True, "allowPrivilegeEscalation": False},
        f"{FIELD}.securityContext.allowPrivilegeEscalation",
        "cannot be false",
    ),
    (
        "Deployment",
        "spec/template/spec/volumes/0/secret",
        {"secretName": "x"},
        'spec.template.spec.volumes[name="data"].secret',
        "two sources",
    ),
    (
        "Deployment",
        "spec/template/spec/initContainers",
        [{"name": "web", "image": "a"}],
        f"{FIELD}.name",
        "init container",
    ),
    # workloads
    (
        "Deployment",
        "spec/template/metadata/labels",
        {"app": "x"},
        "spec.selector.matchLabels.app",
        "do not have the label",
    ),
    ("StatefulSet", "spec/template/metadata/labels", {"app": "x"}, "spec.selector.matchExpressions[0]", "do not match"),
    ("DaemonSet", "spec/selector", {}, "spec.selector", "empty selector"),
    ("Deployment", "spec/template/spec/restartPolicy", "Never", "spec.template.spec.restartPolicy", "must be Always"),
    (
        "Deployment",
        "spec/strategy",
        {"type": "Recreate", "rollingUpdate": {}},
        "spec.strategy.rollingUpdate",
        "does not go with",
    ),
    (
        "Deployment",
        "spec/strategy",
        {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}},
        "spec.strategy.rollingUpdate",
        "both 0",
    ),
    (
        "CronJob",
        "spec/jobTemplate/spec/template/spec/restartPolicy",
        REMOVED,
        "spec.jobTemplate.spec.template.spec.restartPolicy",
        "missing",
    ),
    ("CronJob", "spec/schedule", "* * * *", "spec.schedule", "has 4 fields"),
    ("CronJob", "spec/schedule", "60 * * * *", "spec.schedule", "from 0 to 59"),
    ("CronJob", "spec/schedule", "@dayly", "spec.schedule", "none of"),
    ("CronJob", "spec/schedule", "TZ=UTC 0 * * * *", "spec.schedule", "time zone"),
    # services and networking
    ("Service", "spec/ports", [], "spec.ports", "ports is missing"),
    ("Service", "spec/ports/0/name", REMOVED, "spec.ports[0].name", "names each"),
    ("Service", "spec/ports/0/nodePort", 30000, "spec.ports[0].nodePort", "needs type"),
    ("Service", "spec", {"type": "ExternalName"}, "spec.externalName", "missing"),
    ("Service", "spec/externalTrafficPolicy", "Local", "spec.externalTrafficPolicy", "needs type"),
    ("Service", "spec/loadBalancerSourceRanges", ["10.0.0.0/8"], "spec.loadBalancerSourceRanges", "needs type"),
    ("Ingress", "spec/rules/0/host", "https://example.com", "spec.rules[0].host", "not a DNS name"),
    ("Ingress", "spec/rules/0/http/paths/0/path", "api", "spec.rules[0].http.paths[0].path", "not absolute"),
    (
        "Ingress",
        "spec/rules/0/http/paths/0/backend/service/port",
        {},
        "spec.rules[0].http.paths[0].backend.service.port",
        "neither",
    ),
    ("Ingress", "spec", {"ingressClassName": "a"}, "spec.rules", "neither rules"),
    ("NetworkPolicy", "spec/ingress/0/ports/0/endPort", 79, "spec.ingress[0].ports[0].endPort", "below"),
    (
        "NetworkPolicy",
        "spec/egress/0/to/0/ipBlock/cidr",
        "10.0.0.0",
        "spec.egress[0].to[0].ipBlock.cidr",
        "range of addresses",
    ),
    (
        "NetworkPolicy",
        "spec/egress/0/to/0/ipBlock/except",
        ["11.0.0.0/16"],
        "spec.egress[0].to[0].ipBlock.except[0]",
        "not part of",
    ),
    ("NetworkPolicy", "spec/egress/0/to/0", {}, "spec.egress[0].to[0]", "peer is empty"),
    # autoscaling, access, admission, configuration
    ("HorizontalPodAutoscaler", "spec/minReplicas", 5, "spec.maxReplicas", "below minReplicas"),
    ("HorizontalPodAutoscaler", "spec/metrics/0/type", "Pods", "spec.metrics[0].pods", "needs pods"),
    ("PodDisruptionBudget", "spec/maxUnavailable", 1, "spec.maxUnavailable", "both"),
    ("ClusterRole", "rules/0/apiGroups", REMOVED, "rules[0].apiGroups", "missing"),
    ("ClusterRole", "rules/1/resources", ["pods"], "rules[1].resources", "does not go with"),
    ("Role", "rules/0", {"nonResourceURLs": ["/x"], "verbs": ["get"]}, "rules[0].nonResourceURLs", "a Role has no"),
    ("ClusterRoleBinding", "subjects/0/namespace", REMOVED, "subjects[0].namespace", "missing"),
    ("ClusterRoleBinding", "roleRef/kind", "Role", "roleRef.kind", "not a Role"),
    ("ValidatingWebhookConfiguration", "webhooks/0/name", "check", 'webhooks[name="check"].name', "full name"),
    (
        "ValidatingWebhookConfiguration",
        "webhooks/0/timeoutSeconds",
        60,
        'webhooks[name="check.example.com"].timeoutSeconds',
        "30",
    ),
    (
        "ValidatingWebhookConfiguration",
        "webhooks/0/clientConfig",
        {},
        'webhooks[name="check.example.com"].clientConfig',
        "neither",
    ),
    ("Secret", "data/tls.crt", REMOVED, 'data["tls.crt"]', "has the key tls.crt"),
    ("Secret", "type", "kubernetes.io/dockerconfigjson", 'data[".dockerconfigjson"]', "has the key"),
    ("ConfigMap", "data/big", "x" * (1 << 20), "data", "1,048,5"),
    ("ConfigMap", "metadata/annotations", {"a": "x" * (256 << 10)}, "metadata.annotations", "262,14"),
    ("PersistentVolumeClaim", "spec/accessModes", REMOVED, "spec.accessModes", "missing"),
    # a spec that is read as an empty one
    ("Deployment", "spec", REMOVED, "spec", "spec is missing"),
    ("DaemonSet", "spec", None, "spec", "spec is missing"),
    ("CronJob", "spec", REMOVED, "spec", "spec is missing"),
    ("Service", "spec", None, "spec", "spec is missing"),
    ("Ingress", "spec", REMOVED, "spec", "spec is missing"),
    ("HorizontalPodAutoscaler", "spec", REMOVED, "spec", "spec is missing"),
    ("PersistentVolumeClaim", "spec", REMOVED, "spec", "spec is missing"),
    ("PriorityClass", "value", 2_000_000_000, "value", "above"),
    ("APIService", "metadata/name", "metrics", "metadata.name", "v1beta1.metrics.k8s.io"),
]

ACCEPTED: list[tuple[str, str, object]] = [
    ("Deployment", "spec/replicas", None),
    ("Deployment", "spec/replicas", 2.0),
    ("Deployment", "metadata/labels", None),
    ("Deployment", "spec/template/spec/volumes/0/emptyDir", REMOVED),
    ("Deployment", "spec/template/spec/terminationGracePeriodSeconds", -1),
    ("Deployment", f"{WEB}/ports/1", {"containerPort": 80, "protocol": "UDP"}),
    ("Deployment", f"{WEB}/volumeMounts/1", {"name": "data", "mountPath": "/data/"}),
    ("Deployment", f"{WEB}/env/0/value", None),
    ("Deployment", f"{WEB}/resources/requests/cpu", 0.5),
    ("Deployment", f"{WEB}/resources/limits/memory", "1e3"),
    ("Deployment", f"{WEB}/resources", {"limits": {"amd.com/gpu": 1}, "requests": {"kubernetes.io/batch-cpu": 1}}),
    ("Deployment", f"{WEB}/livenessProbe", None),
    ("Deployment", f"{WEB}/command", None),
    ("Deployment", "spec/template/spec/tolerations", [{"operator": "Exists"}]),
    (
        "Deployment",
        "spec/template/spec/initContainers",
        [{"name": "s", "image": "a", "restartPolicy": "Always", "readinessProbe": {"tcpSocket": {"port": 1}}}],
    ),
    ("Deployment", "spec/strategy", {"type": "Recreate", "rollingUpdate": None}),
    ("Deployment", "spec/strategy", {"rollingUpdate": {"maxSurge": 0}}),
    ("StatefulSet", f"{WEB}/volumeMounts/1", {"name": "disk", "mountPath": "/disk"}),
    ("CronJob", "spec/schedule", "@every 1h30m"),
    ("CronJob", "spec/schedule", "0 0 1,15 * ?"),
    ("CronJob", "spec/schedule", "5/15 0-6/2 * * SUN"),
    ("Service", "spec/ports/0/targetPort", None),
    ("Service", "spec/ports/0/targetPort", 0),
    ("Service", "spec", {"clusterIP": "None", "selector": {"a": "b"}}),
    ("Service", "spec", {"type": "ExternalName", "externalName": "db.example.com."}),
    ("Service", "spec/type", ""),
    ("Ingress", "spec/rules/0/host", "*.example.com"),
    (
        "Ingress",
        "spec/rules/0/http/paths/0",
        {"pathType": "ImplementationSpecific", "backend": {"service": {"name": "a", "port": {"name": "b"}}}},
    ),
    ("NetworkPolicy", "spec/podSelector", None),
    ("NetworkPolicy", "spec/ingress/0", {}),
    ("HorizontalPodAutoscaler", "spec/metrics", None),
    ("PodDisruptionBudget", "spec/minAvailable", 0),
    ("ClusterRole", "rules", None),
    ("ClusterRoleBinding", "subjects/1/apiGroup", "rbac.authorization.k8s.io"),
    ("ClusterRoleBinding", "roleRef", {"kind": "ClusterRole", "name": "a"}),
    ("Secret", "type", "example.com/own"),
    ("Secret", "stringData", {"any": "text"}),
    ("ConfigMap", "data/big", "x" * ((1 << 20) - 100)),
    ("PriorityClass", "value", REMOVED),
    ("PersistentVolumeClaim", "spec/storageClassName", ""),
    ("NetworkPolicy", "spec", REMOVED),
    ("PodDisruptionBudget", "spec", None),
]


@pytest.mark.parametrize(("kind", "path", "value", "field", "message"), REFUSED)
def test_what_an_api_server_refuses_is_found_at_its_field(
    kind: str, path: str, value: object, field: str, message: str
) -> None:
    about = {finding.field: finding for finding in findings(changed(kind, path, value))}
    assert field in about, list(about)
    assert message in about[field].message
    assert about[field].fix
    assert about[field].code == "schema-invalid"


@pytest.mark.parametrize(("kind", "path", "value"), ACCEPTED)
def test_what_an_api_server_takes_is_not_found(kind: str, path: str, value: object) -> None:
    assert findings(changed(kind, path, value)) == []


@pytest.mark.parametrize("minor", minors())
@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_examples_are_valid_in_every_minor(kind: str, minor: int) -> None:
    assert findings(EXAMPLES[kind], minor=minor) == []


def test_a_field_is_known_from_the_minor_that_has_it() -> None:
    body = changed("Service", "spec/trafficDistribution", "PreferClose")
    (finding,) = findings(body, minor=29)
    assert finding.field == "spec.trafficDistribution"
    assert finding.message == "Kubernetes 1.29 does not know the field trafficDistribution; 1.30 to 1.37 do"
    assert finding.fix == "remove it, or use a version of the chart that fits Kubernetes 1.29"
    assert findings(body, minor=30) == []


def test_all_problems_come_at_once_but_not_thousands() -> None:
    body = changed("Deployment", WEB, {"image": "", "ports": [{"containerPort": "x"}] * 5000})
    assert len(findings(body)) == 20


def test_values_that_may_be_secret_are_not_shown() -> None:
    secret = "hunter2-hunter2"
    bodies = [
        changed("Secret", "data/tls.key", secret),
        changed("Secret", "data/tls.key", [secret]),
        changed("Deployment", f"{WEB}/env/0/value", [secret]),
        changed("Secret", "stringData", secret),
    ]
    for body in bodies:
        reported = findings(body)
        assert reported
        assert secret not in str(reported)
        assert base64.b64encode(secret.encode()).decode() not in str(reported)


PLACES = [
    (kind, path)
    for kind, body in EXAMPLES.items()
    for path in paths(body)
    if path and path.split("/")[0] not in ("apiVersion", "kind") and path not in ("metadata", "metadata/name")
]


@given(st.sampled_from(PLACES), JSON)
def test_no_value_of_any_type_raises(place: tuple[str, str], value: Any) -> None:
    kind, path = place
    findings(changed(kind, path, value))
