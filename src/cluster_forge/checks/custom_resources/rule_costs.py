"""`schema-invalid`: rules of a CRD that may cost more than an API server allows, if what they are about is as large as it may be.

Source: apiextensions-apiserver, ``pkg/apis/apiextensions/validation`` (``StaticEstimatedCostLimit``, ``StaticEstimatedCRDCostLimit``,
``CELSchemaContext``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.cel.cost import estimator
from cluster_forge.cel.cost.declared import LARGEST, Declared, Kind, limited
from cluster_forge.cel.errors import ExpressionError
from cluster_forge.cel.program import program
from cluster_forge.checks import report
from cluster_forge.checks.custom_resources import declared_types, rule_texts, schema_rules
from cluster_forge.checks.custom_resources.schema_rules import SchemaRule
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

OF_EXPRESSION: Final = 10_000_000
OF_VERSION: Final = 100_000_000
"""The limits: for one expression, and for all of a version."""
_DEEPEST: Final = 100
_FIX: Final = "limit what it is about: maxItems, maxProperties and maxLength of the lists, maps and texts that it reads and that it is in"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCost:
    """What an expression may cost for one value, ``per_value``, and how many values of its schema an object may have, ``times``."""

    expression: str
    steps: tuple[Step, ...]
    per_value: int
    times: int

    @property
    def total(self) -> int:
        return limited(self.per_value * self.times)


def of(manifest: Manifest, _minor: int) -> Iterator[Finding]:
    """An error for each expression beyond its limit, and for each version beyond that of its expressions together."""
    if (manifest.id.group, manifest.id.kind) != CRD or not schema_rules.has_rules(manifest):
        return
    versions = sequence(mapping(manifest.document.passing_body().get("spec")).get("versions"))
    for number, version in enumerate(map(mapping, versions)):
        steps = ("spec", "versions", number, "schema", "openAPIV3Schema")
        costs = list(costs_of(mapping(mapping(version.get("schema")).get("openAPIV3Schema")), steps))
        expensive = [cost for cost in costs if cost.total > OF_EXPRESSION]
        for cost in expensive:
            yield _beyond(manifest, cost)
        total = limited(sum(cost.total for cost in costs))
        if not expensive and total > OF_VERSION:
            largest = max(costs, key=lambda cost: cost.total)
            message = f"the rules of the version may cost {_shown(total)} units together (limit {OF_VERSION:,}), the most of them"
            yield report.error(
                manifest,
                "schema-invalid",
                f"{message} `{rule_texts.shortened(largest.expression)}`",
                field=field_path.text(largest.steps),
                fix=_FIX,
            )


def _beyond(manifest: Manifest, cost: RuleCost) -> Finding:
    how = f"{_shown(cost.per_value)} for each of {cost.times:,} values" if cost.times > 1 else "for one value"
    return report.error(
        manifest,
        "schema-invalid",
        f"the rule `{rule_texts.shortened(cost.expression)}` may cost {_shown(cost.total)} units, {how}; the API server takes up to "
        f"{OF_EXPRESSION:,}",
        field=field_path.text(cost.steps),
        fix=_FIX,
    )


def _shown(units: int) -> str:
    return "more than any number of" if units >= LARGEST else f"{units:,}"


def costs_of(schema: Mapping[str, Any], steps: tuple[Step, ...]) -> Iterator[RuleCost]:
    """The costs of all expressions of a version's schema, which ``steps`` lead to, where they can be estimated here."""
    waiting: list[tuple[Mapping[str, Any], tuple[Step, ...], int | None]] = [(schema, steps, 1)]
    while waiting:
        node, place, times = waiting.pop()
        if schema_rules.KEY in node:
            yield from _of_node(node, place, times, is_root=node is schema)
        if len(place) < _DEEPEST:
            waiting += _below(node, place, times)


def _below(
    node: Mapping[str, Any], place: tuple[Step, ...], times: int | None
) -> Iterator[tuple[Mapping[str, Any], tuple[Step, ...], int | None]]:
    """The schemas in a schema, each with how many values of it there may be; None if nothing limits it."""
    for name, own in mapping(node.get("properties")).items():
        yield mapping(own), (*place, "properties", name), _multiplied(node, times)
    for key in ("additionalProperties", "items"):
        if isinstance(node.get(key), Mapping):
            yield node[key], (*place, key), _multiplied(node, times)


def _multiplied(node: Mapping[str, Any], times: int | None) -> int | None:
    is_list, is_map = node.get("type") == "array", isinstance(node.get("additionalProperties"), Mapping)
    if times is None or not (is_list or is_map):
        return times
    limit = node.get("maxItems" if is_list else "maxProperties")
    return limited(times * max(limit, 0)) if type(limit) is int else None


def _of_node(
    node: Mapping[str, Any], place: tuple[Step, ...], times: int | None, *, is_root: bool
) -> Iterator[RuleCost]:
    declared = declared_types.declared(node, is_root=is_root)
    if declared is None:
        return
    if times is None:
        times = declared_types.REQUEST // (declared.least_bytes + 1)
    for number, rule in enumerate(map(SchemaRule.of, sequence(node[schema_rules.KEY]))):
        for name, expression in rule.expressions if rule else ():
            per_value = _most(expression, declared, is_for_creation=rule is not None and rule.is_for_creation)
            if per_value is not None:
                is_message = name != "rule"
                steps = (*place, schema_rules.KEY, number, name)
                yield RuleCost(
                    expression=expression, steps=steps, per_value=per_value, times=1 if is_message else times
                )


def _most(expression: str, declared: Declared, *, is_for_creation: bool) -> int | None:
    """The most that an expression costs; None for one that this program does not know well enough."""
    former = Declared(kind=Kind.OPTIONAL, entry=declared) if is_for_creation else declared
    try:
        program(expression)  # it limits the depth
        return estimator.most(expression, {"self": declared, "oldSelf": former}, declared)
    except ExpressionError:
        return None
