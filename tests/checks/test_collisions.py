"""Objects that get in each other's way are reported, with their place; those that do not are not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.stack_objects import checked, resource, service, workload

from cluster_forge.checks import registry
from cluster_forge.checks.collisions import host_ports
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest

DEFAULT_STORAGE = {"storageclass.kubernetes.io/is-default-class": "true"}
OLD_DEFAULT = {"storageclass.beta.kubernetes.io/is-default-class": "true"}
DEFAULT_INGRESS = {"ingressclass.kubernetes.io/is-default-class": "true"}
DEFAULT_SNAPSHOT = {"snapshot.storage.kubernetes.io/is-default-class": "true"}
ENFORCE = "pod-security.kubernetes.io/enforce"
ERROR, WARNING = Severity.ERROR, Severity.WARNING


def found(*manifests: Manifest, **options: Any) -> list[Finding]:
    stack = checked(*manifests, **options)
    return [finding for check in registry.COLLISIONS for finding in check.findings(stack)]


def on_host(name: str, kind: str = "DaemonSet", port: int = 9100, pod: Any = None, **declared: Any) -> Manifest:
    container = {"ports": [{"containerPort": port, "hostPort": port, **declared}]}
    return workload(kind, name, of=name, container=container, pod=pod or {})


def node_port(name: str, port: Any, protocol: str = "TCP", **spec: Any) -> Manifest:
    ports = [{"name": "http", "port": 80, "nodePort": port, "protocol": protocol}]
    return service(name, of=name, spec={"type": "NodePort", "ports": ports, **spec})


def storage_class(name: str, annotations: Any = None) -> Manifest:
    return resource(
        "storage.k8s.io/v1", "StorageClass", name, of=name, namespace="", annotations=annotations or {}, provisioner="x"
    )


def ingress_class(name: str, annotations: Any = None) -> Manifest:
    return resource(
        "networking.k8s.io/v1", "IngressClass", name, of=name, namespace="", annotations=annotations or {}, spec={}
    )


def snapshot_class(name: str, driver: str) -> Manifest:
    return resource(
        "snapshot.storage.k8s.io/v1",
        "VolumeSnapshotClass",
        name,
        of=name,
        namespace="",
        annotations=DEFAULT_SNAPSHOT,
        driver=driver,
    )


def priority_class(name: str, *, is_default: bool) -> Manifest:
    return resource(
        "scheduling.k8s.io/v1", "PriorityClass", name, of=name, namespace="", value=1, globalDefault=is_default
    )


def pool(name: str, *addresses: str) -> Manifest:
    return resource("metallb.io/v1beta1", "IPAddressPool", name, of=name, spec={"addresses": [*addresses]})


def cilium_pool(name: str, *blocks: Any, **spec: Any) -> Manifest:
    spec = {"blocks": [*blocks], **spec}
    return resource("cilium.io/v2", "CiliumLoadBalancerIPPool", name, of=name, namespace="", spec=spec)


def autoscaler(name: str, target: str = "web", kind: str = "Deployment", **spec: Any) -> Manifest:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": target}
    spec = {"scaleTargetRef": reference, "maxReplicas": 5, **spec}
    return resource("autoscaling/v2", "HorizontalPodAutoscaler", name, of=name, spec=spec)


def scaled_object(name: str, target: str = "web", **fields: Any) -> Manifest:
    return resource(
        "keda.sh/v1alpha1", "ScaledObject", name, of=name, spec={"scaleTargetRef": {"name": target}}, **fields
    )


def ingress(name: str, host: str = "shop.example.com", path: str = "/", **fields: Any) -> Manifest:
    backend = {"service": {"name": name, "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}}
    spec = {"ingressClassName": "nginx", "rules": [rule], **fields.pop("spec", {})}
    return resource("networking.k8s.io/v1", "Ingress", name, of=name, spec=spec, **fields)


def route(
    name: str, match: Any = None, *, hosts: Any = ("shop.example.com",), parent: Any = None, kind: str = "HTTPRoute"
) -> Manifest:
    parent = {"name": "gateway", "namespace": "gateways", **(parent or {})}
    rules = [{"backendRefs": [{"name": name, "port": 80}], **({"matches": [match]} if match else {})}]
    spec = {"parentRefs": [parent], "hostnames": [*hosts], "rules": rules}
    return resource("gateway.networking.k8s.io/v1", kind, name, of=name, spec=spec)


def monitor(name: str, labels: Any = None, **endpoint: Any) -> Manifest:
    spec = {"selector": {"matchLabels": labels or {"app": "web"}}, "endpoints": [{"port": "http", **endpoint}]}
    return resource("monitoring.coreos.com/v1", "ServiceMonitor", name, of=name, spec=spec)


def labeled() -> Manifest:
    return service(labels={"app": "web", "team": "shop"})


def webhook(
    name: str = "guard",
    *,
    target: str = "guard",
    resources: Any = ("pods",),
    title: str = "pods.example.com",
    **fields: Any,
) -> Manifest:
    hook = {
        "name": title,
        "clientConfig": {"service": {"name": target, "namespace": "shop"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [*resources]}],
        **fields,
    }
    return resource(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        name,
        of=name,
        namespace="",
        webhooks=[hook],
    )


GUARD = (workload(name="guard", of="guard"), service("guard", of="guard"))
NOT_THERE = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "shop"]}
ONLY_LABELED = {"matchLabels": {"guarded": "yes"}}


def namespace(level: str) -> Manifest:
    labels = {ENFORCE: level} if level else {}
    return resource("v1", "Namespace", "shop", of="base", namespace="", labels=labels)


RBAC = "rbac.authorization.k8s.io/v1"
WRITING_DATABASES = {"apiGroups": ["example.org"], "resources": ["databases"], "verbs": ["get", "update"]}


def operator(
    name: str, image: str = "quay.io/team/operator:1", namespace: str = "", role: str = "", **container: Any
) -> list[Manifest]:
    """A Deployment, its ClusterRole, and a binding of this one, or of another ``role``."""
    place = namespace or name
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role or name}
    account = [{"kind": "ServiceAccount", "name": name, "namespace": place}]
    pod = {"serviceAccountName": name}
    rules = [] if role else [WRITING_DATABASES]
    return [
        workload(name=name, of=name, namespace=place, container={"image": image, **container}, pod=pod),
        resource(RBAC, "ClusterRole", name, of=name, namespace="", rules=rules),
        resource(RBAC, "ClusterRoleBinding", name, of=name, namespace="", roleRef=reference, subjects=account),
    ]


def by_chain(manifests: list[Manifest]) -> list[Manifest]:
    """An `operator`, whose role collects one that collects its rules and itself."""
    pods, role, binding = manifests
    name = role.id.name
    return [
        pods,
        resource(RBAC, "ClusterRole", name, of=name, namespace="", **_collecting("middle")),
        resource(RBAC, "ClusterRole", f"{name}-middle", of=name, namespace="", **_collecting("rules", of="middle")),
        resource(
            RBAC,
            "ClusterRole",
            f"{name}-rules",
            of=name,
            namespace="",
            labels={"to": "rules"},
            rules=role.body["rules"],
        ),
        binding,
    ]


def _collecting(label: str, of: str = "") -> dict[str, Any]:
    selectors = [{"matchLabels": {"to": to}} for to in (label, of) if to]
    return {"aggregationRule": {"clusterRoleSelectors": selectors}, "labels": {"to": of}}


DATABASES = resource(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "databases.example.org",
    namespace="",
    spec={
        "group": "example.org",
        "names": {"kind": "Database", "plural": "databases"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True}],
    },
)

COLLIDING = {
    "host ports of all nodes": ([on_host("one"), on_host("two")], "port-conflict", ERROR),
    "host network": (
        [
            on_host("one"),
            workload(
                "DaemonSet", "two", of="two", container={"ports": [{"containerPort": 9100}]}, pod={"hostNetwork": True}
            ),
        ],
        "port-conflict",
        ERROR,
    ),
    "host ports, one chooses nodes": (
        [on_host("one"), on_host("two", pod={"nodeSelector": {"gpu": "yes"}})],
        "port-conflict",
        WARNING,
    ),
    "host ports, a Deployment": ([on_host("one", "Deployment"), on_host("two")], "port-conflict", WARNING),
    "host ports, one address of all": ([on_host("one", hostIP="10.0.0.1"), on_host("two")], "port-conflict", ERROR),
    "node ports": ([node_port("one", 30080), node_port("two", 30080)], "port-conflict", ERROR),
    "health check port": (
        [
            node_port("one", 30080),
            service("two", of="two", spec={"type": "LoadBalancer", "healthCheckNodePort": 30080}),
        ],
        "port-conflict",
        ERROR,
    ),
    "default StorageClasses": (
        [storage_class("one", DEFAULT_STORAGE), storage_class("two", OLD_DEFAULT)],
        "default-class-conflict",
        WARNING,
    ),
    "default IngressClasses": (
        [ingress_class("one", DEFAULT_INGRESS), ingress_class("two", DEFAULT_INGRESS)],
        "default-class-conflict",
        WARNING,
    ),
    "default snapshot classes": (
        [snapshot_class("one", "a"), snapshot_class("two", "a")],
        "default-class-conflict",
        WARNING,
    ),
    "default priorities": (
        [priority_class("one", is_default=True), priority_class("two", is_default=True)],
        "default-class-conflict",
        ERROR,
    ),
    "MetalLB pools": ([pool("one", "10.0.0.0/24"), pool("two", "10.0.0.200-10.0.1.5")], "address-conflict", ERROR),
    "one MetalLB pool": ([pool("one", "10.0.0.0/24", "10.0.0.7/32")], "address-conflict", ERROR),
    "IPv6": ([pool("one", "fd00::/120"), pool("two", "fd00::10-fd00::20")], "address-conflict", ERROR),
    "Cilium pools": (
        [cilium_pool("one", {"cidr": "10.0.0.0/24"}), cilium_pool("two", {"start": "10.0.0.5", "stop": "10.0.0.9"})],
        "address-conflict",
        WARNING,
    ),
    "pools of two providers": (
        [pool("one", "10.0.0.0/24"), cilium_pool("two", {"start": "10.0.0.5"})],
        "address-conflict",
        WARNING,
    ),
    "two autoscalers": ([workload(), autoscaler("one"), autoscaler("two")], "scaling-conflict", WARNING),
    "KEDA and an autoscaler": ([workload(), autoscaler("one"), scaled_object("two")], "scaling-conflict", WARNING),
    "fixed replicas": ([workload(spec={"replicas": 2}), autoscaler("one")], "scaling-conflict", WARNING),
    "fixed replicas, KEDA": ([workload(spec={"replicas": 2}), scaled_object("one")], "scaling-conflict", WARNING),
    "Ingresses": ([ingress("one"), ingress("two")], "route-conflict", WARNING),
    "routes": ([route("one"), route("two", {"path": {"type": "PathPrefix", "value": "/"}})], "route-conflict", WARNING),
    "routes, same header": (
        [route(name, {"path": {"value": "/a"}, "headers": [{"name": "x", "value": "y"}]}) for name in ("one", "two")],
        "route-conflict",
        WARNING,
    ),
    "gRPC routes": ([route("one", kind="GRPCRoute"), route("two", kind="GRPCRoute")], "route-conflict", WARNING),
    "monitors, one of all namespaces": (
        [labeled(), monitor("one", path="/metrics"), monitor("two")],
        "duplicate-scrape",
        WARNING,
    ),
    "monitors": ([labeled(), monitor("one"), monitor("two", {"team": "shop"})], "duplicate-scrape", WARNING),
    "webhook on its own Pods": (
        [*GUARD, webhook(namespaceSelector={"matchExpressions": [{**NOT_THERE, "values": ["kube-system"]}]})],
        "webhook-deadlock",
        WARNING,
    ),
    "webhook on kube-system": (
        [*GUARD, webhook(namespaceSelector={"matchExpressions": [{**NOT_THERE, "values": ["shop"]}]})],
        "webhook-deadlock",
        WARNING,
    ),
    "webhook without a Service in the stack": ([webhook()], "webhook-deadlock", WARNING),
    "webhook on everything": ([*GUARD, webhook(resources=["*"])], "webhook-deadlock", WARNING),
    "the same webhook": (
        [*GUARD, webhook("one", failurePolicy="Ignore"), webhook("two", failurePolicy="Ignore")],
        "duplicate-provider",
        WARNING,
    ),
    "the same operator": (
        [DATABASES, *operator("one"), *operator("two", "mirror.example.com/team/operator:2")],
        "duplicate-provider",
        WARNING,
    ),
    "the same operator by a chain of roles": (
        [DATABASES, *by_chain(operator("one")), *by_chain(operator("two"))],
        "duplicate-provider",
        WARNING,
    ),
    "the same operator by a role of every cluster": (
        [
            DATABASES,
            resource(
                RBAC,
                "ClusterRole",
                "editors",
                namespace="",
                labels={"rbac.authorization.k8s.io/aggregate-to-edit": "true"},
                rules=[WRITING_DATABASES],
            ),
            *operator("one", role="edit"),
            *operator("two", role="edit"),
        ],
        "duplicate-provider",
        WARNING,
    ),
    "levels of a namespace": ([namespace("baseline"), workload()], "namespace-conflict", WARNING),
}
APART = {
    "other host ports": [on_host("one"), on_host("two", port=9101)],
    "other protocols": [on_host("one"), on_host("two", protocol="UDP")],
    "other addresses": [on_host("one", hostIP="10.0.0.1"), on_host("two", hostIP="10.0.0.2")],
    "other nodes": [
        on_host("one", pod={"nodeSelector": {"pool": "a"}}),
        on_host("two", pod={"nodeSelector": {"pool": "b"}}),
    ],
    "two Deployments with a host port": [on_host("one", "Deployment"), on_host("two", "Deployment")],
    "ports of containers": [
        workload("DaemonSet", name, of=name, container={"ports": [{"containerPort": 9100}]}) for name in ("one", "two")
    ],
    "a Job with a host port": [
        on_host("one"),
        resource(
            "batch/v1", "Job", "two", spec={"template": {"spec": {"containers": [{"ports": [{"hostPort": 9100}]}]}}}
        ),
    ],
    "a host port of a container that starts the Pod": [
        on_host("one"),
        workload(
            "DaemonSet",
            "two",
            pod={"initContainers": [{"name": "a", "ports": [{"hostPort": 9100, "containerPort": 1}]}]},
        ),
    ],
    "other node ports": [node_port("one", 30080), node_port("two", 30081)],
    "a node port for each protocol": [node_port("one", 30080), node_port("two", 30080, "UDP")],
    "one default class": [storage_class("one", DEFAULT_STORAGE), storage_class("two")],
    "default classes of two kinds": [storage_class("one", DEFAULT_STORAGE), ingress_class("two", DEFAULT_INGRESS)],
    "a class that says false": [
        storage_class("one", DEFAULT_STORAGE),
        storage_class("two", {"storageclass.kubernetes.io/is-default-class": "false"}),
    ],
    "snapshots of two drivers": [snapshot_class("one", "a"), snapshot_class("two", "b")],
    "one default priority": [priority_class("one", is_default=True), priority_class("two", is_default=False)],
    "pools side by side": [pool("one", "10.0.0.0/25"), pool("two", "10.0.0.128-10.0.0.255")],
    "texts that are no addresses": [pool("one", "all"), pool("two", "all", "1.2.3.4-")],
    "a pool that is off": [
        cilium_pool("one", {"cidr": "10.0.0.0/24"}),
        cilium_pool("two", {"cidr": "10.0.0.0/24"}, disabled=True),
    ],
    "an autoscaler": [workload(), autoscaler("one"), autoscaler("two", "other")],
    "an autoscaler of another namespace": [workload(spec={"replicas": 2}), autoscaler("one", "elsewhere")],
    "an autoscaler without a choice": [workload(spec={"replicas": 2}), autoscaler("one", minReplicas=2, maxReplicas=2)],
    "a paused autoscaler": [
        workload(spec={"replicas": 2}),
        scaled_object("one", annotations={"autoscaling.keda.sh/paused-replicas": "2"}),
    ],
    "other paths": [ingress("one"), ingress("two", path="/two")],
    "other hosts": [ingress("one"), ingress("two", "other.example.com")],
    "other classes": [ingress("one"), ingress("two", spec={"ingressClassName": "traefik"})],
    "a canary": [ingress("one"), ingress("two", annotations={"nginx.ingress.kubernetes.io/canary": "true"})],
    "routes by path": [route("one"), route("two", {"path": {"value": "/two"}})],
    "routes by kind of path": [route("one", {"path": {"type": "Exact", "value": "/"}}), route("two")],
    "routes by header": [route("one"), route("two", {"headers": [{"name": "x", "value": "y"}]})],
    "routes of two listeners": [route("one", parent={"sectionName": "a"}), route("two", parent={"sectionName": "b"})],
    "routes of two hosts": [route("one"), route("two", hosts=["other.example.com"])],
    "monitors of two paths": [labeled(), monitor("one"), monitor("two", path="/other")],
    "monitors of other Services": [labeled(), monitor("one"), monitor("two", {"app": "other"})],
    "monitors with other filters": [labeled(), monitor("one"), monitor("two", params={"collect[]": ["a"]})],
    "monitors of a port that is not there": [labeled(), monitor("one", port="x"), monitor("two", port="x")],
    "a webhook that ignores failures": [*GUARD, webhook(failurePolicy="Ignore")],
    "a webhook that leaves them out": [*GUARD, webhook(namespaceSelector={"matchExpressions": [NOT_THERE]})],
    "a webhook for labeled namespaces": [*GUARD, webhook(namespaceSelector=ONLY_LABELED)],
    "a webhook for labeled objects": [*GUARD, webhook(objectSelector=ONLY_LABELED)],
    "a webhook with conditions": [*GUARD, webhook(matchConditions=[{"name": "a", "expression": "false"}])],
    "a webhook for other objects": [*GUARD, webhook(resources=["services"])],
    "a webhook elsewhere": [*GUARD, webhook(clientConfig={"url": "https://example.com"})],
    "two webhooks": [
        *GUARD,
        webhook("one", failurePolicy="Ignore"),
        webhook("two", title="others.example.com", failurePolicy="Ignore"),
    ],
    "one name of two programs": [
        *GUARD,
        workload(name="other", of="other", container={"image": "other:1"}),
        service("other", of="other"),
        webhook("one", failurePolicy="Ignore"),
        webhook("two", target="other", failurePolicy="Ignore"),
    ],
    "two operators": [DATABASES, *operator("one"), *operator("two", "quay.io/team/other:1")],
    "operators of some namespaces": [DATABASES, *operator("one"), *operator("two", args=["--namespaces=two"])],
    "an operator told by a variable": [
        DATABASES,
        *operator("one"),
        *operator("two", env=[{"name": "WATCH_NAMESPACE", "value": "two"}]),
    ],
    "operators of a kind that is not there": [*operator("one"), *operator("two")],
    "a level that fits": [namespace("privileged"), workload()],
    "a namespace without a level": [namespace(""), workload()],
    "values of unexpected types": [
        on_host("one", hostPort="x"),
        workload("DaemonSet", "two", container={"ports": {"a": 1}}, pod={"initContainers": 7}),
        node_port("three", "http"),
        resource("v1", "Service", "four", spec=[1]),
        storage_class("five", ["a"]),
        resource("metallb.io/v1beta1", "IPAddressPool", "six", spec={"addresses": {"a": 1}}),
        autoscaler("seven", scaleTargetRef=["web"]),
        ingress("eight", spec={"rules": [1, {"http": 2}]}),
        route("nine", {"path": 1}, hosts=()),
        monitor("ten", ["a"]),
        webhook("eleven", rules=[1], clientConfig=2),
        resource("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "twelve", roleRef=1, subjects={"a": 1}),
    ],
}


@pytest.mark.parametrize("name", COLLIDING)
def test_what_collides_is_found(name: str) -> None:
    manifests, code, severity = COLLIDING[name]
    findings = found(*manifests, levels={"web": "privileged"})
    assert [(finding.code, finding.severity) for finding in findings] == [(code, severity)]
    (finding,) = findings
    assert finding.object
    assert finding.fix
    assert finding.where == f"{finding.component}.yaml:1"


@pytest.mark.parametrize("name", APART)
def test_what_stays_apart_is_not_found(name: str) -> None:
    assert found(*APART[name], levels={"web": "privileged"}) == []


def test_both_are_named() -> None:
    (finding,) = found(ingress("one"), ingress("two"))
    assert "Ingress.networking.k8s.io/shop/one of one" in finding.message
    assert (finding.component, finding.field) == ("two", "spec.rules[0].http.paths[0]")


def test_host_ports_of_many_workloads_take_no_square_of_their_number() -> None:
    stack = checked(*(on_host(f"one-{number}", port=number + 1) for number in range(3000)))
    assert list(host_ports.findings(stack)) == []
