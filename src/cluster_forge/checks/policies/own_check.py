"""The checks of one's own in CEL, and what they say about the objects of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import (
    BudgetExceededError,
    EvaluationError,
    ExpressionError,
    NoSuchKeyError,
    UnsupportedError,
)
from cluster_forge.cel.program import program
from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies import admitted as admitted_objects
from cluster_forge.checks.policies.admitted import Admitted, reason
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.finding_codes import OWN_CHECKS

BASE: Final = 500_000
"""Units that a check may take, with `EACH` for each object."""
EACH: Final = 3_000
NAMES: Final = ("object", "component", "kubernetes")
"""What an expression knows."""
_LONGEST: Final = 200
"""Characters of an expression in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCheck:
    """``expression`` is true for an object that is as it should be; an empty sequence or mapping selects everything.

    ``where`` is the check's place (``file:line``), ``match_where`` that of what selects objects.
    """

    name: str
    expression: str
    where: str
    match_where: str = ""
    kinds: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    components: Sequence[str] = ()
    labels: Mapping[str, str]
    message: str = ""
    fix: str = ""
    severity: Severity = Severity.WARNING

    @property
    def code(self) -> str:
        return f"{OWN_CHECKS}{self.name}"

    def selects(self, admitted: Admitted) -> bool:
        """Whether the check is about an object; about the Pods of a workload only if it names their kind."""
        kinds = (admitted.kind, f"{admitted.kind}.{admitted.group}")
        is_of_kind = any(kind in self.kinds for kind in kinds) or not (self.kinds or admitted.is_pod_of_workload)
        return (
            is_of_kind
            and (not self.namespaces or admitted.namespace in self.namespaces)
            and (not self.components or admitted.manifest.provenance.component in self.components)
            and (not self.labels or all(admitted.labels.get(key) == text for key, text in self.labels.items()))
        )


def findings(checked: CheckedStack, checks: Sequence[OwnCheck], /) -> Iterator[Finding]:
    """What the checks say. One that cannot be evaluated for an object is a notice, once for each check; an error, if the
    check's findings are errors: what must hold is not known to hold.
    """
    if not checks:
        return
    objects = admitted_objects.of(checked)
    kubernetes = f"{checked.stack.target.kubernetes.major}.{checked.minor}"
    for check in checks:
        budget = Budget(BASE + EACH * len(objects))
        failed: Finding | None = None
        for admitted in filter(check.selects, objects):
            try:
                is_passed = _is_passed(check, admitted, kubernetes, budget)
            except ExpressionError as error:
                failed = failed or _not_evaluated(check, admitted, error)
            else:
                if not is_passed:
                    yield _finding(check, admitted)
        if failed:
            yield failed


def _is_passed(check: OwnCheck, admitted: Admitted, kubernetes: str, budget: Budget) -> bool:
    names: dict[str, Any] = {
        "object": admitted.body,
        "component": str(admitted.manifest.provenance.component),
        "kubernetes": kubernetes,
    }
    result = program(check.expression).value(names, budget)
    if not isinstance(result, bool):
        raise EvaluationError("the expression is neither true nor false")
    return result


def _finding(check: OwnCheck, admitted: Admitted) -> Finding:
    whose = "its Pods: " if admitted.is_pod_of_workload else ""
    message = f"{whose}{check.message or f'`{_short(check.expression)}` is false'}"
    fix = check.fix or f"change the object so that the check holds ({check.where})"
    return report.finding(admitted.manifest, check.severity, check.code, message, fix=fix)


def _not_evaluated(check: OwnCheck, admitted: Admitted, error: ExpressionError) -> Finding:
    return Finding(
        code="not-evaluated",
        severity=Severity.ERROR if check.severity is Severity.ERROR else Severity.NOTICE,
        where=check.where,
        message=f"check {check.name}, for {admitted.manifest.id} and perhaps others: {_short(reason(admitted, error))}",
        fix=_advice(error),
    )


def _advice(error: ExpressionError) -> str:
    """How to write the expression so that it has a value."""
    match error:
        case NoSuchKeyError():
            return "ask first whether a field is there: `has(object.spec.x) && …`"
        case BudgetExceededError():
            return "select fewer objects with `match`, or loop over less in the expression"
        case UnsupportedError():
            return "write it without this function, or as a plug-in"
        case _:
            return "make sure of types and values first: `type(object.spec.x) == int && …`"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
