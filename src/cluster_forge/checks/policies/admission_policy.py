"""A policy in CEL, whatever kind of object says it: ValidatingAdmissionPolicy, Kyverno's ValidatingPolicy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from cluster_forge.foundation.untyped import mapping, sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """``expression`` is true for an object that is admitted."""

    expression: str
    message: str = ""
    message_expression: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """``constraints`` are its ``matchConstraints``; ``conditions`` and ``variables`` are expressions by name."""

    constraints: Mapping[str, Any]
    conditions: Mapping[str, str]
    variables: Mapping[str, str]
    validations: tuple[Validation, ...]
    is_fail_closed: bool
    parameter_kind: tuple[str, str] | None = None

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Self:
        """The policy that a ``spec`` describes; what is not of the expected type is left out."""
        parameters = mapping(spec.get("paramKind"))
        group, _, _ = str(parameters.get("apiVersion", "")).rpartition("/")
        return cls(
            constraints=mapping(spec.get("matchConstraints")),
            conditions=dict(_named(spec.get("matchConditions"))),
            variables=dict(_named(spec.get("variables"))),
            validations=tuple(_validations(spec.get("validations"))),
            is_fail_closed=spec.get("failurePolicy", "Fail") == "Fail",
            parameter_kind=(group, str(parameters.get("kind", ""))) if parameters else None,
        )


def _named(entries: object) -> Iterator[tuple[str, str]]:
    for entry in map(mapping, sequence(entries)):
        name, expression = entry.get("name"), entry.get("expression")
        if isinstance(name, str) and isinstance(expression, str):
            yield name, expression


def _validations(entries: object) -> Iterator[Validation]:
    for entry in map(mapping, sequence(entries)):
        if isinstance(entry.get("expression"), str):
            yield Validation(
                expression=entry["expression"],
                message=_text(entry.get("message")),
                message_expression=_text(entry.get("messageExpression")),
            )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
