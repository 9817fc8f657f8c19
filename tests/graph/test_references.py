"""Which objects an object names: the fields of its kind, labels, annotations, and what a field's name means in any API."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph import references
from cluster_forge.graph.built_in_fields import FIELDS
from cluster_forge.graph.custom_fields import FIELDS as CUSTOM_FIELDS
from cluster_forge.graph.reference import Reference, Strength
from cluster_forge.graph.reference_field import ReferenceField
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.scope import Scopes

SCOPES = Scopes(33, {})
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def manifest(api_version: str, kind: str, namespace: str = "shop", **members: Any) -> Manifest:
    metadata = {"name": "it", **({"namespace": namespace} if namespace else {}), **members.pop("metadata", {})}
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **members}
    return Manifest.of(body, Provenance(component=ComponentName("shop"), origin="templates/it.yaml"))


def named(api_version: str, kind: str, namespace: str = "shop", **members: Any) -> list[str]:
    found = references.of(manifest(api_version, kind, namespace, **members), SCOPES)
    return [f"{one.kind}.{one.group}/{one.namespace}/{one.name} {one.field}" for one in found]


def deployment(**pod: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": pod}}}


def test_a_pod_names_its_account_and_secrets_with_the_path_of_the_field() -> None:
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "login", "key": "user"}}}]
    found = named(
        "apps/v1", "Deployment", **deployment(serviceAccountName="web", containers=[{"name": "web", "env": env}])
    )
    assert found == [
        "ServiceAccount./shop/web spec.template.spec.serviceAccountName",
        'Secret./shop/login spec.template.spec.containers[name="web"].env[name="A"].valueFrom.secretKeyRef.name',
    ]


def test_optional_references_say_so_and_keys_are_known() -> None:
    volumes = [
        {"name": "a", "secret": {"secretName": "a", "optional": True}},
        {"name": "b", "configMap": {"name": "b", "items": [{"key": "x"}, {"key": "y"}]}},
    ]
    found = references.of(manifest("v1", "Pod", spec={"volumes": volumes}), SCOPES)
    assert [(one.name, one.is_optional, one.keys) for one in found] == [("a", True, ()), ("b", False, ("x", "y"))]


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "expected"),
    [
        ("cert-manager.io/v1", "Certificate", {"issuerRef": {"name": "ca"}}, "Issuer.cert-manager.io/shop/ca"),
        (
            "cert-manager.io/v1",
            "Certificate",
            {"issuerRef": {"name": "ca", "kind": "ClusterIssuer"}},
            "ClusterIssuer.cert-manager.io//ca",
        ),
        (
            "external-secrets.io/v1",
            "ExternalSecret",
            {"secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"}},
            "ClusterSecretStore.external-secrets.io//vault",
        ),
        (
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            {"parentRefs": [{"name": "public", "namespace": "edge"}]},
            "Gateway.gateway.networking.k8s.io/edge/public",
        ),
        (
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            {"endpoints": [{"basicAuth": {"username": {"name": "login", "key": "u"}}}]},
            "Secret./shop/login",
        ),
        (
            "postgresql.cnpg.io/v1",
            "Cluster",
            {"backup": {"barmanObjectStore": {"s3Credentials": {"accessKeyId": {"name": "s3", "key": "k"}}}}},
            "Secret./shop/s3",
        ),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
            "Deployment.apps/shop/web",
        ),
        ("v1", "PersistentVolumeClaim", {"storageClassName": "fast"}, "StorageClass.storage.k8s.io//fast"),
        ("example.com/v1", "Anything", {"deep": [{"secretKeyRef": {"name": "s"}}]}, "Secret./shop/s"),
        (
            "example.com/v1",
            "Policy",
            {"targetRefs": [{"group": "apps", "kind": "Deployment", "name": "w"}]},
            "Deployment.apps/shop/w",
        ),
    ],
)
def test_each_kind_has_its_fields(api_version: str, kind: str, spec: dict[str, Any], expected: str) -> None:
    assert [text.partition(" ")[0] for text in named(api_version, kind, spec=spec)] == [expected]


def test_an_empty_class_and_people_name_nothing() -> None:
    assert named("v1", "PersistentVolumeClaim", spec={"storageClassName": ""}) == []
    subjects = [{"kind": "User", "name": "jane"}, {"kind": "ServiceAccount", "name": "web", "namespace": "x"}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    found = named("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef=role, subjects=subjects)
    assert found == [
        "ClusterRole.rbac.authorization.k8s.io//view roleRef.name",
        'ServiceAccount./x/web subjects[name="web"].name',
    ]


def test_a_namespaced_object_that_a_cluster_scoped_one_names_without_its_namespace_is_unknown() -> None:
    provider = {"vault": {"auth": {"tokenSecretRef": {"name": "token"}}}}
    assert named("external-secrets.io/v1", "ClusterSecretStore", "", spec={"provider": provider}) == []


def test_annotations_and_labels_name_objects() -> None:
    annotations = {"cert-manager.io/cluster-issuer": "letsencrypt", "cert-manager.io/inject-ca-from": "certs/ca"}
    metadata = {"annotations": annotations, "labels": {"kueue.x-k8s.io/queue-name": "q"}}
    assert [text.partition(" ")[0] for text in named("batch/v1", "Job", metadata=metadata)] == [
        "ClusterIssuer.cert-manager.io//letsencrypt",
        "Certificate.cert-manager.io/certs/ca",
        "LocalQueue.kueue.x-k8s.io/shop/q",
    ]


def test_a_crd_names_the_service_of_its_conversion_alone() -> None:
    webhook = {"webhook": {"clientConfig": {"service": {"name": "hook", "namespace": "op"}}}}
    spec = {"group": "x.io", "names": {"kind": "X"}, "conversion": webhook, "secretKeyRef": {"name": "no"}}
    found = named("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", spec=spec)
    assert found == ["Service./op/hook spec.conversion.webhook.clientConfig.service.name"]


def test_fields_of_a_kind_can_be_given() -> None:
    extra = {("x.io", "Thing"): (ReferenceField("spec queue", "Queue.y.io", name="", strength=Strength.PREFERRED),)}
    found = references.of(manifest("x.io/v1", "Thing", spec={"queue": "main"}), SCOPES, extra)
    assert [one.target for one in found] == [("y.io", "Queue", "shop", "main")]


@given(kind=st.sampled_from(sorted({*FIELDS, *CUSTOM_FIELDS})), spec=JSON)
def test_values_of_any_type_name_something_or_nothing(kind: tuple[str, str], spec: Any) -> None:
    group, name = kind
    found = references.of(manifest(f"{group}/v1" if group else "v1", name, spec=spec), SCOPES)
    assert all(isinstance(one, Reference) for one in found)


@pytest.mark.parametrize("kind", sorted({*FIELDS, *CUSTOM_FIELDS}))
def test_a_wrong_type_at_each_step_of_each_path_names_nothing(kind: tuple[str, str]) -> None:
    group, name = kind
    for field in (*FIELDS.get(kind, ()), *CUSTOM_FIELDS.get(kind, ())):
        steps = field.path.split()
        for end in range(1, len(steps) + 1):
            for wrong in (7, True, None, [], [3], {}, {"name": 3, "namespace": []}):
                body = _nested(steps[:end], wrong)
                made = manifest(f"{group}/v1" if group else "v1", name, **body)
                assert all(isinstance(one.name, str) for one in references.of(made, SCOPES))


def _nested(steps: list[str], value: Any) -> dict[str, Any]:
    for step in reversed(steps):
        match step:
            case "[]":
                value = [value]
            case "{}" | "**":
                value = {"member": value}
            case _:
                value = {f"x{step[1:]}" if step.startswith("*") else step: value}
    return value if isinstance(value, dict) else {}
