"""`policy-violation`: an object that a policy of the stack does not admit, or that it warns about.

Applied are ValidatingAdmissionPolicies with their bindings, and Kyverno's ValidatingPolicies, to each object as it is created,
and to the Pods of workloads. What decides by a request's user, by objects outside of the stack or by functions that are not
known here is `not-evaluated`, once for each policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import BudgetExceededError, ExpressionError, UndecidedError
from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies import admitted as admitted_objects
from cluster_forge.checks.policies import evaluation, policy_use, resource_rules
from cluster_forge.checks.policies.admitted import Admitted, reason
from cluster_forge.checks.policies.policy_use import ADMISSION, PolicyUse
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.label_selector import labels_of
from cluster_forge.manifests.manifest import Manifest

BASE: Final = 200_000
"""Units that evaluating the policies of a stack may take, with `EACH` for each object and policy."""
EACH: Final = 3_000
_LONGEST: Final = 300
"""Characters of a message."""


@dataclass(slots=True)
class _Run:
    """What applying policies needs, and what could not be evaluated: for each policy the first reason."""

    checked: CheckedStack
    budget: Budget
    namespaces: Mapping[str, Manifest]
    namespace_labels: Mapping[str, Mapping[str, str]]
    unevaluated: dict[int, Finding] = field(default_factory=dict)


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    """What the policies of the stack say about its objects."""
    yield from applied(checked, tuple(policy_use.of(checked)))


def applied(checked: CheckedStack, uses: Iterable[PolicyUse]) -> Iterator[Finding]:
    """What policies say about the objects of a stack."""
    uses = tuple(uses)
    if not uses:
        return
    objects = admitted_objects.of(checked)
    resources = admitted_objects.by_resource(objects)
    namespaces = {manifest.id.name: manifest for manifest in checked.of_kind["", "Namespace"]}
    labels = {name: labels_of(manifest.header.get("metadata")) for name, manifest in namespaces.items()}
    run = _Run(checked, Budget(BASE + EACH * len(objects) * len(uses)), namespaces, labels)
    for number, use in enumerate(uses):
        constraints = (use.policy.constraints, use.scope)
        for those in resources:
            if all(resource_rules.may_select(one, those[0]) for one in constraints):
                for admitted in those:
                    yield from _of_object(number, use, admitted, run)
    yield from run.unevaluated.values()


def _of_object(number: int, use: PolicyUse, admitted: Admitted, run: _Run) -> Iterator[Finding]:
    if admitted.manifest is use.manifest or (use.namespace and admitted.namespace != use.namespace):
        return
    if admitted.namespace in use.spared:
        return
    try:
        selected = all(
            resource_rules.selects(constraints, admitted, run.namespace_labels)
            for constraints in (use.policy.constraints, use.scope)
        )
        if selected:
            for others in _others(use, admitted, run):
                yield from _violations(number, use, admitted, others, run)
    except ExpressionError as error:
        _note(number, use, admitted, error, run)


def _others(use: PolicyUse, admitted: Admitted, run: _Run) -> Iterator[dict[str, Any]]:
    """The names beside the object, for each object that is a parameter of the policy."""
    known: dict[str, Any] = {}
    namespace = run.namespaces.get(admitted.namespace)
    if namespace:
        known["namespaceObject"] = namespace.body
    elif not admitted.namespace:
        known["namespaceObject"] = None
    if use.policy.parameter_kind is None or use.reference is None:
        yield known
        return
    parameters = use.parameters(run.checked, admitted)
    if not parameters:
        raise UndecidedError("its parameters are not in the stack")
    for parameter in parameters:
        yield {**known, "params": parameter}


def _violations(
    number: int, use: PolicyUse, admitted: Admitted, others: Mapping[str, Any], run: _Run
) -> Iterator[Finding]:
    names = evaluation.names_of(use.policy, admitted, others, run.budget)
    if not evaluation.applies(use.policy, names, run.budget):
        return
    for validation in use.policy.validations:
        try:
            violation = evaluation.violation(validation, names, run.budget)
        except BudgetExceededError:
            raise
        except ExpressionError as error:
            _note(number, use, admitted, error, run)
        else:
            if violation:
                yield refused(use.manifest, admitted, violation.message, is_denied=_is_denied(use, admitted, run))


def refused(policy: Manifest, admitted: Admitted, message: str, *, is_denied: bool) -> Finding:
    """The finding about an object that a policy does not admit."""
    subject = "its Pods: " if admitted.is_pod_of_workload else ""
    text = " ".join(message.split()) or "a validation without a message"
    make = report.error if is_denied else report.warning
    return make(
        admitted.manifest,
        "policy-violation",
        f"{subject}{policy.id.kind} {policy.id.name}: {text if len(text) <= _LONGEST else f'{text[: _LONGEST - 1]}…'}",
        fix=f"change the object as the policy asks ({policy.provenance.origin}), or exempt it there",
    )


def _is_denied(use: PolicyUse, admitted: Admitted, run: _Run) -> bool:
    """Whether the object is refused for certain: nothing in the stack changes it before the policy sees it."""
    return use.is_denying and not is_changed(admitted, run.checked)


def is_changed(admitted: Admitted, checked: CheckedStack) -> bool:
    """Whether a webhook of the stack may change an object before policies see it, or a LimitRange a Pod."""
    if admitted.kind == "Pod" and checked.of_kind["", "LimitRange"]:
        return True
    return any(
        resource_rules.covers(sequence(mapping(webhook).get("rules")), admitted)
        for manifest in checked.of_kind[ADMISSION, "MutatingWebhookConfiguration"]
        for webhook in sequence(manifest.body.get("webhooks"))
    )


def _note(number: int, use: PolicyUse, admitted: Admitted, error: ExpressionError, run: _Run) -> None:
    subject = f"the Pods of {admitted.manifest.id}" if admitted.is_pod_of_workload else str(admitted.manifest.id)
    text = " ".join(reason(admitted, error).split())[:_LONGEST]
    note = report.notice(use.manifest, "not-evaluated", f"for {subject}, and perhaps others: {text}")
    run.unevaluated.setdefault(number, note)
