"""What nothing makes, selects nothing, has no such port, cannot be evicted or may not be called is found; the rest is not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.stack_objects import checked, resource, service, workload

from cluster_forge.checks import registry
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.component import Component, ExpectedSecret
from cluster_forge.stack.model import Stack, Target
from cluster_forge.stack.operated_kind import OperatedKind
from cluster_forge.stack.referring_kind import NamingField, ReferringKind

ERROR, WARNING, NOTICE = Severity.ERROR, Severity.WARNING, Severity.NOTICE
RBAC = "rbac.authorization.k8s.io/v1"


def found(*manifests: Manifest, **options: Any) -> list[Finding]:
    stack = checked(*manifests, **options)
    return [finding for check in registry.REFERENCES for finding in check.findings(stack)]


def wanting(kind: str = "Secret", **fields: Any) -> Manifest:
    reference = {"secretRef": {"name": "keys"}} if kind == "Secret" else {"configMapRef": {"name": "keys"}}
    return workload(container={"envFrom": [reference], **fields})


def role(*rules: dict[str, Any], kind: str = "Role") -> Manifest:
    return resource(RBAC, kind, rules=[*rules])


def binding(name: str = "web", kind: str = "Role", subject: str = "web", namespace: str = "shop") -> Manifest:
    subjects = [{"kind": "ServiceAccount", "name": subject, "namespace": namespace}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    return resource(RBAC, "RoleBinding", roleRef=reference, subjects=subjects)


def custom(name: str, **spec: Any) -> Manifest:
    return resource("example.org/v1", "Database", name, spec=spec)


def budget(name: str = "web", **spec: Any) -> Manifest:
    return resource(
        "policy/v1", "PodDisruptionBudget", name, spec={"selector": {"matchLabels": {"app": "web"}}, **spec}
    )


def bare(name: str = "web", **spec: Any) -> Manifest:
    """A Pod without a controller."""
    containers = [{"name": "web", "image": "registry.example.com/web:1"}]
    return resource("v1", "Pod", name, labels={"app": "web"}, spec={"containers": containers, **spec})


def probing(**container: Any) -> Manifest:
    return workload(container={"ports": [{"name": "http", "containerPort": 80}], **container})


def policy(name: str = "web", app: str = "web", **spec: Any) -> Manifest:
    return resource(
        "networking.k8s.io/v1", "NetworkPolicy", name, spec={"podSelector": {"matchLabels": {"app": app}}, **spec}
    )


def calling(text: str = "http://api.shop.svc") -> Manifest:
    return workload(container={"env": [{"name": "API", "value": text}]})


API = (
    workload(name="api", container={"ports": [{"name": "http", "containerPort": 8080}]}),
    service("api", spec={"ports": [{"port": 80, "targetPort": "http"}]}),
)
NAMES = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
TO_API = {"to": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [{"port": 8080}]}
FROM_WEB = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}
OUT: dict[str, Any] = {"policyTypes": ["Egress"]}
IN: dict[str, Any] = {"policyTypes": ["Ingress"]}


def webhook() -> Manifest:
    client = {"service": {"name": "api", "namespace": "shop", "port": 80}}
    hooks = [{"name": "a.example.com", "clientConfig": client}]
    return resource("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", namespace="", webhooks=hooks)


WRONG = {
    "a Secret": ([wanting()], "missing-reference", WARNING),
    "a ConfigMap": ([wanting("ConfigMap")], "missing-reference", WARNING),
    "an account": ([workload(pod={"serviceAccountName": "robot"})], "missing-reference", WARNING),
    "a claim": (
        [workload(pod={"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}]})],
        "missing-reference",
        WARNING,
    ),
    "a priority": ([workload(pod={"priorityClassName": "high"})], "missing-reference", WARNING),
    "a role": ([workload(), binding("reader")], "missing-reference", WARNING),
    "a subject": (
        [workload(), role(), binding(subject="robot"), resource("v1", "ServiceAccount", "web")],
        "missing-reference",
        WARNING,
    ),
    "what is scaled": (
        [
            workload(),
            resource(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "wab"}},
            ),
        ],
        "missing-reference",
        WARNING,
    ),
    "an address": ([*API, calling("http://apu.shop.svc")], "missing-reference", WARNING),
    "an address in a text": (
        [*API, resource("v1", "ConfigMap", data={"a": "http://apu.shop.svc"})],
        "missing-reference",
        NOTICE,
    ),
    "a port of a Service": ([*API, calling("http://api.shop.svc:81")], "missing-reference", WARNING),
    "a backend": (
        [
            *API,
            resource(
                "networking.k8s.io/v1",
                "Ingress",
                spec={"defaultBackend": {"service": {"name": "api", "port": {"number": 8080}}}},
            ),
        ],
        "missing-reference",
        WARNING,
    ),
    "a named port of a backend": (
        [
            *API,
            resource(
                "networking.k8s.io/v1",
                "Ingress",
                spec={
                    "rules": [{"http": {"paths": [{"backend": {"service": {"name": "api", "port": {"name": "web"}}}}]}}]
                },
            ),
        ],
        "missing-reference",
        WARNING,
    ),
    "a Service without Pods": ([workload(), service("wab")], "selects-nothing", WARNING),
    "a budget without Pods": (
        [workload(), budget(maxUnavailable=1, selector={"matchLabels": {"app": "wab"}})],
        "selects-nothing",
        WARNING,
    ),
    "a policy without Pods": (
        [workload(), policy(podSelector={"matchExpressions": [{"key": "app", "operator": "In", "values": ["wab"]}]})],
        "selects-nothing",
        WARNING,
    ),
    "a target port": (
        [probing(), service(spec={"ports": [{"port": 80, "targetPort": "web"}]})],
        "missing-port",
        WARNING,
    ),
    "a probe": ([probing(readinessProbe={"httpGet": {"port": "web"}})], "missing-port", ERROR),
    "a probe of a socket": ([probing(livenessProbe={"tcpSocket": {"port": "web"}})], "missing-port", ERROR),
    "none may be away": ([workload(spec={"replicas": 3}), budget(maxUnavailable=0)], "blocked-eviction", WARNING),
    "no percent may be away": ([workload(), budget(maxUnavailable="0%")], "blocked-eviction", WARNING),
    "all must be there": ([workload(spec={"replicas": 3}), budget(minAvailable="100%")], "blocked-eviction", WARNING),
    "one of one must be there": ([workload(), budget(minAvailable=1)], "blocked-eviction", WARNING),
    "a Pod without a controller must be there": ([bare(), budget(minAvailable=1)], "blocked-eviction", WARNING),
    "a share of Pods without a controller": ([bare(), budget(minAvailable="50%")], "blocked-eviction", WARNING),
    "one of the Pods without a controller": ([bare(), budget(maxUnavailable=1)], "blocked-eviction", WARNING),
    "all that there may be at least": (
        [
            workload(),
            budget(minAvailable=2),
            resource(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                spec={
                    "minReplicas": 2,
                    "maxReplicas": 5,
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                },
            ),
        ],
        "blocked-eviction",
        WARNING,
    ),
    "two budgets": (
        [workload(spec={"replicas": 3}), budget(maxUnavailable=1), budget("other", maxUnavailable=1)],
        "blocked-eviction",
        WARNING,
    ),
    "no names": ([*API, calling(), policy(egress=[TO_API], **OUT)], "blocked-traffic", WARNING),
    "names by another protocol": (
        [workload(), policy(egress=[{"ports": [{"port": 53, "protocol": "SCTP"}]}], **OUT)],
        "blocked-traffic",
        WARNING,
    ),
    "no way out": ([*API, calling(), policy(egress=[NAMES], **OUT)], "blocked-traffic", WARNING),
    "no way in": ([*API, calling(), policy(app="api", ingress=[], **IN)], "blocked-traffic", WARNING),
    "no way in for others": (
        [*API, calling(), policy(app="api", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "x"}}}]}])],
        "blocked-traffic",
        WARNING,
    ),
    "another port": (
        [*API, calling(), policy(app="api", ingress=[{**FROM_WEB, "ports": [{"port": 80}]}])],
        "blocked-traffic",
        WARNING,
    ),
    "another namespace": (
        [
            *API,
            calling(),
            policy(
                app="api",
                ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}]}],
            ),
        ],
        "blocked-traffic",
        WARNING,
    ),
    "the API server": ([*API, webhook(), policy(app="api", ingress=[FROM_WEB])], "blocked-traffic", WARNING),
}
RIGHT = {
    "a Secret": [wanting(), resource("v1", "Secret", "keys")],
    "an optional Secret": [workload(container={"envFrom": [{"secretRef": {"name": "keys", "optional": True}}]})],
    "a Secret that a program is given the name of": [wanting(args=["--secret-name=keys"])],
    "a Secret that a program may make": [
        wanting(),
        role({"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}),
    ],
    "a Secret of a certificate": [
        wanting(),
        resource("cert-manager.io/v1", "Certificate", spec={"secretName": "keys"}),
    ],
    "what an operator may make": [
        workload(container={"envFrom": [{"secretRef": {"name": "db-app"}}, {"configMapRef": {"name": "db"}}]}),
        custom("db"),
    ],
    "what a namespace of others may have": [
        resource(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            namespace="other",
            spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
        )
    ],
    "what every cluster has": [
        workload(
            pod={
                "serviceAccountName": "default",
                "priorityClassName": "system-node-critical",
                "volumes": [{"name": "a", "configMap": {"name": "kube-root-ca.crt"}}],
            }
        ),
        binding("view", "ClusterRole"),
        binding("system:auth-delegator", "ClusterRole"),
    ],
    "a claim of a StatefulSet": [
        workload("StatefulSet", "db", spec={"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}),
        workload(pod={"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "data-db-0"}}]}),
    ],
    "a subject that is software elsewhere": [
        workload(),
        role(),
        binding(name="web", kind="Role", namespace="monitoring"),
    ],
    "an unknown kind": [workload(), custom("db", secretStoreRef={"kind": "Vault", "name": "v"})],
    "an address": [*API, calling()],
    "an address of a namespace of others": [*API, calling("http://api.other.svc")],
    "an address that an operator may have": [*API, custom("db", replicas=1), calling("http://db-rw.shop.svc")],
    "a Service without a selector": [workload(), service("other", spec={"selector": None})],
    "a Service with Endpoints": [workload(), service("other"), resource("v1", "Endpoints", "other")],
    "a Service with EndpointSlices": [
        workload(),
        service("other"),
        resource("discovery.k8s.io/v1", "EndpointSlice", "a", labels={"kubernetes.io/service-name": "other"}),
    ],
    "a Service for one Pod": [
        workload("StatefulSet"),
        service(spec={"selector": {"statefulset.kubernetes.io/pod-name": "web-0"}}),
    ],
    "a Service of a leader": [
        workload(),
        service(spec={"selector": {"app": "web", "leader": "yes"}}),
        role({"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}),
    ],
    "a Service of an operator's Pods": [workload(), custom("db", replicas=1), service("db")],
    "a Service in kube-system": [workload(namespace="kube-system"), service("other", namespace="kube-system")],
    "a named port": [probing(), service(spec={"ports": [{"port": 80, "targetPort": "http"}]})],
    "a number that is not declared": [probing(), service(spec={"ports": [{"port": 80, "targetPort": 8080}]})],
    "probes": [
        probing(
            readinessProbe={"httpGet": {"port": "http"}},
            livenessProbe={"tcpSocket": {"port": 99}},
            startupProbe={"grpc": {"port": 5}},
        )
    ],
    "a budget": [workload(spec={"replicas": 3}), budget(minAvailable=2)],
    "a budget without a selector beside another": [
        workload(spec={"replicas": 3}),
        budget(minAvailable=2),
        budget("none", selector=None, minAvailable=1),
    ],
    "a budget of percent": [workload(), budget(minAvailable="50%")],
    "a budget of Pods without a controller": [bare(), bare("b"), budget(minAvailable=1)],
    "a budget of a Pod that ends": [bare(restartPolicy="Never"), budget(minAvailable=1)],
    "a budget of DaemonSets": [workload("DaemonSet"), budget(minAvailable=1)],
    "a budget of two workloads": [workload(), workload(name="b", pod={}), budget(minAvailable=1, selector={})],
    "a workload without Pods": [workload(spec={"replicas": 0}), budget(minAvailable=1)],
    "names and a way": [*API, calling(), policy(egress=[NAMES, TO_API], **OUT)],
    "everything allowed": [*API, calling(), policy(egress=[{}], **OUT), policy("api", "api", ingress=[{}])],
    "an address range": [*API, calling(), policy(egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], **OUT)],
    "a port by name": [*API, calling(), policy(app="api", ingress=[{**FROM_WEB, "ports": [{"port": "http"}]}])],
    "a range of ports": [
        *API,
        calling(),
        policy(app="api", ingress=[{**FROM_WEB, "ports": [{"port": 8000, "endPort": 9000}]}]),
    ],
    "two policies": [*API, calling(), policy("a", "api", ingress=[]), policy("b", "api", ingress=[FROM_WEB])],
    "what is shut in": [workload(), policy(egress=[], **OUT)],
    "a policy for others": [*API, calling(), workload(name="db"), policy(app="db", egress=[], **OUT)],
    "the network of the node": [
        workload(pod={"hostNetwork": True}),
        policy(egress=[{"ports": [{"port": 443}]}], **OUT),
    ],
    "the API server": [*API, webhook(), policy(app="api", ingress=[{"ports": [{"port": 8080}]}])],
    "the API server's range": [
        *API,
        webhook(),
        policy(app="api", ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]),
    ],
    "values of unexpected types": [
        workload(container={"env": {"a": 1}, "envFrom": "x", "readinessProbe": [1], "ports": [1]}, pod={"volumes": 3}),
        resource("v1", "Service", "one", spec={"selector": ["a"], "ports": {"a": 1}}),
        resource("v1", "Service", "two", spec=7),
        budget("three", selector=[1], minAvailable={}),
        policy("four", egress={"a": 1}, ingress=[1], policyTypes="Egress"),
        resource("networking.k8s.io/v1", "Ingress", "five", spec={"rules": [{"http": {"paths": 1}}]}),
        resource("autoscaling/v2", "HorizontalPodAutoscaler", "six", spec={"scaleTargetRef": "web"}),
        resource(RBAC, "RoleBinding", "seven", roleRef=[1], subjects=[2]),
        resource(
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            "eight",
            spec={"selector": 1, "endpoints": 2, "namespaceSelector": {"matchNames": 3}},
        ),
    ],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(name: str) -> None:
    manifests, code, severity = WRONG[name]
    findings = found(*manifests)
    assert [(finding.code, finding.severity) for finding in findings] == [(code, severity)]
    assert all(finding.object for finding in findings)
    assert all(finding.fix for finding in findings)
    assert {finding.where for finding in findings} == {"web.yaml:1"}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_found(name: str) -> None:
    manifests = RIGHT[name]
    if name == "values of unexpected types":
        assert {finding.code for finding in found(*manifests)} <= {"selects-nothing"}
    else:
        assert found(*manifests) == []


def component(**fields: Any) -> Stack:
    return Stack(name="shop", components=(Component(name=ComponentName("web"), namespace="shop", **fields),))


def of_stack(stack: Stack, *manifests: Manifest) -> list[Finding]:
    return found(*manifests, stack=stack)


def test_what_the_description_says_is_there() -> None:
    wants = wanting()
    assert [finding.code for finding in of_stack(component(), wants)] == ["missing-reference"]
    expected = ExpectedSecret(name="keys", namespace="shop", keys={})
    assert of_stack(component(secrets=(expected,)), wants) == []
    assert of_stack(component(made_secrets=("keys",)), wants) == []
    operated = OperatedKind(group="example.org", kind="Database", secrets=("keys",))
    other = custom("other")
    assert [finding.code for finding in of_stack(component(), wants, other)] == ["missing-reference"]
    assert of_stack(component(operates=(operated,)), wants, other) == []


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({"login": "keys"}, ["keys"]),
        ({"login": {"name": "keys"}}, ["keys"]),
        ({"login": {"namespace": "shop"}}, []),
        ({"login": ["keys"]}, []),
        ({"backups": [{"to": "a"}, {"to": {"name": "b"}}, {"from": "c"}]}, ["a", "b"]),
        ({"accounts": {"one": {"key": "a"}, "two": {"key": "b"}}}, ["a", "b"]),
        ({"spare": "keys"}, []),
        ({"other": "keys"}, []),
    ],
)
def test_fields_that_a_component_describes_name_objects(spec: dict[str, Any], names: list[str]) -> None:
    paths = ("spec.login", "spec.backups[].to", "spec.accounts.{}.key")
    fields = [NamingField(path=path, to="Secret") for path in paths]
    fields.append(NamingField(path="spec.spare", to="Secret", is_optional=True))
    stack = component(refers_to=(ReferringKind(group="example.org", kind="Database", fields=tuple(fields)),))
    wants = custom("db", **spec)
    assert of_stack(component(), wants) == []
    assert [finding.message for finding in of_stack(stack, wants)] == [f"no such Secret: {name}" for name in names]
    secrets = [resource("v1", "Secret", name) for name in names]
    assert of_stack(stack, wants, *secrets) == []


def test_a_secret_that_the_user_names_is_not_made_by_a_program() -> None:
    maker = role({"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]})
    assert of_stack(component(), wanting(), maker) == []
    named = component(values={"auth": {"existingSecret": "keys"}})
    assert [finding.code for finding in of_stack(named, wanting(), maker)] == ["missing-reference"]


def test_what_the_target_has_is_there() -> None:
    classes = [resource("networking.k8s.io/v1", "IngressClass", "own", namespace="", spec={})]
    ingress = resource("networking.k8s.io/v1", "Ingress", spec={"ingressClassName": "nginx"})
    assert [finding.code for finding in of_stack(component(), workload(), ingress, *classes)] == ["missing-reference"]
    target = Stack(name="shop", target=Target(provides=("ingress",)), components=component().components)
    assert of_stack(target, workload(), ingress, *classes) == []


def test_no_password_of_an_address_is_shown() -> None:
    (finding,) = found(*API, calling("http://me:secret@apu.shop.svc"))
    assert "secret" not in finding.message


def test_many_policies_are_counted() -> None:
    policies = [policy(f"p{number}", app="api", ingress=[], **IN) for number in range(100)]
    (finding,) = [one for one in found(*API, calling(), *policies) if one.code == "blocked-traffic"]
    assert "NetworkPolicy.networking.k8s.io/shop/p2 and 97 more do not allow it" in finding.message
