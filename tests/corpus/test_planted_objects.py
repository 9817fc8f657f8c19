"""Single objects of real charts with one mistake each: what an API server refuses or drops, and what production asks of them.

Each mistake is planted in ten objects or more of `stacks/everything`, of as many components as there are, and so is each near miss,
of which nothing may be said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from tests.checks.checked_stacks import checked_stack
from tests.corpus import plants
from tests.corpus.plants import Change, drop, first, of_kinds, planted, pod, put

from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.checks import reading, registry
from cluster_forge.checks.acceptance import deprecated_api
from cluster_forge.manifests import normalize
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.model import Size
from cluster_forge.stages.build.assembly import assembly_findings

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

MINOR: Final = 33
WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet")
NAMED: Final = ("ConfigMap", "Service", "ServiceAccount", "Deployment", "Role")
Check = Callable[[Manifest], Iterable[Finding]]


def acceptance(manifest: Manifest) -> Iterable[Finding]:
    return registry.check_acceptance([manifest], Scopes.of(MINOR, ()))


def production(manifest: Manifest) -> Iterable[Finding]:
    codes = {"gone-image", "requests", "memory-limit", "service-type"}
    findings = registry.check_component([manifest], size=Size.LARGE, level="privileged")
    return [finding for finding in findings if finding.code in codes]


def volumes(manifest: Manifest) -> Iterable[Finding]:
    return assembly_findings.deleted_volumes([manifest])


def api(version: str) -> Change:
    return put("apiVersion", value=version)


def container(**fields: Any) -> Change:
    return lambda body: [one.update(fields) for one in pod(body)["containers"]]


def both_resources(body: dict[str, Any]) -> None:
    """Requests and limits of the whole Pod, in the place of those of its containers."""
    for name in ("containers", "initContainers"):
        for one in pod(body).get(name) or ():
            one.pop("resources", None)
    pod(body)["resources"] = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}


def with_resources(body: dict[str, Any]) -> None:
    """Every container with what production asks for."""
    for name in ("containers", "initContainers"):
        for one in pod(body).get(name) or ():
            one["resources"] = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}


def claims(**retention: str) -> Change:
    """A claim for each Pod, and what becomes of it."""

    def change(body: dict[str, Any]) -> None:
        body["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}}]
        body["spec"]["persistentVolumeClaimRetentionPolicy"] = retention

    return change


MISTAKES: Final[dict[str, tuple[str, Check, tuple[str, ...], Change]]] = {
    "a name in capitals": ("invalid-name", acceptance, NAMED, put("metadata", "name", value="Web")),
    "a name with an underscore": ("invalid-name", acceptance, NAMED, put("metadata", "name", value="a_b")),
    "a name that is too long": ("invalid-name", acceptance, NAMED, put("metadata", "name", value="a" * 254)),
    "a namespace with a dot": ("invalid-name", acceptance, NAMED, put("metadata", "namespace", value="a.b")),
    "a label with a space": ("invalid-name", acceptance, NAMED, put("metadata", "labels", "app", value="a b")),
    "a label that is too long": ("invalid-name", acceptance, NAMED, put("metadata", "labels", "app", value="a" * 64)),
    "a key of a label with two slashes": ("invalid-name", acceptance, NAMED, put("metadata", "labels", "a/b/c", value="d")),
    "a removed version of workloads": ("removed-api", acceptance, WORKLOADS, api("apps/v1beta2")),
    "a removed group": ("removed-api", acceptance, ("Deployment", "DaemonSet"), api("extensions/v1beta1")),
    "a removed version of roles": ("removed-api", acceptance, ("ClusterRole", "Role"), api("rbac.authorization.k8s.io/v1beta1")),
    "a removed version of budgets": ("removed-api", acceptance, ("PodDisruptionBudget",), api("policy/v1beta1")),
    "a removed version of webhooks": ("removed-api", acceptance, ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"), api("admissionregistration.k8s.io/v1beta1")),
    "a version that never was": ("removed-api", acceptance, WORKLOADS, api("apps/v2")),
    "an owner of another cluster": ("server-field", acceptance, NAMED, put("metadata", "ownerReferences", value=[{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "9d1f"}])),
    "an image that was withdrawn": ("gone-image", production, WORKLOADS, lambda body: first(body).update(image="docker.io/bitnami/redis:7.2")),
    "no requests": ("requests", production, WORKLOADS, container(resources={"limits": {"memory": "1Gi"}})),
    "no request of CPU": ("requests", production, WORKLOADS, container(resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}})),
    "no limit of memory": ("memory-limit", production, WORKLOADS, container(resources={"requests": {"cpu": "1", "memory": "1Gi"}})),
    "a Service of nodes": ("service-type", production, ("Service",), put("spec", "type", value="NodePort")),
    "a Service with an address": ("service-type", production, ("Service",), put("spec", "type", value="LoadBalancer")),
    "volumes that go along": ("deleted-volumes", volumes, ("StatefulSet",), claims(whenDeleted="Delete")),
}  # fmt: skip
NEAR_MISSES: Final[dict[str, tuple[Check, tuple[str, ...], Change]]] = {
    "a name of digits": (acceptance, ("ConfigMap", "ServiceAccount"), put("metadata", "name", value="0a.b-1")),
    "a role with a colon": (acceptance, ("ClusterRole", "Role"), put("metadata", "name", value="system:a:b")),
    "an empty label": (acceptance, NAMED, put("metadata", "labels", "app", value="")),
    "a label of 63 characters": (acceptance, NAMED, put("metadata", "labels", "example.com/app", value="a" * 63)),
    "an owner without a uid": (acceptance, NAMED, put("metadata", "ownerReferences", value=[])),
    "an image of another registry": (production, WORKLOADS, lambda body: first(body).update(image="registry.example.com/bitnami/redis:7.2")),
    "an image of the legacy repository": (production, WORKLOADS, lambda body: first(body).update(image="docker.io/bitnamilegacy/redis:7.2")),
    "limits alone, which are requests": (production, WORKLOADS, container(resources={"limits": {"cpu": "1", "memory": "1Gi"}})),
    "resources of the whole Pod": (production, WORKLOADS, both_resources),
    "a Service without an address": (production, ("Service",), put("spec", "clusterIP", value="None")),
    "volumes that go when it is scaled": (volumes, ("StatefulSet",), claims(whenScaled="Delete", whenDeleted="Retain")),
}  # fmt: skip


@pytest.fixture(scope="module")
def objects(everything: Forged) -> list[Manifest]:
    return [
        planted(manifest, with_resources) if manifest.id.kind in WORKLOADS else manifest
        for manifest in everything.manifests
        if manifest.id.kind != "CustomResourceDefinition"
    ]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_found(name: str, objects: list[Manifest]) -> None:
    code, check, kinds, change = MISTAKES[name]
    assert plants.missed(of_kinds(objects, *kinds), change, code, check) == []


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_not_found(name: str, objects: list[Manifest]) -> None:
    check, kinds, change = NEAR_MISSES[name]
    assert plants.missed(of_kinds(objects, *kinds), change, "", check) == []


SERVED: Final = {"app.kubernetes.io/name": "planted"}


def served(body: dict[str, Any]) -> None:
    """A Deployment with two Pods on two nodes."""
    body["spec"]["replicas"] = 2
    body["spec"]["template"].setdefault("metadata", {})["labels"] = SERVED
    pod(body)["topologySpreadConstraints"] = [{"topologyKey": "kubernetes.io/hostname"}]
    pod(body).pop("affinity", None)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("replicas", drop("spec", "replicas")),
        ("replicas", put("spec", "replicas", value=1)),
        ("spread", drop("spec", "template", "spec", "topologySpreadConstraints")),
        ("", put("spec", "replicas", value=0)),
        ("", put("spec", "template", "spec", "affinity", value={"podAntiAffinity": {"preferred": []}})),
    ],
)
def test_a_workload_behind_a_service_must_stay_up(code: str, change: Change, objects: list[Manifest]) -> None:
    asked = {"replicas", "disruption-budget", "spread"}

    def check(manifest: Manifest) -> Iterable[Finding]:
        if manifest.body["spec"]["template"]["metadata"].get("labels") != SERVED:
            return []
        metadata = {"name": "planted", "namespace": manifest.id.namespace}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": SERVED}}
        spec = {"selector": {"matchExpressions": [{"key": next(iter(SERVED)), "operator": "Exists"}]}}
        budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}
        own = [manifest, *(Manifest.of(body, manifest.provenance) for body in (service, budget))]
        findings = registry.check_component(own, size=Size.MEDIUM, level="privileged")
        return [finding for finding in findings if finding.code in asked]

    workloads = [planted(manifest, served) for manifest in of_kinds(objects, "Deployment", "StatefulSet")]
    assert plants.missed(workloads, change, code, check) == []


def test_a_workload_without_a_budget_is_found(objects: list[Manifest]) -> None:
    workloads = [planted(manifest, served) for manifest in of_kinds(objects, "Deployment", "StatefulSet")][
        : plants.MOST
    ]
    for manifest in workloads:
        metadata = {"name": "planted", "namespace": manifest.id.namespace}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": SERVED}}
        own = [manifest, Manifest.of(service, manifest.provenance)]
        findings = registry.check_component(own, size=Size.MEDIUM, level="privileged")
        assert [one.code for one in findings if one.code in {"disruption-budget", "replicas", "spread"}] == [
            "disruption-budget"
        ]
    assert len(workloads) >= plants.LEAST


def test_accounts_without_a_namespace_are_found(objects: list[Manifest]) -> None:
    def check(manifest: Manifest) -> Iterable[Finding]:
        return assembly_findings.open_subjects(manifest, "planted")

    def of_account(body: dict[str, Any]) -> bool:
        return any(subject["kind"] == "ServiceAccount" for subject in body.get("subjects") or ())

    bindings = [one for one in of_kinds(objects, "ClusterRoleBinding") if of_account(dict(one.body))]
    change = lambda body: [subject.pop("namespace", None) for subject in body["subjects"]]  # noqa: E731
    assert plants.missed(bindings, change, "missing-namespace", check) == []
    people = put("subjects", value=[{"kind": "Group", "name": "admins", "apiGroup": "rbac.authorization.k8s.io"}])
    assert plants.missed(bindings, people, "", check) == []


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        (put("metadata", "resourceVersion", value="7"), True),
        (put("metadata", "uid", value="9d1f"), True),
        (put("metadata", "managedFields", value=[{"manager": "kubectl"}]), True),
        (put("status", value={"observedGeneration": 1}), True),
        (put("metadata", "creationTimestamp", value=None), False),
        (put("status", value={}), False),
    ],
)
def test_what_a_server_wrote_is_found(change: Change, is_found: bool, objects: list[Manifest]) -> None:
    """As they are read: an exported object has these fields."""
    tried = of_kinds(objects, *NAMED)[: plants.MOST]
    for manifest in tried:
        body = dict(planted(manifest, change).body)
        (read,) = normalize.objects(body, manifest.provenance, ())
        codes = [finding.code for finding in reading.findings([read])]
        assert codes == (["server-field"] if is_found else []), manifest.id
    assert len(tried) >= plants.LEAST


def test_a_key_that_stands_twice_is_found(objects: list[Manifest]) -> None:
    reader = PurePythonYaml()
    tried = of_kinds(objects, *NAMED)[: plants.MOST]
    for manifest in tried:
        text = yaml.safe_dump(dict(manifest.body), sort_keys=False)
        for added, expected in (("metadata: {name: again}\n", ["repeated-key"]), ("# kind: again\n", [])):
            document = reader.examine(text + added)
            (read,) = normalize.objects(document.value, manifest.provenance, document.repeated_keys)
            assert [finding.code for finding in reading.findings([read])] == expected, manifest.id
    assert len(tried) >= plants.LEAST


def autoscaler(version: str) -> Change:
    def change(body: dict[str, Any]) -> None:
        name = body["metadata"]["name"]
        target = {"apiVersion": body["apiVersion"], "kind": body["kind"], "name": name}
        body.update(apiVersion=version, kind="HorizontalPodAutoscaler")
        body["spec"] = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}

    return change


@pytest.mark.parametrize(
    ("version", "minor", "code"),
    [("v2beta2", 25, "deprecated-api"), ("v2", 25, ""), ("v1", 33, ""), ("v2beta2", 26, "")],
)
def test_what_the_next_minor_removes_is_found(version: str, minor: int, code: str, objects: list[Manifest]) -> None:
    def check(manifest: Manifest) -> Iterable[Finding]:
        return deprecated_api.findings(checked_stack([manifest], minor=minor))

    change = autoscaler(f"autoscaling/{version}")
    assert plants.missed(of_kinds(objects, "Deployment"), change, code, check) == []


def test_what_a_definition_deprecates_is_found(everything: Forged) -> None:
    """Of each kind that is used: the version of its objects is called deprecated, or another one."""
    definitions = {
        (one.facts.defines.group, one.facts.defines.kind): one for one in everything.manifests if one.facts.defines
    }
    used: dict[tuple[str, str], Manifest] = {}
    for manifest in everything.manifests:
        used.setdefault((manifest.id.group, manifest.id.kind), manifest)
    tried = 0
    for kind in list(definitions.keys() & used.keys())[: plants.MOST]:
        definition, resource = definitions[kind], used[kind]
        versions = definition.body["spec"]["versions"]
        for number, version in enumerate(versions):
            called = planted(definition, put("spec", "versions", number, "deprecated", value=True))
            before = list(deprecated_api.findings(checked_stack([definition, resource])))
            after = list(deprecated_api.findings(checked_stack([called, resource])))
            is_found = version["name"] == resource.facts.version
            assert [one.object for one in after] == ([resource.id] if is_found or before else []), resource.id
        tried += 1
    assert tried >= plants.LEAST
