"""Policies in CEL of the stack: which objects they are about, what they refuse, and what is not evaluated."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies import admission_policies
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Stack

ADMISSION = "admissionregistration.k8s.io/v1"


def manifest(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin=f"templates/{name}.yaml:1"))


def rule(resource: str, group: str = "", **others: Any) -> dict[str, Any]:
    return {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource], **others}


def policy(*expressions: str, rules: Any = None, constraints: Any = None, **spec: Any) -> Manifest:
    return manifest(
        ADMISSION,
        "ValidatingAdmissionPolicy",
        "no-bad",
        spec={
            "matchConstraints": {"resourceRules": rules or [rule("deployments", "apps")], **(constraints or {})},
            "validations": [{"expression": expression, "message": "it is bad"} for expression in expressions],
            **spec,
        },
    )


def binding(*actions: str, **spec: Any) -> Manifest:
    spec = {"policyName": "no-bad", "validationActions": [*(actions or ("Deny",))], **spec}
    return manifest(ADMISSION, "ValidatingAdmissionPolicyBinding", "no-bad", spec=spec)


def deployment(namespace: str = "shop", **fields: Any) -> Manifest:
    pod = {"containers": [{"name": "web", "image": "web:1"}], **fields.pop("pod", {})}
    spec = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}, **fields.pop("spec", {})}
    return manifest("apps/v1", "Deployment", "web", namespace, spec=spec, **fields)


def found(*manifests: Manifest) -> list[Finding]:
    return list(admission_policies.findings(CheckedStack(Stack(name="shop"), manifests, waves={})))


@pytest.mark.parametrize(
    ("expression", "rules"),
    [
        ("object.metadata.name != 'web'", None),
        ("has(object.metadata.labels)", None),
        ("object.spec.replicas > 1", None),  # the server's default
        ("request.operation != 'CREATE'", None),
        ("request.namespace == 'other' && request.kind.kind == 'Deployment'", None),
        ("oldObject != null", None),
        ("object.spec.template.spec.containers.all(c, c.image.matches('^[a-z.]+/'))", None),
        ("object.spec.containers.all(c, c.imagePullPolicy == 'Always')", [rule("pods")]),
        ("object.spec.serviceAccountName != 'default'", [rule("pods")]),
        ("has(object.metadata.labels) && object.metadata.labels.app == 'x'", [rule("pods", scope="Namespaced")]),
        ("false", [rule("*", "*")]),
        ("false", [rule("deployments", "apps", apiVersions=["v1beta1"])]),  # an equivalent version
        ("false", [rule("deployments", "apps", resourceNames=["web"])]),
    ],
)
def test_an_object_that_is_refused_is_an_error(expression: str, rules: Any) -> None:
    findings = found(policy(expression, rules=rules), binding(), deployment())
    assert {(finding.code, finding.severity) for finding in findings} == {("policy-violation", Severity.ERROR)}
    assert "no-bad: it is bad" in findings[0].message
    assert findings[0].where == "templates/web.yaml:1"


@pytest.mark.parametrize(
    ("expression", "options"),
    [
        ("object.metadata.name == 'web'", {}),
        ("has(object.spec.replicas) && object.spec.replicas == 1", {}),
        ("!has(object.spec.paused)", {}),
        ("false", {"rules": [rule("deployments")]}),
        ("false", {"rules": [rule("deployments", "apps", operations=["DELETE"])]}),
        ("false", {"rules": [rule("deployments", "apps", scope="Cluster")]}),
        ("false", {"rules": [rule("deployments", "apps", resourceNames=["other"])]}),
        ("false", {"rules": [rule("deployments/scale", "apps")]}),
        ("false", {"constraints": {"excludeResourceRules": [rule("*", "*")]}}),
        ("false", {"constraints": {"objectSelector": {"matchLabels": {"a": "b"}}}}),
        ("false", {"constraints": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}}),
        ("false", {"constraints": {"matchPolicy": "Exact"}, "rules": [rule("deployments", "apps", apiVersions=["v2"])]}),
        ("false", {"matchConditions": [{"name": "a", "expression": "object.metadata.name == 'other'"}]}),
        ("false", {"matchConditions": [{"name": "a", "expression": "request.userInfo.username == 'x'"},
                                       {"name": "b", "expression": "false"}]}),
        ("variables.all == 1", {"variables": [{"name": "all", "expression": "size(object.spec.template.spec.containers)"}]}),
        ("false", {"rules": [rule("*", "admissionregistration.k8s.io")]}),
    ],
)  # fmt: skip
def test_an_object_that_is_admitted_is_not_reported(expression: str, options: dict[str, Any]) -> None:
    assert found(policy(expression, **options), binding(), deployment(spec={"paused": None})) == []


def test_a_policy_without_a_binding_does_nothing() -> None:
    assert found(policy("false"), deployment()) == []
    assert (
        found(policy("false"), binding(matchResources={"objectSelector": {"matchLabels": {"a": "b"}}}), deployment())
        == []
    )


@pytest.mark.parametrize(("actions", "severity"), [(("Deny",), Severity.ERROR), (("Warn", "Audit"), Severity.WARNING)])
def test_what_is_only_reported_is_a_warning(actions: tuple[str, ...], severity: Severity) -> None:
    (finding,) = found(policy("false"), binding(*actions), deployment())
    assert finding.severity is severity


def test_what_a_webhook_may_change_before_is_a_warning() -> None:
    webhook = manifest(
        ADMISSION, "MutatingWebhookConfiguration", "m", webhooks=[{"rules": [rule("deployments", "apps")]}]
    )
    (finding,) = found(policy("false"), binding(), deployment(), webhook)
    assert finding.severity is Severity.WARNING
    limits = manifest("v1", "LimitRange", "l", "shop")
    (finding,) = found(policy("false", rules=[rule("pods")]), binding(), deployment(), limits)
    assert finding.severity is Severity.WARNING


def test_the_labels_of_namespaces_of_the_stack_are_known() -> None:
    selector = {"namespaceSelector": {"matchLabels": {"team": "red"}}}
    namespace = manifest("v1", "Namespace", "shop", metadata={"labels": {"team": "red"}})
    assert len(found(policy("false", constraints=selector), binding(), deployment(), namespace)) == 1
    (finding,) = found(policy("false", constraints=selector), binding(), deployment())
    assert (finding.code, finding.severity) == ("not-evaluated", Severity.NOTICE)


def test_parameters_of_the_stack_are_used() -> None:
    spec = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}
    limits = manifest("v1", "ConfigMap", "limits", "shop", data={"most": "0"})
    bound = binding(paramRef={"name": "limits"})
    expression = "object.spec.replicas <= int(params.data.most)"
    assert [finding.code for finding in found(policy(expression, **spec), bound, deployment(), limits)] == [
        "policy-violation"
    ]
    assert [finding.code for finding in found(policy(expression, **spec), bound, deployment())] == ["not-evaluated"]


@pytest.mark.parametrize(
    "expression",
    [
        "request.userInfo.username == 'admin'",
        "authorizer.group('').resource('pods').check('get').allowed()",
        "object.spec.strategy.type == 'Recreate'",
        "object.metadata.name + 1 == ''",
        "object.metadata.name ==",
        "'text'",
    ],
)
def test_what_cannot_be_decided_is_named_once(expression: str) -> None:
    (finding,) = found(policy(expression), binding(), deployment(), deployment("other"))
    assert (finding.code, finding.severity) == ("not-evaluated", Severity.NOTICE)
    assert finding.object is not None
    assert finding.object.name == "no-bad"


def test_kyverno_policies_in_cel_spare_the_namespaces_of_the_cluster() -> None:
    spec = {
        "matchConstraints": {"resourceRules": [rule("pods")]},
        "validations": [{"expression": "!has(object.spec.hostNetwork)", "message": "no host network"}],
        "validationActions": ["Audit"],
    }
    one = manifest("policies.kyverno.io/v1", "ValidatingPolicy", "no-host", spec=spec)
    kyverno = deployment("kyverno", pod={"hostNetwork": True})
    kyverno.body["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/part-of"] = "kyverno"
    spared = deployment("kube-system", pod={"hostNetwork": True})
    findings = found(one, kyverno, spared, deployment(pod={"hostNetwork": True}), deployment("other"))
    assert [(finding.severity, str(finding.object)) for finding in findings] == [
        (Severity.WARNING, "Deployment.apps/shop/web")
    ]
    assert findings[0].message == "its Pods: ValidatingPolicy no-host: no host network"


def test_a_crd_is_seen_without_its_schemas() -> None:
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "shops.example.com", "annotations": {"version": "v1"}},
        "spec": {"group": "example.com", "names": {"kind": "Shop"}, "scope": "Cluster", "versions": []},
    }
    crd = Manifest.of(body, Provenance(component=ComponentName("web"), origin="crds/a.yaml:1"))
    rules = [rule("customresourcedefinitions", "apiextensions.k8s.io")]
    good = "object.spec.group == 'example.com' && object.metadata.annotations.version == 'v1' && has(object.spec.names)"
    assert found(policy(good, rules=rules), binding(), crd) == []
    assert len(found(policy("object.spec.scope == 'Namespaced'", rules=rules), binding(), crd)) == 1


def test_policies_that_take_too_long_end_with_a_notice() -> None:
    slow = policy(*["lists.range(90000).all(x, x >= 0)"] * 50)
    started = time.process_time()
    findings = found(slow, binding(), *[deployment(f"n{number}") for number in range(50)])
    assert time.process_time() - started < 5
    assert {finding.code for finding in findings} == {"not-evaluated"}


@pytest.mark.parametrize(
    "spec", [None, [], {"matchConstraints": [], "validations": [1, {"expression": 2}]}, {"validations": {"a": 1}}]
)
def test_a_broken_policy_is_left_alone(spec: Any) -> None:
    assert found(manifest(ADMISSION, "ValidatingAdmissionPolicy", "no-bad", spec=spec), binding(), deployment()) == []


@pytest.mark.parametrize(
    "expression",
    [
        "'not ' + object.spec.template.spec.containers[0].env[0].value",
        "'not ' + request.object.spec.template.spec.containers[0].env[0].value",
        "'not ' + variables.first",
        "'not ' + variables.first.substring(0, 3)",
    ],
)
def test_a_message_that_a_policy_makes_has_no_secret(expression: str) -> None:
    env = [{"name": "DB_PASSWORD", "value": "hunter2x"}]
    made = deployment(pod={"containers": [{"name": "web", "image": "web:1", "env": env}]})
    first = {"name": "first", "expression": "object.spec.template.spec.containers[0].env[0].value"}
    validations = [{"expression": "false", "messageExpression": expression}]
    (finding,) = found(policy(validations=validations, variables=[first]), binding(), made)
    assert finding.message.endswith("not ***")


def test_a_message_about_a_secret_has_none_of_its_values() -> None:
    secret = manifest("v1", "Secret", "db", "shop", data={"a": "aHVudGVyMng="})
    validations = [{"expression": "false", "messageExpression": "'not ' + string(object.data.a)"}]
    (finding,) = found(policy(validations=validations, rules=[rule("secrets")]), binding(), secret)
    assert finding.message.endswith("not ***")


REQUESTS = "object.spec.containers.all(c, has(c.resources.requests) && 'memory' in c.resources.requests)"


@pytest.mark.parametrize(
    ("resources", "count"),
    [
        ({"limits": {"memory": "1Gi"}}, 0),
        ({"limits": {"cpu": "1"}, "requests": {"memory": "1Gi"}}, 0),
        ({"limits": {"cpu": "1"}}, 1),
        ({}, 1),
    ],
)
def test_pods_request_what_they_are_limited_to(resources: dict[str, Any], count: int) -> None:
    """The server's default for Pods (``SetDefaults_Pod``); a template has none before."""
    containers = [{"name": "web", "image": "web:1", "resources": resources}]
    workload = deployment(pod={"containers": containers})
    assert len(found(policy(REQUESTS, rules=[rule("pods")]), binding("Deny"), workload)) == count
