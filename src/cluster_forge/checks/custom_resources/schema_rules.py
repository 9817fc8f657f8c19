"""The validation rules of a CRD's schema (``x-kubernetes-validations``), and the values in an object that they are about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.manifest import Manifest

KEY: Final = "x-kubernetes-validations"
_DEEPEST: Final = 100
"""Levels of a schema that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRule:
    """``expression`` is true for a valid value; ``is_for_creation``: it takes an absent ``oldSelf``."""

    expression: str
    message: str = ""
    message_expression: str = ""
    field_path: str = ""
    is_for_creation: bool = False

    @classmethod
    def of(cls, rule: object) -> Self | None:
        """A rule of a schema; None for what is not one."""
        fields = mapping(rule)
        if not isinstance(fields.get("rule"), str):
            return None
        return cls(
            expression=fields["rule"],
            message=_text(fields.get("message")),
            message_expression=_text(fields.get("messageExpression")),
            field_path=_text(fields.get("fieldPath")),
            is_for_creation=fields.get("optionalOldSelf") is True,
        )

    @property
    def expressions(self) -> tuple[tuple[str, str], ...]:
        """Its expressions, each with the field that has it."""
        message = (("messageExpression", self.message_expression),) if self.message_expression else ()
        return (("rule", self.expression), *message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledValue:
    """A value that a rule is about, and the way to it from the object."""

    rule: SchemaRule
    value: Any
    steps: tuple[Step, ...]


def has_rules(definition: Manifest) -> bool:
    """Whether a CRD has rules, without reading its tree."""
    return f'"{KEY}"'.encode() in definition.document.json


def expressions(definition: Manifest) -> Iterator[str]:
    """The expressions of all rules of a CRD, without reading its tree: it may have megabytes."""
    text, marker = definition.document.json.decode(), f'"{KEY}":'
    decoder = json.JSONDecoder()
    place = text.find(marker)
    while place >= 0:
        rules, place = decoder.raw_decode(text, place + len(marker))
        for rule in filter(None, map(SchemaRule.of, sequence(rules))):
            yield from (expression for _, expression in rule.expressions)
        place = text.find(marker, place)


def schemas(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The schemas of a CRD by version, without the status where it is a subresource: creating an object drops it."""
    result = {}
    for version in map(mapping, sequence(mapping(body.get("spec")).get("versions"))):
        schema = mapping(mapping(version.get("schema")).get("openAPIV3Schema"))
        if "status" in mapping(version.get("subresources")):
            properties = {key: value for key, value in mapping(schema.get("properties")).items() if key != "status"}
            schema = {**schema, "properties": properties}
        if isinstance(version.get("name"), str):
            result[version["name"]] = schema
    return result


def ruled_values(value: Any, schema: Mapping[str, Any], steps: tuple[Step, ...] = ()) -> Iterator[RuledValue]:
    """The values below ``value`` that rules are about, each with its rule, from the outside inwards."""
    if value is None or len(steps) > _DEEPEST:
        return
    for rule in map(SchemaRule.of, sequence(schema.get(KEY))):
        if rule:
            yield RuledValue(rule=rule, value=value, steps=steps)
    if isinstance(value, Mapping):
        properties, others = mapping(schema.get("properties")), mapping(schema.get("additionalProperties"))
        for key, entry in value.items():
            own = mapping(properties.get(key, others))
            if own:
                yield from ruled_values(entry, own, (*steps, key))
    elif isinstance(value, list) and (items := mapping(schema.get("items"))):
        for place, entry in enumerate(value):
            yield from ruled_values(entry, items, (*steps, place))


def rule_places(node: Any, steps: tuple[Step, ...] = ()) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The expressions of the rules in a CRD's tree, each with the way to it."""
    if len(steps) > 2 * _DEEPEST:
        return
    if isinstance(node, Mapping):
        for key, entry in node.items():
            yield from rule_places(entry, (*steps, key))
        for place, rule in enumerate(map(SchemaRule.of, sequence(node.get(KEY)))):
            for name, expression in rule.expressions if rule else ():
                yield expression, (*steps, KEY, place, name)
    elif isinstance(node, list):
        for place, entry in enumerate(node):
            yield from rule_places(entry, (*steps, place))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
