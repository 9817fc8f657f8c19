"""Custom resources against their CRD, and CRDs themselves: what an API server refuses is found, at its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.checked_stacks import checked_stack
from tests.checks.object_changes import JSON, REMOVED, changed, paths

from cluster_forge.checks.custom_resources import custom_resource, definition
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest, Provenance

CRD: Mapping[str, Any] = yaml.safe_load("""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          metadata: {type: object}
          spec:
            type: object
            required: [size, mode]
            oneOf:
            - required: [first]
            - required: [second]
            properties:
              size: {type: integer, minimum: 1, maximum: 10, format: int32}
              mode: {type: string, enum: [fast, slow], default: fast}
              name: {type: string, pattern: '^[a-z]+(-[a-z]+)*$', maxLength: 20}
              when: {type: string, format: date-time}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              ratio: {type: number, multipleOf: 0.25}
              note: {type: string, nullable: true}
              first: {type: string}
              second: {type: string}
              tags: {type: array, maxItems: 3, items: {type: string}, x-kubernetes-list-type: set}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port, protocol]
                items:
                  type: object
                  required: [port]
                  properties: {port: {type: integer}, protocol: {type: string, default: TCP}}
              labels: {type: object, additionalProperties: {type: string}}
              config: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {level: {type: integer}}}
              template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
              choice:
                type: object
                properties: {kind: {type: string}, value: {type: integer}}
                anyOf:
                - properties: {kind: {enum: [a]}, value: {minimum: 5}}
                - properties: {kind: {enum: [b]}}
                not: {required: [forbidden]}
