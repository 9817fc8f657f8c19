"""Webhooks, aggregated APIs and classes (``admissionregistration``, ``apiregistration``, ``scheduling``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.foundation.names import is_dns_subdomain
from cluster_forge.foundation.untyped import mapping, sequence

_HIGHEST_PRIORITY: Final = 1_000_000_000
_SYSTEM: Final = "system-"
_REVIEWS: Final = frozenset({"v1", "v1beta1"})


def webhook(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    name = value.get("name")
    if isinstance(name, str) and name and (not is_dns_subdomain(name) or name.count(".") < 2):
        message = f"{shown(name)} is not a full name: at least three parts with dots between them"
        yield Problem(steps=("name",), message=message, fix="write one such as check.example.com")
    versions = sequence(value.get("admissionReviewVersions"))
    if versions and not _REVIEWS & {version for version in versions if isinstance(version, str)}:
        message = "admissionReviewVersions has none that an API server speaks"
        yield Problem(steps=("admissionReviewVersions",), message=message, fix="add v1")
    if isinstance(client := value.get("clientConfig"), Mapping):
        for problem in client_config(client):
            yield problem.below("clientConfig")


def client_config(value: Mapping[str, Any]) -> Iterator[Problem]:
    url, service = value.get("url"), value.get("service")
    if (url is None) == (service is None):
        message = "both url and service are set" if url is not None else "neither url nor service is set"
        yield Problem(steps=(), message=message, fix="set one of url and service")
    if isinstance(url, str) and not url.startswith("https://"):
        yield Problem(
            steps=("url",), message=f"{shown(url)} does not begin with https://", fix="write an https address"
        )
    path = mapping(service).get("path")
    if isinstance(path, str) and path and not path.startswith("/"):
        yield Problem(
            steps=("service", "path"), message=f"the path {shown(path)} is not absolute", fix="begin it with /"
        )


def webhook_rule(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    for name in ("apiGroups", "apiVersions", "operations", "resources"):
        entries = sequence(value.get(name))
        if not entries:
            yield Problem(steps=(name,), message=f"{name} is missing", fix=f"set {name}")
        elif "*" in entries and len(entries) > 1 and name != "resources":
            yield Problem(steps=(name,), message=f"{name} has * and others", fix="leave * alone, or remove it")


def policy(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """A ValidatingAdmissionPolicy says what it looks at, and what is valid."""
    if not sequence(mapping(value.get("matchConstraints")).get("resourceRules")):
        steps = ("matchConstraints", "resourceRules")
        yield Problem(steps=steps, message="resourceRules is missing", fix="set matchConstraints.resourceRules")
    if not sequence(value.get("validations")) and not sequence(value.get("auditAnnotations")):
        message = "neither validations nor auditAnnotations is set"
        yield Problem(steps=("validations",), message=message, fix="set validations")


def ingress_class(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if not mapping(value.get("spec")).get("controller"):
        yield Problem(steps=("spec", "controller"), message="controller is missing", fix="set spec.controller")


def api_service(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    spec = mapping(value.get("spec"))
    name, expected = mapping(value.get("metadata")).get("name"), f"{spec.get('version')}.{spec.get('group')}"
    if spec.get("version") and spec.get("group") and name != expected:
        yield Problem(steps=("metadata", "name"), message=f"the name is not {expected}", fix=f"write {expected}")
    for field in ("group", "version"):
        if spec.get(field) in (None, "") and not (name == "v1." and field == "group"):
            yield Problem(steps=("spec", field), message=f"{field} is missing", fix=f"set spec.{field}")
    if isinstance(service := spec.get("service"), Mapping):
        for field in ("name", "namespace"):
            if service.get(field) in (None, ""):
                steps = ("spec", "service", field)
                yield Problem(steps=steps, message=f"{field} is missing", fix=f"set spec.service.{field}")
    if spec.get("insecureSkipTLSVerify") is True and spec.get("caBundle"):
        message = "caBundle does not go with insecureSkipTLSVerify: true"
        yield Problem(steps=("spec", "caBundle"), message=message, fix="remove one of the two")


def priority_class(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    number, name = value.get("value"), mapping(value.get("metadata")).get("name")
    if isinstance(name, str) and name.startswith(_SYSTEM) and name not in _SYSTEM_CLASSES:
        message = f"names that begin with {_SYSTEM} are Kubernetes' own"
        yield Problem(steps=("metadata", "name"), message=message, fix="rename it")
    elif isinstance(number, int) and number > _HIGHEST_PRIORITY and name not in _SYSTEM_CLASSES:
        message = f"{number} is above {_HIGHEST_PRIORITY}, which is left to Kubernetes' own classes"
        yield Problem(steps=("value",), message=message, fix=f"write {_HIGHEST_PRIORITY} or less")


_SYSTEM_CLASSES: Final = frozenset({"system-cluster-critical", "system-node-critical"})

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "admissionregistration.v1.MutatingWebhook": (webhook,),
    "admissionregistration.v1.NamedRuleWithOperations": (webhook_rule,),
    "admissionregistration.v1.RuleWithOperations": (webhook_rule,),
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": (policy,),
    "admissionregistration.v1.ValidatingWebhook": (webhook,),
    "kube-aggregator.pkg.apis.apiregistration.v1.APIService": (api_service,),
    "networking.v1.IngressClass": (ingress_class,),
    "scheduling.v1.PriorityClass": (priority_class,),
}
