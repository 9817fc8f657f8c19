"""References and collisions on real stacks: what is planted in rendered charts is found, and nothing else is.

Each plant changes or adds objects of `stacks/everything`, many at once and each in another object; the objects that should have
a finding then have one, and no object has one that did not have it before.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.checks import registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import duplicates
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest, Provenance

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

LEAST = 10
"""Plants of each kind."""
MOST = 15
COPY = ComponentName("planted")
Plant = tuple[Manifest | None, dict[str, Any]]
"""The object that is changed, None for a new one; and its body."""


def checked(forged: Forged, manifests: Sequence[Manifest], level: str = "") -> CheckedStack:
    stack = forged.stack
    if level:
        stack = replace(stack, components=tuple(replace(one, pod_security=level) for one in stack.components))
    waves = {part.name: part.wave for part in forged.smelted.record.parts}
    return CheckedStack(stack, manifests, waves=waves)


def found(stack: CheckedStack) -> list[Finding]:
    checks = (*registry.REFERENCES, *registry.COLLISIONS)
    return [finding for check in checks for finding in check.findings(stack)]


@pytest.fixture(scope="module")
def plain(everything: Forged) -> CheckedStack:
    return checked(everything, everything.manifests)


def changed(manifest: Manifest, change: Callable[[dict[str, Any]], Any]) -> Plant:
    body = copy.deepcopy(dict(manifest.body))
    change(body)
    return manifest, body


def added(api: str, kind: str, name: str, namespace: str, **fields: Any) -> Plant:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return None, {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def renamed(manifest: Manifest) -> Plant:
    body = copy.deepcopy(dict(manifest.body))
    body["metadata"] = {**body["metadata"], "name": f"{body['metadata']['name']}-2"}
    return None, body


def deployments(stack: CheckedStack) -> Iterator[Manifest]:
    """Those of namespaces that the stack knows all of, one for each namespace."""
    seen = set()
    for workload in stack.workloads:
        name = workload.namespace
        is_plain = workload.manifest.id.kind == "Deployment" and not workload.pod.get("hostNetwork")
        if is_plain and name not in seen and not stack.presence.has_foreign_pods(name):
            seen.add(name)
            yield workload.manifest


def services(stack: CheckedStack) -> Iterator[Manifest]:
    for service in stack.of_kind["", "Service"]:
        if not stack.presence.has_foreign_pods(service.id.namespace) and stack.serving(
            (service.id.namespace, service.id.name)
        ):
            yield service


def pod(body: dict[str, Any]) -> Any:
    return body["spec"]["template"]["spec"]


def accounts(stack: CheckedStack) -> Iterator[Plant]:
    for manifest in deployments(stack):
        yield changed(manifest, lambda body: pod(body).update(serviceAccountName="nothing-has-this-name"))


def config_maps(stack: CheckedStack) -> Iterator[Plant]:
    for manifest in deployments(stack):
        volume = {"name": "planted", "configMap": {"name": "nothing-has-this-name"}}
        yield changed(manifest, lambda body, volume=volume: pod(body).setdefault("volumes", []).append(volume))  # type: ignore[misc]


def roles(stack: CheckedStack) -> Iterator[Plant]:
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for manifest in stack.of_kind["rbac.authorization.k8s.io", kind]:
            if manifest.id.namespace in ("", "cert-manager"):
                yield changed(manifest, lambda body: body["roleRef"].update(name="nothing-has-this-name"))


def addresses(stack: CheckedStack) -> Iterator[Plant]:
    for manifest in deployments(stack):
        variable = {"name": "PLANTED", "value": f"http://nothing.{manifest.id.namespace}.svc:80"}
        yield changed(manifest, lambda body, one=variable: pod(body)["containers"][0].setdefault("env", []).append(one))  # type: ignore[misc]


def selectors(stack: CheckedStack) -> Iterator[Plant]:
    for service in services(stack):
        name = next(iter(service.body["spec"]["selector"]))
        yield changed(service, lambda body, name=name: body["spec"]["selector"].update({name: "nothing"}))  # type: ignore[misc]


def policy_selectors(stack: CheckedStack) -> Iterator[Plant]:
    for manifest in deployments(stack):
        spec = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "nothing"}}, "policyTypes": ["Ingress"]}
        name = f"planted-{manifest.id.name}"
        yield added("networking.k8s.io/v1", "NetworkPolicy", name, manifest.id.namespace, spec=spec)


def target_ports(stack: CheckedStack) -> Iterator[Plant]:
    for service in services(stack):
        yield changed(service, lambda body: body["spec"]["ports"][0].update(targetPort="nothing"))


def probes(stack: CheckedStack) -> Iterator[Plant]:
    for manifest in deployments(stack):
        probe = {"httpGet": {"port": "nothing"}}
        yield changed(manifest, lambda body, probe=probe: pod(body)["containers"][0].update(readinessProbe=probe))  # type: ignore[misc]


def budgets(stack: CheckedStack) -> Iterator[Plant]:
    for manifest in deployments(stack):
        spec = {"minAvailable": "100%", "selector": manifest.body["spec"]["selector"]}
        yield added("policy/v1", "PodDisruptionBudget", f"planted-{manifest.id.name}", manifest.id.namespace, spec=spec)


def policies(stack: CheckedStack) -> Iterator[Plant]:
    """The finding is about the workload, which stays as it is."""
    for manifest in deployments(stack):
        egress = [{"ports": [{"port": 443}]}]
        spec = {"podSelector": manifest.body["spec"]["selector"], "policyTypes": ["Egress"], "egress": egress}
        yield manifest, dict(manifest.body)
        yield added(
            "networking.k8s.io/v1", "NetworkPolicy", f"planted-{manifest.id.name}", manifest.id.namespace, spec=spec
        )


def host_ports(stack: CheckedStack) -> Iterator[Plant]:
    port = {"containerPort": 9100, "hostPort": 9100}
    for workload in stack.workloads:
        if workload.is_everywhere and set(workload.pod.get("nodeSelector") or ()) <= {"kubernetes.io/os"}:
            yield changed(
                workload.manifest, lambda body: pod(body)["containers"][0].setdefault("ports", []).append(port)
            )


def node_ports(stack: CheckedStack) -> Iterator[Plant]:
    for service in services(stack):
        yield changed(service, lambda body: body["spec"]["ports"][0].update(nodePort=30080, protocol="TCP"))


def storage_classes(stack: CheckedStack) -> Iterator[Plant]:
    metadata = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    for number in range(MOST):
        _, body = added("storage.k8s.io/v1", "StorageClass", f"planted-{number}", "", provisioner="example.com/planted")
        yield None, {**body, "metadata": {**body["metadata"], **metadata}}


def pools(stack: CheckedStack) -> Iterator[Plant]:
    for number in range(MOST):
        spec = {"addresses": [f"192.168.{number}.0-192.168.{number + 1}.9"]}
        yield added("metallb.io/v1beta1", "IPAddressPool", f"planted-{number}", "metallb-system", spec=spec)


def autoscalers(stack: CheckedStack) -> Iterator[Plant]:
    for manifest in deployments(stack):
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": manifest.id.name}
        spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 5}
        yield changed(manifest, lambda body: body["spec"].update(replicas=3))
        yield added(
            "autoscaling/v2", "HorizontalPodAutoscaler", f"planted-{manifest.id.name}", manifest.id.namespace, spec=spec
        )


def ingresses(stack: CheckedStack) -> Iterator[Plant]:
    for service in services(stack):
        backend = {"service": {"name": service.id.name, "port": {"number": service.body["spec"]["ports"][0]["port"]}}}
        rules = [{"host": "planted.example.com", "http": {"paths": [{"path": "/", "backend": backend}]}}]
        yield added(
            "networking.k8s.io/v1", "Ingress", f"planted-{service.id.name}", service.id.namespace, spec={"rules": rules}
        )


def monitors(stack: CheckedStack) -> Iterator[Plant]:
    for service in services(stack):
        if (ports := service.body["spec"]["ports"]) and service.body["metadata"].get("labels") and ports[0].get("name"):
            spec = {
                "selector": {"matchLabels": service.body["metadata"]["labels"]},
                "endpoints": [{"port": ports[0]["name"], "path": "/planted"}],
            }
            for number in range(2):
                name = f"planted-{number}-{service.id.name}"
                yield added("monitoring.coreos.com/v1", "ServiceMonitor", name, service.id.namespace, spec=spec)


def operators(stack: CheckedStack) -> Iterator[Plant]:
    """A second installation of each operator that writes the custom resources of a group."""
    names = (
        "cert-manager",
        "external-secrets",
        "kyverno",
        "keda",
        "velero",
        "kueue",
        "longhorn",
        "metallb",
        "minio-operator",
    )
    for workload in stack.workloads:
        name = workload.manifest.provenance.component
        if workload.manifest.id.kind == "Deployment" and (name in names or "operator" in name):
            yield renamed(workload.manifest)


def webhooks(stack: CheckedStack) -> Iterator[Plant]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for manifest in stack.of_kind["admissionregistration.k8s.io", kind]:
            client = manifest.body["webhooks"][0]["clientConfig"]
            hook = {
                "name": f"{manifest.id.name}.example.com",
                "clientConfig": client,
                "rules": [rule],
                "failurePolicy": "Fail",
            }
            yield changed(manifest, lambda body, hook=hook: body.update(webhooks=[hook]))  # type: ignore[misc]


def namespaces(stack: CheckedStack) -> Iterator[Plant]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    for manifest in stack.of_kind["", "Namespace"]:
        if stack.workloads_in[manifest.id.name]:
            yield changed(manifest, lambda body: body["metadata"].update(labels=labels))


PLANTS: dict[str, tuple[str, Callable[[CheckedStack], Iterator[Plant]], int]] = {
    "accounts": ("missing-reference", accounts, 0),
    "ConfigMaps": ("missing-reference", config_maps, 0),
    "roles": ("missing-reference", roles, 0),
    "addresses": ("missing-reference", addresses, 0),
    "selectors": ("selects-nothing", selectors, 0),
    "selectors of policies": ("selects-nothing", policy_selectors, 0),
    "ports of Services": ("missing-port", target_ports, 1),
    "probes": ("missing-port", probes, 0),
    "budgets": ("blocked-eviction", budgets, 0),
    "policies": ("blocked-traffic", policies, 0),
    "host ports": ("port-conflict", host_ports, 1),
    "node ports": ("port-conflict", node_ports, 1),
    "StorageClasses": ("default-class-conflict", storage_classes, 1),
    "pools": ("address-conflict", pools, 1),
    "autoscalers": ("scaling-conflict", autoscalers, 0),
    "Ingresses": ("route-conflict", ingresses, 1),
    "monitors": ("duplicate-scrape", monitors, 0),
    "operators": ("duplicate-provider", operators, 0),
    "webhooks": ("webhook-deadlock", webhooks, 0),
    "namespaces": ("namespace-conflict", namespaces, 0),
}
"""For each kind of plant the code, what plants it, and how many of the planted objects are the first of a group, or have the
finding before.
"""


@pytest.fixture(scope="module")
def before(plain: CheckedStack) -> Counter[tuple[str, ObjectId | None]]:
    return Counter((finding.code, finding.object) for finding in found(plain))


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_is_found_and_nothing_else(
    name: str, everything: Forged, plain: CheckedStack, before: Counter[tuple[str, ObjectId | None]]
) -> None:
    code, plant, first = PLANTS[name]
    plants = list(islice(plant(plain), 2 * MOST))
    replaced: dict[ObjectId, Manifest] = {}
    new: list[Manifest] = []
    for original, body in plants:
        place = original.provenance if original else Provenance(component=COPY, origin="planted.yaml:1")
        manifest = Manifest.of(body, place)
        if original:
            replaced[original.id] = manifest
        else:
            new.append(manifest)
    manifests = [replaced.get(manifest.id, manifest) for manifest in plain.manifests] + new
    findings = found(checked(everything, manifests, level="privileged" if name == "namespaces" else ""))
    added_findings = Counter((finding.code, finding.object) for finding in findings) - before
    hit = {identity for (kind, identity) in added_findings if kind == code and identity}
    assert {kind for kind, _ in added_findings} <= {code}
    expected = set(replaced) or {manifest.id for manifest in new}
    if name == "monitors":
        expected = {identity for identity in expected if identity.name.startswith("planted-1-")}
    if name == "operators":
        assert len({finding.message for finding in findings if finding.component == COPY}) >= LEAST
        return
    assert len(expected - hit) <= first, sorted(map(str, expected - hit))
    assert len(expected) >= LEAST
    assert len(hit & expected) >= min(LEAST, len(expected) - first)


def test_two_definitions_of_a_kind_are_found(plain: CheckedStack) -> None:
    crds = plain.of_kind["apiextensions.k8s.io", "CustomResourceDefinition"][:MOST]
    others = [
        Manifest.of(
            {**crd.body, "spec": {**crd.body["spec"], "preserveUnknownFields": False}},
            Provenance(component=COPY, origin="a"),
        )
        for crd in crds
    ]
    conflicts = duplicates.between([(ComponentName("first"), crds), (COPY, others)])[COPY].findings
    assert {(finding.code, finding.object) for finding in conflicts} == {("crd-owner-conflict", crd.id) for crd in crds}
    assert all("serve" in finding.message for finding in conflicts)


def test_every_finding_on_the_real_stacks_is_a_true_one(plain: CheckedStack, prd: Forged) -> None:
    """All of them were looked at (ADR 0061): Secrets that people must make, a port of AMD's chart, what is there twice."""
    codes = Counter(finding.code for finding in found(plain))
    assert codes == EVERYTHING
    assert Counter(finding.code for finding in found(checked(prd, prd.manifests))) == PRD


EVERYTHING = {"missing-reference": 15, "missing-port": 1, "port-conflict": 1, "duplicate-provider": 2}
PRD = {"missing-reference": 9, "missing-port": 1, "port-conflict": 1}
