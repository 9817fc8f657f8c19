"""Kyverno's policies: matching, patterns with anchors, conditions, and what is not evaluated."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cel.errors import UnsupportedError
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies import kyverno_policies
from cluster_forge.checks.policies.kyverno import conditions, patterns, value_patterns, wildcards
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Stack


def manifest(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin=f"templates/{name}.yaml:1"))


def pods(*kinds: str, **others: Any) -> dict[str, Any]:
    return {"any": [{"resources": {"kinds": [*(kinds or ("Pod",))], **others}}]}


def policy(validate: Any, kind: str = "ClusterPolicy", match: Any = None, namespace: str = "", **rule: Any) -> Manifest:
    rules = [{"name": "one", "match": match or pods(), "validate": {"message": "it is bad", **validate}, **rule}]
    return manifest(
        "kyverno.io/v1", kind, "no-bad", namespace, spec={"rules": rules, "validationFailureAction": "Enforce"}
    )


def deployment(namespace: str = "shop", **pod: Any) -> Manifest:
    spec = {"containers": [{"name": "web", "image": "web:latest"}], **pod}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    return manifest("apps/v1", "Deployment", "web", namespace, spec={"template": template})


def found(*manifests: Manifest) -> list[Finding]:
    return list(kyverno_policies.findings(CheckedStack(Stack(name="shop"), manifests, waves={})))


BAD = {"pattern": {"spec": {"containers": [{"image": "!*:latest"}]}}}


def test_what_a_pattern_refuses_is_an_error() -> None:
    (finding,) = found(policy(BAD), deployment())
    assert (finding.code, finding.severity) == ("policy-violation", Severity.ERROR)
    assert finding.message == "its Pods: ClusterPolicy no-bad: one: it is bad"


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"match": pods("Deployment")}, 0),  # a Deployment has no `spec.containers`: another structure
        ({"match": pods("v1/Pod")}, 1),
        ({"match": pods("*/v1/Pod")}, 1),
        ({"match": pods("Pod/exec")}, 0),
        ({"match": pods("StatefulSet")}, 0),
        ({"match": pods("P*")}, 1),
        ({"match": pods(namespaces=["sh*"])}, 1),
        ({"match": pods(namespaces=["other"])}, 0),
        ({"match": pods(selector={"matchLabels": {"app": "w*"}})}, 1),
        ({"match": pods(selector={"matchLabels": {"app": "x"}})}, 0),
        ({"match": pods(operations=["UPDATE"])}, 0),
        ({"match": {"all": [{"resources": {"kinds": ["Pod"]}}, {"resources": {"namespaces": ["shop"]}}]}}, 1),
        ({"match": {"resources": {"kinds": ["Pod"]}}}, 1),
        ({"exclude": pods(namespaces=["shop"])}, 0),
        ({"exclude": pods(namespaces=["other"])}, 1),
        ({"kind": "Policy", "namespace": "shop"}, 1),
        ({"kind": "Policy", "namespace": "other"}, 0),
        ({"preconditions": {"all": [{"key": "{{ request.operation || 'X' }}", "operator": "NotEquals", "value": "DELETE"}]}}, 1),
        ({"preconditions": {"all": [{"key": "{{ request.operation }}", "operator": "Equals", "value": "DELETE"}]}}, 0),
    ],
)  # fmt: skip
def test_which_objects_a_rule_is_about(options: dict[str, Any], count: int) -> None:
    validate = BAD if options.get("match") != pods("Deployment") else {"pattern": {"=(metadata)": {"name": "?*"}}}
    findings = found(policy(validate, **options), deployment())
    assert [finding.code for finding in findings] == ["policy-violation"] * count


@pytest.mark.parametrize(
    ("pattern", "value", "is_match"),
    [
        ({"a": "x"}, {"a": "x"}, True),
        ({"a": "x"}, {}, False),
        ({"a": "?*"}, {"a": ""}, False),
        ({"a": "*"}, {"a": "x"}, True),
        ({"a": "*"}, {}, False),
        ({"=(a)": "x"}, {}, True),
        ({"=(a)": "x"}, {"a": "y"}, False),
        ({"=(a)": {"=(b)": "false"}}, {"a": {"b": True}}, False),
        ({"=(a)": {"=(b)": "false"}}, {"a": {"b": False}}, True),
        ({"X(a)": "null"}, {"a": 1}, False),
        ({"X(a)": "null"}, {"b": 1}, True),
        ({"(a)": "x", "b": "y"}, {"a": "x", "b": "z"}, False),
        ({"(a)": "x", "b": "y"}, {"a": "other", "b": "z"}, True),
        ({"(a)": "x", "b": "y"}, {"b": "z"}, True),
        ({"^(list)": [{"name": "a*"}]}, {"list": [{"name": "b"}, {"name": "ab"}]}, True),
        ({"^(list)": [{"name": "a*"}]}, {"list": [{"name": "b"}]}, False),
        ({"list": [{"name": "a*"}]}, {"list": [{"name": "a"}, {"name": "b"}]}, False),
        ({"list": [{"(name)": "a*", "x": 1}]}, {"list": [{"name": "a", "x": 1}, {"name": "b"}]}, True),
        ({"list": [{"(name)": "a*", "x": 1}]}, {"list": [{"name": "a", "x": 2}, {"name": "b"}]}, False),
        ({"list": ["a", "b"]}, {"list": ["a"]}, True),
        ({"list": "a | b"}, {"list": ["a", "b"]}, True),
        ({"list": "a | b"}, {"list": ["a", "c"]}, False),
        ({"a": {"b": 1}}, {"a": [1]}, False),
        ({"a": {"<(b)": "x", "c": 1}}, {"a": {"b": "y", "c": 2}}, True),
        ({"metadata": {"labels": {"app*": "?*"}}}, {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}}, True),
        ({"metadata": {"labels": {"app*": "?*"}}}, {"metadata": {"labels": {"team": "x"}}}, False),
    ],
)
def test_patterns(pattern: Any, value: Any, is_match: bool) -> None:
    with contextlib.nullcontext() if is_match else pytest.raises(patterns.PatternMismatchError):
        patterns.check(value, pattern)


@pytest.mark.parametrize(
    ("value", "pattern", "is_match"),
    [
        (5, ">=5", True),
        (5, ">5", False),
        (5, "3-7", True),
        (5, "3!-7", False),
        (9, "3!-7", True),
        ("512Mi", "<=1Gi", True),
        ("2Gi", "<1Gi", False),
        ("90s", ">1m", True),
        ("a:latest", "!*:latest", False),
        ("a:1", "!*:latest & ?*", True),
        ("b", "a|b", True),
        (True, "true", True),
        (True, True, True),
        (1, True, False),
        ("8080", 8080, True),
        (1.5, 1.5, True),
        (None, None, True),
        ("", None, True),
        ("x", None, False),
        (None, "?*", False),
        (None, "0", True),
        ([1], "?*", False),
    ],
)
def test_one_value(value: Any, pattern: Any, is_match: bool) -> None:
    assert value_patterns.holds(value, pattern) is is_match


NAMES = {"request": {"operation": "CREATE", "object": {"spec": {
    "containers": [{"caps": {"add": ["NET_ADMIN", "CHOWN"]}}, {}], "initContainers": None, "replicas": 3, "size": "2Gi"}}}}  # fmt: skip
CAPS = "{{ request.object.spec.[initContainers, containers][].caps.add[] }}"


@pytest.mark.parametrize(
    ("key", "operator", "value", "holds"),
    [
        (CAPS, "AnyNotIn", ["CHOWN"], True),
        (CAPS, "AnyNotIn", ["CHOWN", "NET_*"], False),
        (CAPS, "AnyIn", ["CHOWN"], True),
        (CAPS, "AllIn", ["CHOWN"], False),
        (CAPS, "AllNotIn", ["KILL"], True),
        ("{{ request.object.spec.missing || `[]` }}", "AnyIn", ["x"], False),
        ("{{ request.object.spec.replicas }}", "GreaterThan", 2, True),
        ("{{ request.object.spec.replicas }}", "LessThan", 2, False),
        ("{{ request.object.spec.size }}", "LessThanOrEquals", "2048Mi", True),
        ("{{ request.operation }}", "Equals", "CRE*", True),
        ("{{ request.object.spec.containers[0].caps.add[1] }}", "Equals", "CHOWN", True),
    ],
)
def test_conditions(key: str, operator: str, value: Any, holds: bool) -> None:
    assert conditions.hold({"all": [{"key": key, "operator": operator, "value": value}]}, NAMES) is holds


@pytest.mark.parametrize(
    "condition",
    [
        {"key": "{{ to_upper(request.operation) }}", "operator": "Equals", "value": "x"},
        {"key": "{{ request.userInfo.username }}", "operator": "Equals", "value": "x"},
        {"key": "{{ element.name }}", "operator": "Equals", "value": "x"},
        {"key": "a-{{ request.operation }}", "operator": "Equals", "value": "x"},
        {"key": "{{ request.operation }}", "operator": "Unheard", "value": "x"},
        {"key": "{{ request.object.spec.containers[?name=='a'] }}", "operator": "Equals", "value": "x"},
    ],
)
def test_conditions_that_are_not_known_are_not_evaluated(condition: Any) -> None:
    with pytest.raises(UnsupportedError):
        conditions.hold([condition], NAMES)
    findings = found(policy({"deny": {"conditions": [condition]}}), deployment(), deployment("other"))
    assert [(finding.code, finding.severity) for finding in findings] == [("not-evaluated", Severity.NOTICE)]


@pytest.mark.parametrize(
    "validate",
    [
        {"foreach": [{"list": "request.object.spec.containers[].keys(@)", "pattern": {"a": 1}}]},
        {"foreach": [{"list": "request.object.spec.containers", "foreach": []}]},
        {"podSecurity": {"level": "baseline"}},
        {"assert": {"spec": {}}},
        {"pattern": {"metadata": {"name": "{{ request.namespace }}"}}},
    ],
)
def test_rules_of_other_kinds_are_named_once(validate: Any) -> None:
    (finding,) = found(policy(validate), deployment(), deployment("other"))
    assert (finding.code, finding.severity) == ("not-evaluated", Severity.NOTICE)


def test_any_pattern_cel_and_deny() -> None:
    assert found(policy({"anyPattern": [{"spec": {"X(hostNetwork)": "null"}}, BAD["pattern"]]}), deployment()) == []
    assert len(found(policy({"anyPattern": [BAD["pattern"], {"spec": {"hostNetwork": True}}]}), deployment())) == 1
    cel = {"cel": {"expressions": [{"expression": "!has(object.spec.hostNetwork)", "message": "no host network"}]}}
    assert found(policy(cel), deployment()) == []
    (finding,) = found(policy(cel), deployment(hostNetwork=True))
    assert finding.message.endswith("one: no host network")
    deny = {
        "deny": {
            "conditions": {
                "any": [
                    {"key": "{{ request.object.spec.hostNetwork || `false` }}", "operator": "Equals", "value": True}
                ]
            }
        }
    }
    assert len(found(policy(deny), deployment(hostNetwork=True))) == 1


@pytest.mark.parametrize(
    ("loop", "count"),
    [
        ({"pattern": {"resources": {"limits": {"memory": "?*"}}}}, 1),
        ({"pattern": {"name": "w*"}}, 0),
        (
            {
                "deny": {
                    "conditions": {"all": [{"key": "{{ element.image }}", "operator": "Equals", "value": "*:latest"}]}
                }
            },
            1,
        ),
        (
            {
                "pattern": {"name": "x"},
                "preconditions": {"all": [{"key": "{{ element.image }}", "operator": "NotEquals", "value": "web*"}]},
            },
            0,
        ),
    ],
)
def test_the_entries_of_a_list(loop: Any, count: int) -> None:
    findings = found(policy({"foreach": [{"list": "request.object.spec.containers", **loop}]}), deployment())
    assert [finding.code for finding in findings] == ["policy-violation"] * count


def test_a_rule_that_may_change_the_object_before_makes_it_a_warning() -> None:
    changing = manifest("kyverno.io/v1", "ClusterPolicy", "m", spec={"rules": [{"match": pods(), "mutate": {}}]})
    (finding,) = found(policy(BAD), changing, deployment())
    assert finding.severity is Severity.WARNING


def test_exceptions_actions_and_spared_namespaces() -> None:
    exception = manifest("kyverno.io/v2", "PolicyException", "e", "shop", spec={
        "exceptions": [{"policyName": "no-bad", "ruleNames": ["o*"]}], "match": pods(namespaces=["shop"])})  # fmt: skip
    assert found(policy(BAD), exception, deployment()) == []
    assert len(found(policy(BAD), exception, deployment("other"))) == 1
    assert found(policy(BAD), deployment("kube-system")) == []
    audited = policy(
        {**BAD, "failureAction": "Audit", "failureActionOverrides": [{"action": "Enforce", "namespaces": ["prod*"]}]}
    )
    severities = {finding.severity for finding in found(audited, deployment("shop"))}
    assert severities == {Severity.WARNING}
    assert {finding.severity for finding in found(audited, deployment("prod-1"))} == {Severity.ERROR}


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_wildcards_are_regular_expressions(pattern: str, text: str) -> None:
    expression = re.escape(pattern).replace(r"\*", "[ab]*").replace(r"\?", "[ab]")
    assert wildcards.matches(pattern, text) is (re.fullmatch(expression, text) is not None)


def test_wildcards_end_in_time() -> None:
    started = time.process_time()
    assert not wildcards.matches("*a" * 200 + "b", "a" * 5_000)
    assert time.process_time() - started < 3


@pytest.mark.parametrize("spec", [None, [], {"rules": [1, {"validate": 1, "match": []}]}, {"rules": {"a": 1}}])
def test_a_broken_policy_is_left_alone(spec: Any) -> None:
    broken = manifest("kyverno.io/v1", "ClusterPolicy", "no-bad", spec=spec)
    assert {finding.code for finding in found(broken, deployment())} <= {"not-evaluated"}


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("", "", True),
        ("*", "", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "ac", True),
        ("a*a", "a", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*b?d*", "abcde", True),
        ("*b?d", "abcdebxd", True),
        ("a*b*c", "a-c-b", False),
        ("?", "", False),
        ("*.example.com", "www.example.com\n", False),
        ("a.c", "abc", False),
    ],
)
def test_wildcards(pattern: str, text: str, is_match: bool) -> None:
    assert wildcards.matches(pattern, text) is is_match


def test_wildcards_take_no_longer_than_text_and_pattern_are() -> None:
    began = time.process_time()
    assert not wildcards.matches(f"*{'a' * 30_000}b", "a" * 900_000)
    assert not wildcards.matches(f"*{'a' * 30_000}b*c", "a" * 900_000)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("controllers", "count"), [(None, 1), ("none", 0)])
def test_the_rule_that_kyverno_generates_sees_a_template_without_the_defaults_of_pods(
    controllers: str | None, count: int
) -> None:
    limited = {"name": "web", "image": "web:1", "resources": {"limits": {"memory": "1Gi"}}}
    wanted = {"pattern": {"spec": {"containers": [{"resources": {"requests": {"memory": "?*"}}}]}}}
    annotations = {"pod-policies.kyverno.io/autogen-controllers": controllers} if controllers else {}
    given = policy(wanted)
    annotated = Manifest.of(
        {**given.body, "metadata": {**given.body["metadata"], "annotations": annotations}}, given.provenance
    )
    assert len(found(annotated, deployment(containers=[limited]))) == count