""")
WIDGET: Mapping[str, Any] = yaml.safe_load("""
apiVersion: example.com/v1
kind: Widget
metadata: {name: one, namespace: shop}
spec: {size: 3, first: x}
""")


def findings(*bodies: Mapping[str, Any]) -> list[Finding]:
    provenance = Provenance(component=ComponentName("web"), origin="templates/widget.yaml")
    checked = checked_stack([Manifest.of(body, provenance) for body in bodies])
    return [*custom_resource.findings(checked), *definition.findings(checked)]


REFUSED: list[tuple[str, object, str, str]] = [
    ("spec", REMOVED, "spec", "is missing"),
    ("spec/size", REMOVED, "spec.size", "is missing"),
    ("spec/size", "3", "spec.size", "must be a whole number, and is text"),
    ("spec/size", 1.5, "spec.size", "must be a whole number"),
    ("spec/size", 11, "spec.size", "above the greatest value 10"),
    ("spec/size", 0, "spec.size", "below the least value 1"),
    ("spec/size", None, "spec.size", "is missing"),
    ("spec/mode", "medium", "spec.mode", 'none of "fast", "slow"'),
    ("spec/name", "A", "spec.name", "does not match"),
    ("spec/name", "a" * 21, "spec.name", "21 characters, and may have 20"),
    ("spec/when", "yesterday", "spec.when", "a time such as"),
    ("spec/port", 1.5, "spec.port", "a whole number or text"),
    ("spec/ratio", 0.3, "spec.ratio", "multiple of 0.25"),
    ("spec/second", "y", "spec", "fits 2 of the choices"),
    ("spec/first", REMOVED, "spec", "none of the fields"),
    ("spec/tags", ["a", "a"], "spec.tags[1]", "twice"),
    ("spec/tags", ["a", "b", "c", "d"], "spec.tags", "may have 3"),
    ("spec/tags", ["a", None], "spec.tags[1]", "must be text, and is null"),
    ("spec/ports", [{"port": 1}, {"port": 1, "protocol": "TCP"}], "spec.ports[1]", "twice"),
    ("spec/ports", [{"protocol": "TCP"}], "spec.ports[0].port", "is missing"),
    ("spec/labels", {"a": 1}, "spec.labels.a", "must be text"),
    ("spec/config/level", "high", "spec.config.level", "must be a whole number"),
    ("spec/sise", 3, "spec.sise", "did you mean size?"),
    ("specs", {}, "specs", "did you mean spec?"),
    ("spec/choice", {"kind": "a", "value": 1}, "spec.choice", "fits none of the choices"),
    ("metadata/labels", {"a": 1}, "metadata.labels.a", "must be text"),
]
ACCEPTED: list[tuple[str, object]] = [
    ("spec/size", 3.0),
    ("spec/mode", None),
    ("spec/note", None),
    ("spec/name", "a-b"),
    ("spec/port", "http"),
    ("spec/ports", [{"port": 1}, {"port": 1, "protocol": "UDP"}]),
    ("spec/config", {"level": 1, "anything": {"at": ["all"]}}),
    ("spec/template", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}),
    ("spec/choice", {"kind": "a", "value": 5}),
    ("spec/choice", {"kind": "b", "value": 1}),
    ("metadata/labels", {"a": "b"}),
    ("apiVersion", "example.com/v2"),
]
VERSION = "spec/versions/0/schema/openAPIV3Schema"
SCHEMA = "spec.versions[0].schema.openAPIV3Schema"
DEFINITIONS: list[tuple[str, object, str, str]] = [
    ("metadata/name", "widget.example.com", "metadata.name", "widgets.example.com"),
    ("spec/group", "example", "spec.group", "at least one dot"),
    ("spec/names/plural", "Widgets", "spec.names.plural", "not a DNS label"),
    ("spec/names/kind", REMOVED, "spec.names.kind", "is missing"),
    ("spec/scope", "Namespace", "spec.scope", "none of Cluster"),
    ("spec/versions", [], "spec.versions", "versions is missing"),
    ("spec/versions/0/storage", False, "spec.versions", "0 versions"),
    ("spec/versions/0/schema", REMOVED, SCHEMA, "a version has a schema"),
    ("spec/versions/0/name", "1", "spec.versions[0].name", "not a version"),
    ("spec/version", "v1", "spec.version", "did you mean versions?"),
    ("spec/conversion", {"strategy": "Webhook"}, "spec.conversion.webhook", "needs webhook"),
    (
        f"{VERSION}/properties/spec/properties/size/default",
        11,
        f"{SCHEMA}.properties.spec.properties.size.default",
        "it does not fit its own schema: default is 11, above the greatest value 10",
    ),
    (f"{VERSION}/type", REMOVED, f"{SCHEMA}.type", "type is missing"),
    (f"{VERSION}/type", "array", f"{SCHEMA}.type", "must be object"),
    (
        f"{VERSION}/properties/spec/properties/size/type",
        REMOVED,
        f"{SCHEMA}.properties.spec.properties.size.type",
        "type is missing",
    ),
    (
        f"{VERSION}/properties/spec/properties/size/type",
        "int",
        f"{SCHEMA}.properties.spec.properties.size.type",
        "none of array",
    ),
    (
        f"{VERSION}/properties/spec/properties/tags/items",
        REMOVED,
        f"{SCHEMA}.properties.spec.properties.tags.items",
        "schema of its entries",
    ),
    (
        f"{VERSION}/properties/spec/properties/name/pattern",
        "(",
        f"{SCHEMA}.properties.spec.properties.name.pattern",
        "does not compile",
    ),
    (
        f"{VERSION}/properties/spec/properties/name/pattern",
        "(?=a)",
        f"{SCHEMA}.properties.spec.properties.name.pattern",
        "does not compile",
    ),
    (f"{VERSION}/properties/spec/$ref", "#/x", f'{SCHEMA}.properties.spec["$ref"]', "not supported"),
    (
        f"{VERSION}/properties/spec/additionalProperties",
        {"type": "string"},
        f"{SCHEMA}.properties.spec.additionalProperties",
        "does not go with",
    ),
    (f"{VERSION}/properties/spec/oneOf/0/type", "object", f"{SCHEMA}.properties.spec.oneOf[0].type", "not structural"),
    (f"{VERSION}/properties/spec/propertys", {}, f"{SCHEMA}.properties.spec.propertys", "did you mean properties?"),
    (
        f"{VERSION}/properties/spec/properties/tags/uniqueItems",
        True,
        f"{SCHEMA}.properties.spec.properties.tags.uniqueItems",
        "cannot be true",
    ),
    (
        f"{VERSION}/properties/spec/properties/ports/x-kubernetes-list-map-keys",
        ["nr"],
        f"{SCHEMA}.properties.spec.properties.ports.x-kubernetes-list-map-keys",
        "not a property",
    ),
]


@pytest.mark.parametrize(("path", "value", "field", "message"), REFUSED)
def test_what_the_schema_refuses_is_found_at_its_field(path: str, value: object, field: str, message: str) -> None:
    about = {finding.field: finding for finding in findings(CRD, changed(WIDGET, path, value))}
    assert field in about, list(about)
    assert message in about[field].message
    assert about[field].code == "custom-resource-invalid"
    assert str(about[field].object) == "Widget.example.com/shop/one"


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_what_the_schema_takes_is_not_found(path: str, value: object) -> None:
    assert findings(CRD, changed(WIDGET, path, value)) == []


@pytest.mark.parametrize(("path", "value", "field", "message"), DEFINITIONS)
def test_a_crd_that_an_api_server_refuses_is_found(path: str, value: object, field: str, message: str) -> None:
    about = {finding.field: finding for finding in findings(changed(CRD, path, value))}
    assert field in about, list(about)
    assert message in about[field].message
    assert about[field].code == "schema-invalid"


def test_a_group_of_kubernetes_needs_its_approval() -> None:
    crd = changed(changed(CRD, "spec/group", "x.k8s.io"), "metadata/name", "widgets.x.k8s.io")
    assert [finding.field for finding in findings(crd)] == ['metadata.annotations["api-approved.kubernetes.io"]']
    assert findings(changed(crd, "metadata/annotations", {"api-approved.kubernetes.io": "unapproved"})) == []


def test_a_resource_without_its_crd_is_not_looked_at() -> None:
    assert findings(changed(WIDGET, "spec", "anything")) == []


_PLACES = [path for path in paths(CRD) if path.startswith("spec/")]


@given(st.sampled_from(_PLACES), JSON, JSON)
def test_no_crd_and_no_resource_raises(path: str, schema: Any, value: Any) -> None:
    findings(changed(CRD, path, schema), changed(WIDGET, "spec", value))
    findings(changed(CRD, path, schema), changed(changed(WIDGET, "spec/ports", value), "spec/choice", value))


def test_a_default_that_does_not_fit_is_reported_once() -> None:
    definition_ = changed(CRD, f"{VERSION}/properties/spec/properties/size/default", 11)
    objects = [changed(WIDGET, "spec/size", REMOVED), changed(WIDGET, "metadata/name", "two")]
    (finding,) = findings(definition_, *objects)
    assert finding.object
    assert finding.object.kind == "CustomResourceDefinition"
    own = findings(definition_, changed(WIDGET, "spec/size", 12))
    assert [one.field for one in own][:1] == ["spec.size"]
