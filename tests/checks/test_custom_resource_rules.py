"""Rules of CRDs: which objects they refuse, what is not evaluated, and that hostile ones end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.custom_resources import rules
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Stack


def definition(schema: Mapping[str, Any], **version: Any) -> Manifest:
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "shops.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Shop", "plural": "shops"},
            "versions": [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}, **version}],
        },
    }
    return Manifest.of(body, Provenance(component=ComponentName("shop"), origin="crds/shop.yaml:1"))


def resource(spec: Any, **others: Any) -> Manifest:
    body = {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "one"}, "spec": spec, **others}
    return Manifest.of(body, Provenance(component=ComponentName("shop"), origin="templates/shop.yaml:3"))


def found(spec_schema: Mapping[str, Any], spec: Any, **others: Any) -> list[Finding]:
    schema = {"type": "object", "properties": {"spec": spec_schema, "status": others.pop("status_schema", {})}}
    manifests = [definition(schema, **others.pop("version", {})), resource(spec, **others)]
    return list(rules.findings(CheckedStack(Stack(name="platform"), manifests, waves={})))


def ruled(*expressions: str, **schema: Any) -> dict[str, Any]:
    return {"type": "object", "x-kubernetes-validations": [{"rule": rule} for rule in expressions], **schema}


INTEGERS = {"properties": {"least": {"type": "integer"}, "most": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "spec"),
    [
        (ruled("self.least <= self.most", **INTEGERS), {"least": 3, "most": 2}),
        (ruled("has(self.least)", **INTEGERS), {"most": 2}),
        (ruled("self.least > 0", **INTEGERS), {"most": 2}),  # no such key
        (ruled("self.least <= self.most", properties={"most": {"default": 1}}), {"least": 3}),
        ({"properties": {"list": {"items": ruled("self.a != ''")}}}, {"list": [{"a": "x"}, {"a": ""}]}),
        ({"additionalProperties": ruled("self.a == 1")}, {"one": {"a": 1}, "two": {"a": 2}}),
        ({"properties": {"name": {**ruled("self.startsWith('a')"), "type": "string"}}}, {"name": "b"}),
        (ruled("self.wait < duration('1m')", properties={"wait": {"format": "duration"}}), {"wait": "90s"}),
        (ruled("self.at > timestamp('2020-01-01T00:00:00Z')", properties={"at": {"format": "date-time"}}),
         {"at": "2019-01-01T00:00:00Z"}),
        (ruled("self.ratio * 2.0 < 1.0", properties={"ratio": {"type": "number"}}), {"ratio": 1}),
        (ruled("isURL(self.url)"), {"url": "example.com"}),
        (ruled("self.name.matches('^[a-z]+$')"), {"name": "A"}),
        (ruled("self.x__dash__y == 1"), {"x-y": 2}),
    ],
)  # fmt: skip
def test_a_value_that_a_rule_refuses_is_an_error(schema: Mapping[str, Any], spec: Any) -> None:
    (finding,) = found(schema, spec)
    assert (finding.code, finding.severity) == ("custom-resource-invalid", Severity.ERROR)
    assert finding.field.startswith("spec")
    assert finding.where == "templates/shop.yaml:3"


@pytest.mark.parametrize(
    ("schema", "spec"),
    [
        (ruled("self.least <= self.most", **INTEGERS), {"least": 1, "most": 2}),
        (ruled("self == oldSelf"), {"a": 1}),
        (ruled("self.least <= self.most", properties={"most": {"default": 5}}), {"least": 3}),
        (ruled("self.a == 1"), None),
        ({"properties": {"other": ruled("self.a == 1")}}, {"a": 2}),
        (ruled("self.wait < duration('1m')", properties={"wait": {"format": "duration"}}), {"wait": "5s"}),
        (ruled("!has(self.a) || self.a == 'x'"), {}),
        ({"anyOf": [ruled("false")]}, {"a": 1}),
    ],
)
def test_a_value_that_all_rules_take_is_not_reported(schema: Mapping[str, Any], spec: Any) -> None:
    assert found(schema, spec) == []


def test_a_rule_about_a_change_that_allows_creation_is_evaluated() -> None:
    rule = {"rule": "oldSelf.hasValue() || self.a == 1", "optionalOldSelf": True, "message": "a is 1 at first"}
    (finding,) = found({"x-kubernetes-validations": [rule]}, {"a": 2})
    assert finding.message == "a is 1 at first"


def test_the_finding_has_the_message_and_the_field_of_the_rule() -> None:
    rule = {"rule": "self.a == 1", "messageExpression": "'a is %d'.format([self.a])", "fieldPath": ".a"}
    (finding,) = found({"properties": {"b": {"x-kubernetes-validations": [rule]}}}, {"b": {"a": 2}})
    assert (finding.message, finding.field) == ("a is 2", "spec.b.a")
    assert "self.a == 1" in finding.fix


@pytest.mark.parametrize("rule", ["self.a ==", "namespace == 1", "self.all(1, true)"])
def test_a_rule_that_is_not_cel_is_an_error_of_the_crd(rule: str) -> None:
    (finding,) = found(ruled(rule), {"a": 1})
    assert (finding.code, finding.severity) == ("schema-invalid", Severity.ERROR)
    assert (
        finding.field.endswith('.properties.spec["x-kubernetes-validations"][0].rule')
        or "x-kubernetes" in finding.field
    )
    assert finding.object is not None
    assert finding.object.kind == "CustomResourceDefinition"


@pytest.mark.parametrize(
    ("rule", "severity", "message"),
    [
        ("sefl.a == 1", Severity.ERROR, "names 'sefl', and a rule knows self and oldSelf, did you mean 'self'?"),
        ("authorizer == self", Severity.ERROR, "names 'authorizer', and a rule knows self and oldSelf"),
        (
            "authorizer.group('').check('get').allowed()",
            Severity.WARNING,
            "calls what rules of CRDs do not have: the function '",
        ),
        ("self.a.isLong()", Severity.WARNING, "the function 'isLong' with 0 arguments"),
        ("self.a.startsWith('b', 1)", Severity.WARNING, "the function 'startsWith' with 2 arguments"),
    ],
)
def test_a_rule_that_no_api_server_compiles_is_found(rule: str, severity: Severity, message: str) -> None:
    (finding,) = found(ruled(rule), {"a": "b"})
    assert (finding.code, finding.severity) == ("schema-invalid", severity)
    assert message in finding.message


def test_the_expression_of_a_message_is_compiled_too() -> None:
    rule = {"rule": "self.a == 1", "messageExpression": "'a is ' + sefl.a"}
    (finding,) = found({"properties": {"b": {"x-kubernetes-validations": [rule]}}}, {"b": {"a": 1}})
    assert (finding.code, finding.field.rpartition(".")[2]) == ("schema-invalid", "messageExpression")


@pytest.mark.parametrize("rule", ["self.a + 'x' == ''", "1", "type(self.a) == google.protobuf.Duration"])
def test_what_cannot_be_evaluated_is_a_notice(rule: str) -> None:
    (finding,) = found(ruled(rule), {"a": 1})
    assert (finding.code, finding.severity) == ("not-evaluated", Severity.NOTICE)


def test_the_status_that_creating_an_object_drops_is_not_looked_at() -> None:
    status = {"status": {"a": 2}, "status_schema": ruled("self.a == 1")}
    assert len(found({}, {}, **status)) == 1
    assert found({}, {}, version={"subresources": {"status": {}}}, **status) == []


def test_rules_that_take_too_long_end_with_a_notice() -> None:
    items = {"items": ruled("lists.range(90000).all(x, x >= 0)")}
    started = time.process_time()
    findings = found({"properties": {"list": items}}, {"list": [{"a": 1}] * 5000})
    assert time.process_time() - started < 3
    assert {finding.code for finding in findings} == {"not-evaluated"}
    assert len(findings) == 1


@pytest.mark.parametrize(
    "schema", [None, [], 1, {"properties": []}, {"x-kubernetes-validations": {"rule": 1}}, {"items": 1}]
)
def test_a_broken_schema_is_not_evaluated(schema: Any) -> None:
    assert found(schema, {"a": [1, None, {"b": []}]}) == []


def test_a_deep_value_ends() -> None:
    value: Any = {}
    schema: Any = ruled("true")
    for _ in range(105):
        value, schema = {"a": value}, {"properties": {"a": schema}}
    assert found(schema, value) == []


@pytest.mark.parametrize(
    ("schema", "spec", "message"),
    [
        (
            {
                "x-kubernetes-validations": [
                    {"rule": "false", "messageExpression": "self.password.substring(0, 7) + self.a"}
                ]
            },
            {"password": "hunter2x", "a": "b"},
            "",
        ),
        (
            {"x-kubernetes-validations": [{"rule": "false", "messageExpression": "'not ' + self.password + self.a"}]},
            {"password": "hunter2x", "a": "b"},
            "not ***b",
        ),
        (
            {
                "properties": {
                    "adminPassword": {
                        "x-kubernetes-validations": [{"rule": "false", "messageExpression": "'no ' + self"}]
                    }
                }
            },
            {"adminPassword": "hunter2x"},
            "no ***",
        ),
        (
            {
                "x-kubernetes-validations": [
                    {"rule": "false", "messageExpression": "self.env[0].name + self.env[0].value"}
                ]
            },
            {"env": [{"name": "DB_PASSWORD", "value": "hunter2x"}]},
            "DB_PASSWORD***",
        ),
        (
            {"x-kubernetes-validations": [{"rule": "false", "messageExpression": "'bad ' + self.url"}]},
            {"url": "postgres://shop:hunter2x@db/shop"},
            "bad ***",
        ),
        (
            {"x-kubernetes-validations": [{"rule": "false", "messageExpression": "'bad ' + self.auth.password.value"}]},
            {"auth": {"password": {"value": "hunter2x"}}},
            "bad ***",
        ),
        (
            {"x-kubernetes-validations": [{"rule": "false", "messageExpression": "'bad ' + self.tokenRef.name"}]},
            {"tokenRef": {"name": "db"}},
            "bad db",
        ),
    ],
)
def test_a_message_that_a_rule_makes_has_no_secret(schema: Mapping[str, Any], spec: Any, message: str) -> None:
    (finding,) = found(schema, spec)
    assert "hunter2" not in str(finding)
    assert finding.message == message or (not message and "breaks the rule" in finding.message)
