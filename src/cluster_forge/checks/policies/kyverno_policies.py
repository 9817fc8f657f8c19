"""`policy-violation`: an object that a ClusterPolicy or Policy of Kyverno refuses, or reports.

Applied are ``validate`` rules with a pattern, several patterns, conditions that deny, each for an object or for the entries of
a list, and CEL; to objects as they are created,
and for rules about Pods to the Pods of workloads (Kyverno generates rules for the workloads from them). Other rules that
refuse objects are `not-evaluated`, once for each rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import ExpressionError, UnsupportedError
from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies import admission_policies, evaluation, policy_use
from cluster_forge.checks.policies import admitted as admitted_objects
from cluster_forge.checks.policies.admission_policy import AdmissionPolicy
from cluster_forge.checks.policies.admitted import Admitted
from cluster_forge.checks.policies.kyverno import conditions, matching, paths, patterns, wildcards
from cluster_forge.checks.policies.kyverno.matching import Namespaces
from cluster_forge.checks.policies.kyverno.patterns import PatternMismatchError
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.label_selector import labels_of
from cluster_forge.manifests.manifest import Manifest

GROUP: Final = "kyverno.io"
_KINDS: Final = ("ClusterPolicy", "Policy")
_EVALUATED: Final = ("pattern", "anyPattern", "deny")
_GENERATED: Final = "pod-policies.kyverno.io/autogen-controllers"
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class _Rule:
    policy: Manifest
    body: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.body.get("name", ""))

    def object(self, admitted: Admitted) -> Mapping[str, Any]:
        """What the rule judges: of a workload its template, by the rule that Kyverno generates unless the policy says not to."""
        metadata = mapping(self.policy.header.get("metadata"))
        is_generated = mapping(metadata.get("annotations")).get(_GENERATED) != "none"
        return admitted.template if admitted.is_pod_of_workload and is_generated else admitted.body

    @property
    def validate(self) -> Mapping[str, Any]:
        return mapping(self.body.get("validate"))


@dataclass(slots=True)
class _Run:
    checked: CheckedStack
    namespaces: Namespaces
    spared: frozenset[str]
    budget: Budget
    exceptions: tuple[Mapping[str, Any], ...]


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    """What Kyverno's policies of the stack say about its objects."""
    rules = [rule for kind in _KINDS for policy in checked.of_kind[GROUP, kind] for rule in _rules(policy)]
    if not rules:
        return
    objects = admitted_objects.of(checked)
    labels = {one.id.name: labels_of(one.header.get("metadata")) for one in checked.of_kind["", "Namespace"]}
    run = _Run(
        checked=checked,
        namespaces=Namespaces(labels),
        spared=policy_use.spared_by_kyverno(checked),
        budget=Budget(admission_policies.BASE + admission_policies.EACH * len(objects) * len(rules)),
        exceptions=tuple(mapping(one.body.get("spec")) for one in checked.of_kind[GROUP, "PolicyException"]),
    )
    kinds = admitted_objects.by_resource(objects)
    for rule in rules:
        selected = (those for those in kinds if matching.may_select(mapping(rule.body.get("match")), those[0]))
        yield from _of_rule(rule, chain.from_iterable(selected), run)


def _of_rule(rule: _Rule, objects: Iterable[Admitted], run: _Run) -> Iterator[Finding]:
    unevaluated: Finding | None = None
    for admitted in objects:
        try:
            yield from _of_object(rule, admitted, run)
        except ExpressionError as error:
            unevaluated = unevaluated or _not_evaluated(rule, str(error))
    if unevaluated:
        yield unevaluated


def _rules(policy: Manifest) -> Iterator[_Rule]:
    """The rules that refuse objects; those that change or make some are not policies in this sense."""
    spec = mapping(policy.body.get("spec"))
    for rule in map(mapping, sequence(spec.get("rules"))):
        if "validate" in rule or "verifyImages" in rule:
            yield _Rule(policy, rule, spec)


def _of_object(rule: _Rule, admitted: Admitted, run: _Run) -> Iterator[Finding]:
    namespace = rule.policy.id.namespace
    if admitted.manifest is rule.policy or (namespace and admitted.namespace != namespace):
        return
    if admitted.namespace in run.spared or not _is_selected(rule, admitted, run):
        return
    names = {"request": {"operation": "CREATE", "object": rule.object(admitted), "namespace": admitted.namespace}}
    if "preconditions" in rule.body and not conditions.hold(rule.body["preconditions"], names):
        return
    message = _problem(rule, admitted, names, run)
    if message is not None:
        is_denied = _is_denying(rule, admitted) and not _is_changed(admitted, run.checked)
        text = f"{rule.name}: {message or rule.validate.get('message') or 'the rule does not hold'}"
        yield admission_policies.refused(rule.policy, admitted, text, is_denied=is_denied)


