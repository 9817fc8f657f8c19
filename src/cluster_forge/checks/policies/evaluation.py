"""Evaluating a policy for an object, with the names that Kubernetes gives its expressions (API, "ValidatingAdmissionPolicy")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError, ExpressionError, NoSuchKeyError, UndecidedError
from cluster_forge.cel.program import program
from cluster_forge.checks.policies.admission_policy import AdmissionPolicy, Validation
from cluster_forge.checks.policies.admitted import Admitted
from cluster_forge.checks.security.hidden_values import hidden_object
from cluster_forge.foundation.untyped import mapping

_UNKNOWN: Final = frozenset(["userInfo", "uid", "options"])
"""Members of a request that are not known before it is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A validation that an object does not pass, and why."""

    validation: Validation
    message: str


class _Request(dict[str, Any]):
    """A request to create an object; who makes it is not known."""

    def __contains__(self, key: object) -> bool:
        if key in _UNKNOWN:
            raise UndecidedError(f"request.{key} is not known before the request is made")
        return super().__contains__(key)


class _Variables(Mapping[str, Any]):
    """The variables of a policy, each computed when an expression first asks for it."""

    def __init__(self, expressions: Mapping[str, str], names: Mapping[str, Any], budget: Budget) -> None:
        self._expressions = expressions
        self._names = names
        self._budget = budget
        self._values: dict[str, Any] = {}
        self._pending: set[str] = set()

    def of(self, names: Mapping[str, Any], budget: Budget) -> _Variables:
        """The same variables of another object."""
        return _Variables(self._expressions, names, budget)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            if name in self._pending:
                raise EvaluationError(f"the variable {name} needs itself")
            self._pending.add(name)
            try:
                value = program(self._expressions[name]).value({**self._names, "variables": self}, self._budget)
            finally:
                self._pending.discard(name)
            self._values[name] = value
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._expressions

    def __iter__(self) -> Iterator[str]:
        return iter(self._expressions)

    def __len__(self) -> int:
        return len(self._expressions)


def names_of(
    policy: AdmissionPolicy, admitted: Admitted, others: Mapping[str, Any], budget: Budget
) -> Mapping[str, Any]:
    """The names of a policy's expressions; ``others`` are ``params`` and ``namespaceObject`` where they are known."""
    kind = {"group": admitted.group, "version": admitted.version, "kind": admitted.kind}
    resource = {"group": admitted.group, "version": admitted.version, "resource": admitted.resource}
    request = _Request(
        kind=kind,
        requestKind=kind,
        resource=resource,
        requestResource=resource,
        subResource="",
        requestSubResource="",
        name=admitted.name,
        namespace=admitted.namespace,
        operation="CREATE",
        object=admitted.body,
        oldObject=None,
        dryRun=False,
    )
    names = {"object": admitted.body, "oldObject": None, "request": request, **others}
    return {**names, "variables": _Variables(policy.variables, names, budget)}


def applies(policy: AdmissionPolicy, names: Mapping[str, Any], budget: Budget) -> bool:
    """Whether all conditions of the policy hold; one that is false decides, whatever the others are.

    Raises:
        ExpressionError: for a condition that cannot be evaluated, if no other one is false.
    """
    failed: ExpressionError | None = None
    for expression in policy.conditions.values():
        try:
            if program(expression).value(names, budget) is False:
                return False
        except ExpressionError as error:
            failed = failed or error
    if failed:
        raise failed
    return True


def violation(validation: Validation, names: Mapping[str, Any], budget: Budget) -> Violation | None:
    """Why an object does not pass a validation; None if it does.

    Raises:
        ExpressionError: if that cannot be known. A field that is missing may be one that the server adds.
    """
    try:
        result = program(validation.expression).value(names, budget)
    except NoSuchKeyError as error:
        raise UndecidedError(f"{error}, unless the server adds it") from error
    if result is True:
        return None
    if result is not False:
        raise EvaluationError("the validation is neither true nor false")
    return Violation(validation=validation, message=_message(validation, names, budget))


def _message(validation: Validation, names: Mapping[str, Any], budget: Budget) -> str:
    """The message that the policy has for people; what an expression makes only where it has no other one, and without the
    secrets of the object.
    """
    if validation.message or not validation.message_expression:
        return validation.message
    try:
        message = program(validation.message_expression).value(_without_secrets(names, budget), budget)
    except ExpressionError:
        return ""
    return message if isinstance(message, str) else ""


def _without_secrets(names: Mapping[str, Any], budget: Budget) -> Mapping[str, Any]:
    """The names of a policy's expressions, with objects whose secrets are hidden; variables are computed from these."""
    shown = {**names, "object": hidden_object(mapping(names["object"]))}
    shown["request"] = _Request({**names["request"], "object": shown["object"]})
    if names.get("params") is not None:
        shown["params"] = hidden_object(mapping(names["params"]))
    variables = names["variables"]
    assert isinstance(variables, _Variables)
    return {**shown, "variables": variables.of(shown, budget)}
