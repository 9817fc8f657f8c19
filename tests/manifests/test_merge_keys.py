from __future__ import annotations

import pytest
from tests.gitops.conftest import crd_of

from cluster_forge.manifests import kubernetes_apis, schema_lines
from cluster_forge.manifests.field_schema import UNKNOWN, FieldSchema, ListType, PatchStrategy
from cluster_forge.manifests.kubernetes_schema_table import KINDS
from cluster_forge.manifests.merge_key_table import FIELDS
from cluster_forge.manifests.merge_keys import MergeKeys


def schema(kind: str, *, minor: int = 36, group: str = "", version: str = "v1") -> FieldSchema:
    found = MergeKeys.of(minor).schema(group, version, kind)
    assert found is not None
    return found


def at(root: FieldSchema, path: str) -> FieldSchema:
    """The schema at a path; ``[]`` are the entries of a list."""
    for step in path.split("."):
        name, _, entries = step.partition("[")
        root = root.field(name)
        root = root.entries if entries else root
    return root


@pytest.mark.parametrize(
    ("path", "list_type", "keys", "merge_key"),
    [
        ("spec.template.spec.containers", ListType.MAP, ("name",), "name"),
        ("spec.template.spec.containers[].env", ListType.MAP, ("name",), "name"),
        ("spec.template.spec.containers[].ports", ListType.MAP, ("containerPort", "protocol"), "containerPort"),
        ("spec.template.spec.containers[].volumeMounts", ListType.MAP, ("mountPath",), "mountPath"),
        ("spec.template.spec.containers[].args", ListType.ATOMIC, (), ""),
        ("spec.template.spec.containers[].resources.claims", ListType.MAP, ("name",), ""),
        ("spec.template.spec.tolerations", ListType.ATOMIC, (), ""),
        ("spec.template.spec.hostAliases", ListType.MAP, ("ip",), "ip"),
        ("metadata.finalizers", ListType.SET, (), ""),
        ("metadata.ownerReferences", ListType.MAP, ("uid",), "uid"),
        ("spec.template.metadata.finalizers", ListType.SET, (), ""),
    ],
)
@pytest.mark.parametrize("minor", range(27, 38))
def test_the_lists_of_a_deployment(
    minor: int, path: str, list_type: ListType, keys: tuple[str, ...], merge_key: str
) -> None:
    marks = at(schema("Deployment", group="apps", minor=minor), path).marks
    assert (marks.list_type, marks.keys, marks.merge_key) == (list_type, keys, merge_key)


def test_the_protocol_of_a_port_has_a_default() -> None:
    ports = at(schema("Service"), "spec.ports")
    assert (ports.keys, dict(ports.marks.defaults)) == (("port", "protocol"), {"protocol": "TCP"})


def test_a_set_may_be_merged_by_a_patch_or_not() -> None:
    assert at(schema("Pod"), "metadata.finalizers").marks.list_strategy is PatchStrategy.MERGE
    policy = schema("ValidatingAdmissionPolicyBinding", group="admissionregistration.k8s.io")
    actions = at(policy, "spec.validationActions").marks
    assert (actions.list_type, actions.list_strategy) == (ListType.SET, PatchStrategy.REPLACE)


def test_the_selector_of_a_disruption_budget_is_replaced() -> None:
    budget = schema("PodDisruptionBudget", group="policy")
    assert at(budget, "spec.selector").marks.mapping_strategy is PatchStrategy.REPLACE
    assert at(budget, "spec").marks.mapping_strategy is PatchStrategy.MERGE


def test_references_and_selectors_are_one_value_and_mappings_with_free_names_are_not() -> None:
    pod = schema("Pod")
    assert at(pod, "spec.containers[].env[].valueFrom.secretKeyRef").marks.is_one_value
    assert at(schema("Deployment", group="apps"), "spec.selector").marks.is_one_value
    for path in ("spec.nodeSelector", "spec.containers[].resources.limits", "metadata.labels", "spec.securityContext"):
        assert not at(pod, path).marks.is_one_value


def test_a_mapping_with_free_names_leads_to_its_values() -> None:
    definition = schema("CustomResourceDefinition", group="apiextensions.k8s.io")
    validation = at(definition, "spec.versions[].schema.openAPIV3Schema")
    for path in ("properties.spec.properties.replicas", "properties.a.properties.b.properties.c"):
        assert at(validation, f"{path}.x-kubernetes-validations").keys == ("rule",)


