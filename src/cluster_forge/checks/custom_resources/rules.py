"""`custom-resource-invalid`: a custom resource that a rule of its CRD refuses. Rules that cannot be read are `rule_texts`'.

Rules about a change (``oldSelf``) do not apply to the creation of an object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import (
    BudgetExceededError,
    EvaluationError,
    ExpressionError,
    NoSuchKeyError,
)
from cluster_forge.cel.program import program
from cluster_forge.cel.values import NONE
from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.custom_resources import rule_costs, rule_texts, schema_rules
from cluster_forge.checks.custom_resources.schema_rules import RuledValue
from cluster_forge.checks.custom_resources.typed_values import typed
from cluster_forge.checks.security.hidden_values import hidden, name_at
from cluster_forge.manifests import field_path
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

BASE: Final = 200_000
"""Units that evaluating the rules of a stack may take, with `EACH` for each object."""
EACH: Final = 5_000


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    """Which rules of CRDs cannot be read or cost too much, and what the others say about the custom resources of the stack."""
    yield from checked.each(rule_texts.of)
    yield from checked.each(rule_costs.of)
    budget = Budget(BASE + EACH * len(checked.manifests))
    unevaluated: dict[tuple[str, str], Finding] = {}
    for definition in checked.of_kind[CRD]:
        if not schema_rules.has_rules(definition):
            continue
        kind = definition.facts.defines
        resources = checked.of_kind.get((kind.group, kind.kind), ()) if kind else ()
        if resources:
            schemas = schema_rules.schemas(definition.document.passing_body())
            for resource in resources:
                schema = schemas.get(resource.facts.version)
                if schema:
                    yield from _of_resource(resource, schema, budget, unevaluated)
    yield from unevaluated.values()


def _of_resource(
    resource: Manifest, schema: Mapping[str, Any], budget: Budget, unevaluated: dict[tuple[str, str], Finding]
) -> Iterator[Finding]:
    for ruled in schema_rules.ruled_values(typed(resource.body, schema), schema):
        rule = ruled.rule
        try:
            is_valid = _is_valid(ruled, budget)
        except NoSuchKeyError as error:
            yield _refused(resource, ruled, f"{error}, which the rule `{rule_texts.shortened(rule.expression)}` reads")
        except ExpressionError as error:
            if rule_texts.problem(rule.expression):
                continue  # said of the CRD
            key = (resource.id.group + resource.id.kind, rule.expression)
            unevaluated.setdefault(key, _not_evaluated(resource, ruled, error))
            if isinstance(error, BudgetExceededError) and budget.left <= 0:
                return
        else:
            if not is_valid:
                yield _refused(resource, ruled, _message(ruled, budget))


def _is_valid(ruled: RuledValue, budget: Budget) -> bool:
    rule = program(ruled.rule.expression)
    if "oldSelf" in rule.names and not ruled.rule.is_for_creation:
        return True
    result = rule.value(_names(ruled), budget)
    if not isinstance(result, bool):
        raise EvaluationError("the rule is neither true nor false")
    return result


def _names(ruled: RuledValue) -> Mapping[str, Any]:
    return {"self": ruled.value, "oldSelf": NONE}


def _message(ruled: RuledValue, budget: Budget) -> str:
    """What the CRD says, as the API server prints it; its expression for a message only where it has no other one, and without
    the secrets of the object.
    """
    rule = ruled.rule
    if rule.message_expression and not rule.message:
        try:
            shown = hidden(ruled.value, name_at(ruled.steps))
            message = program(rule.message_expression).value({**_names(ruled), "self": shown}, budget)
        except ExpressionError:
            message = ""
        if isinstance(message, str) and message.strip() and "\n" not in message:
            return rule_texts.shortened(message)
    return rule_texts.shortened(rule.message) or f"breaks the rule `{rule_texts.shortened(rule.expression)}`"


def _refused(resource: Manifest, ruled: RuledValue, message: str) -> Finding:
    rule = ruled.rule
    return report.error(
        resource,
        "custom-resource-invalid",
        message,
        field=_field(ruled),
        fix=f"change the value so that the rule of the CRD holds: `{rule_texts.shortened(rule.expression)}`",
    )


def _not_evaluated(resource: Manifest, ruled: RuledValue, error: ExpressionError) -> Finding:
    return report.notice(
        resource,
        "not-evaluated",
        f"a rule of its CRD, `{rule_texts.shortened(ruled.rule.expression)}`: {rule_texts.shortened(str(error))}",
        field=_field(ruled),
    )


def _field(ruled: RuledValue) -> str:
    """The field that a finding is about: the one that the rule names, below the value."""
    path, own = field_path.text(ruled.steps), ruled.rule.field_path
    return f"{path}{own}" if path else own.removeprefix(".")