def _is_selected(rule: _Rule, admitted: Admitted, run: _Run) -> bool:
    if not matching.selects(mapping(rule.body.get("match")), admitted, run.namespaces):
        return False
    if matching.selects(mapping(rule.body.get("exclude")), admitted, run.namespaces):
        return False
    return not any(
        _is_of(rule, mapping(entry)) and matching.selects(mapping(one.get("match")), admitted, run.namespaces)
        for one in run.exceptions
        for entry in sequence(one.get("exceptions"))
    )


def _is_of(rule: _Rule, entry: Mapping[str, Any]) -> bool:
    return entry.get("policyName") == rule.policy.id.name and wildcards.is_among(
        rule.name, sequence(entry.get("ruleNames"))
    )


def _problem(rule: _Rule, admitted: Admitted, names: Mapping[str, Any], run: _Run) -> str | None:
    """Why the object breaks a rule, empty where the rule's message says it; None if it does not.

    Raises:
        ExpressionError: if that cannot be known.
    """
    validate = rule.validate
    if "cel" in validate:
        return _of_cel(mapping(validate["cel"]), admitted, run)
    if "foreach" in validate:
        return "" if any(_is_entry_wrong(mapping(one), names) for one in sequence(validate["foreach"])) else None
    if not any(key in validate for key in _EVALUATED):
        kind = next((key for key in ("podSecurity", "assert", "manifests") if key in validate), "verifyImages")
        raise UnsupportedError(f"rules of the kind {kind}")
    return "" if _is_wrong(validate, rule.object(admitted), names) else None


def _is_entry_wrong(loop: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    """Whether an entry of the list that a ``foreach`` names is wrong.

    Raises:
        ExpressionError: if that cannot be known.
    """
    if "foreach" in loop or "context" in loop:
        raise UnsupportedError("a loop in a loop, or with a context")
    entries = paths.resolved(f"{{{{ {str(loop.get('list', '')).strip('{} ')} }}}}", names)
    for place, entry in enumerate(sequence(entries)):
        own = {**names, "element": entry, "elementIndex": place}
        is_meant = "preconditions" not in loop or conditions.hold(loop["preconditions"], own)
        if is_meant and _is_wrong(loop, entry, own):
            return True
    return False


def _is_wrong(validate: Mapping[str, Any], value: Any, names: Mapping[str, Any]) -> bool:
    """Whether conditions deny a value, or it is not as a pattern says.

    Raises:
        ExpressionError: if that cannot be known.
    """
    if "deny" in validate:
        return conditions.hold(mapping(validate["deny"]).get("conditions"), names)
    wanted = [validate["pattern"]] if "pattern" in validate else list(sequence(validate.get("anyPattern")))
    if any(map(_has_variables, wanted)):
        raise UnsupportedError("variables in a pattern")
    return bool(wanted) and not any(_is_like(value, pattern) for pattern in wanted)


def _is_like(value: Any, pattern: object) -> bool:
    try:
        patterns.check(value, pattern)
    except PatternMismatchError:
        return False
    return True


def _has_variables(pattern: object) -> bool:
    if isinstance(pattern, Mapping):
        return any("{{" in str(key) or _has_variables(member) for key, member in pattern.items())
    if isinstance(pattern, list):
        return any(map(_has_variables, pattern))
    return isinstance(pattern, str) and ("{{" in pattern or "$(" in pattern)


def _of_cel(cel: Mapping[str, Any], admitted: Admitted, run: _Run) -> str | None:
    policy = AdmissionPolicy.of({**cel, "validations": cel.get("expressions")})
    if policy.parameter_kind:
        raise UnsupportedError("parameters of a rule in CEL")
    names = evaluation.names_of(policy, admitted, {}, run.budget)
    for validation in policy.validations:
        violation = evaluation.violation(validation, names, run.budget)
        if violation:
            return violation.message
    return None


def _is_changed(admitted: Admitted, checked: CheckedStack) -> bool:
    """Whether a webhook or another rule may change the object before."""
    return admission_policies.is_changed(admitted, checked) or any(
        "mutate" in rule and matching.may_select(mapping(rule.get("match")), admitted)
        for kind in _KINDS
        for policy in checked.of_kind[GROUP, kind]
        for rule in map(mapping, sequence(mapping(policy.body.get("spec")).get("rules")))
    )


def _is_denying(rule: _Rule, admitted: Admitted) -> bool:
    """Whether Kyverno refuses the object, by the last action that is about its namespace."""
    action = rule.validate.get("failureAction") or rule.spec.get("validationFailureAction") or "Audit"
    overrides = rule.validate.get("failureActionOverrides") or rule.spec.get("validationFailureActionOverrides")
    for override in map(mapping, sequence(overrides)):
        if wildcards.is_among(admitted.namespace, sequence(override.get("namespaces"))):
            action = override.get("action") or action
    return str(action).lower() == "enforce"


def _not_evaluated(rule: _Rule, reason: str) -> Finding:
    return report.notice(rule.policy, "not-evaluated", f"rule {rule.name}: {' '.join(reason.split())[:_LONGEST]}")
