"""What the description and the run make of findings.

``checks.ignore`` silences them, ``checks.errors`` turns warnings into errors, ``--allow`` errors into warnings. What a
component accepts, such as one of the catalog, is a notice with the reason, unless ``checks.errors`` names the code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from cluster_forge.checks.exemption import Exemption, is_exempt
from cluster_forge.foundation.names import nearest
from cluster_forge.manifests.finding import CODES, Finding, Mending, Severity
from cluster_forge.record import FindingCounts
from cluster_forge.stack.model import FindingPolicy, Ignore

DEEP: Final = frozenset({"api-mismatch", "random-render", "ineffective-value", "unknown-value"})
"""The codes of findings that take rendering again: `check --deep` alone has them."""


def apply(
    findings: Iterable[Finding], policy: FindingPolicy, allow: Collection[str], *, is_deep: bool = False
) -> tuple[Finding, ...]:
    """The findings that are left; an entry of ``checks`` that no finding can match is a finding, too. ``is_deep``: those of
    `DEEP` codes are among them, if there are any.
    """
    used: set[Ignore] = set()
    left = []
    for finding in findings:
        matching = [ignore for ignore in policy.ignores if _matches(ignore, finding)]
        used.update(matching)
        if not matching:
            left.append(_judged(finding, policy, allow))
    looked_for = [ignore for ignore in policy.ignores if is_deep or ignore.code not in DEEP]
    return (*left, *_unused(looked_for, used), *_unknown(policy))


def _judged(finding: Finding, policy: FindingPolicy, allow: Collection[str]) -> Finding:
    is_allowed = finding.code in allow
    if finding.severity is Severity.ERROR and is_allowed:
        return replace(finding, severity=Severity.WARNING)
    if finding.severity is Severity.WARNING and finding.code in policy.errors and not is_allowed:
        return replace(finding, severity=Severity.ERROR)
    reason = _accepted(finding, policy) if finding.severity is Severity.WARNING else ""
    if reason:
        return replace(finding, severity=Severity.NOTICE, message=f"{finding.message}; accepted: {reason}", fix="")
    return finding


def _accepted(finding: Finding, policy: FindingPolicy) -> str:
    """Why the component accepts the finding; empty if it does not."""
    accepted = policy.accepted.get(finding.component or "", ())
    covering = (one for one in accepted if is_exempt(finding, [Exemption(code=one.code, objects=one.objects)]))
    return next((one.reason for one in covering), "")


def _unused(ignores: Iterable[Ignore], used: Collection[Ignore]) -> Iterator[Finding]:
    for ignore in ignores:
        if ignore not in used:
            yield Finding(
                code="unused-ignore",
                severity=Severity.WARNING,
                where=ignore.where,
                message=f"checks.ignore {ignore.code!r} matches no finding",
                fix="remove the entry",
                mending=Mending(where=ignore.where),
            )


def _unknown(policy: FindingPolicy) -> Iterator[Finding]:
    """An error: the entry promises a stop that never comes. Codes with a slash are those of plug-ins."""
    for code, where in policy.errors.items():
        if code not in CODES and "/" not in code:
            near = nearest(code, CODES)
            yield Finding(
                code="unknown-name",
                severity=Severity.ERROR,
                where=where,
                message=f"checks.errors: no finding has the code {code!r}",
                fix=f"write {near}" if near else "write a code that `cluster-forge check` lists",
            )


def unignored(findings: Iterable[Finding], policy: FindingPolicy) -> tuple[Finding, ...]:
    """The findings that no entry of ``checks.ignore`` silences, where not all findings are known yet."""
    return tuple(finding for finding in findings if not any(_matches(ignore, finding) for ignore in policy.ignores))


def judged(findings: Iterable[Finding], policy: FindingPolicy, allow: Collection[str]) -> tuple[Finding, ...]:
    """The findings that are left, with their severities, where not all findings are known yet."""
    return tuple(_judged(finding, policy, allow) for finding in unignored(findings, policy))


def count(findings: Sequence[Finding]) -> FindingCounts:
    """How many are errors and warnings."""
    return FindingCounts(
        error=sum(finding.severity is Severity.ERROR for finding in findings),
        warning=sum(finding.severity is Severity.WARNING for finding in findings),
    )


def _matches(ignore: Ignore, finding: Finding) -> bool:
    return (
        ignore.code == finding.code
        and ignore.component in ("", finding.component)
        and ignore.object in ("", str(finding.object), finding.object.name if finding.object else "")
    )