def test_unknown_kinds_and_fields() -> None:
    assert MergeKeys.of(36).schema("example.com", "v1", "Deployment") is None
    pod = schema("Pod")
    for path in ("spec.nothing", "spec.nothing.containers", "spec.containers[].image.deeper", "containers"):
        assert at(pod, path) is UNKNOWN
    assert UNKNOWN.entries is UNKNOWN
    assert pod.entries is UNKNOWN


def test_a_kind_that_the_minor_does_not_have_is_taken_from_the_nearest() -> None:
    old = MergeKeys.of(36).schema("policy", "v1beta1", "PodDisruptionBudget")
    coming = MergeKeys.of(25).schema("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicy")
    for minor in (1, 99):
        assert at(schema("Pod", minor=minor), "spec.containers").keys == ("name",)
    assert old is None or at(old, "spec").list_type is ListType.ATOMIC
    assert coming is not None
    assert at(coming, "spec.matchConditions").keys == ("name",)


def test_every_definition_that_the_table_names_is_in_it_for_the_same_minors() -> None:
    table = {name: list(schema_lines.fields(lines)) for name, lines in schema_lines.definitions(FIELDS).items()}
    known = {
        name: {m for line in lines for m in kubernetes_apis.minors_in(line.minors)} for name, lines in table.items()
    }
    named = [
        (line.type.lstrip("[]{}"), line.minors) for lines in table.values() for line in lines if line.type != "any"
    ]
    named += [(definition, minors) for _, _, _, minors, definition in KINDS]
    for definition, minors in named:
        assert set(kubernetes_apis.minors_in(minors)) <= known[definition], definition


SHOP_SPEC = {
    "items": {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["zone", "sku"],
        "items": {
            "properties": {"zone": {"default": "all"}, "sku": {}, "tags": {"x-kubernetes-list-type": "set"}},
        },
    },
    "owner": {"x-kubernetes-map-type": "atomic", "properties": {"name": {}}},
    "free": {"x-kubernetes-map-type": "atomic", "additionalProperties": {}},
    "template": {"x-kubernetes-embedded-resource": True},
    "by_name": {"additionalProperties": {"properties": {"tags": {"x-kubernetes-list-type": "set"}}}},
}
SHOP_FIELDS = {"metadata": {"type": "object"}, "spec": {"properties": SHOP_SPEC}}
CRD = crd_of("example.com", "Shop", "v1", schema={"openAPIV3Schema": {"type": "object", "properties": SHOP_FIELDS}})


def test_a_custom_resource_merges_as_its_definition_says() -> None:
    shop = MergeKeys.of(36, [CRD]).schema("example.com", "v1", "Shop")
    assert shop is not None
    items = at(shop, "spec.items").marks
    assert (items.list_type, items.keys, dict(items.defaults)) == (ListType.MAP, ("zone", "sku"), {"zone": "all"})
    assert (items.merge_key, items.list_strategy) == ("sku", PatchStrategy.MERGE)
    assert at(shop, "spec.items[].tags").list_type is ListType.SET
    assert at(shop, "spec.by_name.anything.tags").list_type is ListType.SET
    assert at(shop, "spec.owner").marks.is_one_value
    assert not at(shop, "spec.free").marks.is_one_value
    for path in ("metadata.finalizers", "spec.template.metadata.finalizers"):
        assert at(shop, path).list_type is ListType.SET
    assert at(shop, "spec.metadata") is UNKNOWN
    assert at(shop, "spec.nothing") is UNKNOWN
    assert MergeKeys.of(36, [CRD]).schema("example.com", "v2", "Shop") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"spec": None},
        {"spec": {"group": 1, "names": [], "versions": [None, {}, {"name": "v1", "schema": {"openAPIV3Schema": []}}]}},
        {"spec": {"group": "example.com", "names": {"kind": "Shop"}, "versions": {"name": "v1"}}},
    ],
)
def test_what_is_not_a_proper_definition_defines_nothing(wrong: dict[str, object]) -> None:
    assert MergeKeys.of(36, [wrong]).schema("example.com", "v1", "Shop") is None


def test_a_schema_of_wrong_types_is_unknown() -> None:
    body = {
        "spec": {
            "group": "example.com",
            "names": {"kind": "Shop"},
            "versions": [
                {
                    "name": "v1",
                    "schema": {
                        "openAPIV3Schema": {
                            "x-kubernetes-list-type": [],
                            "properties": {
                                "a": 1,
                                "b": {"items": 3, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [1]},
                            },
                        }
                    },
                }
            ],
        }
    }
    shop = MergeKeys.of(36, [body]).schema("example.com", "v1", "Shop")
    assert shop is not None
    assert at(shop, "a") is UNKNOWN
    assert (at(shop, "b").list_type, at(shop, "b[]")) == (ListType.ATOMIC, UNKNOWN)
