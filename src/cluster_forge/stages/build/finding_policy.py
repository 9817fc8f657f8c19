"""What becomes of findings: ``checks.ignore`` of the description silences them, ``--allow`` turns errors into warnings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.record import FindingCounts
from cluster_forge.stack.model import Ignore


def apply(findings: Iterable[Finding], ignores: Sequence[Ignore], allow: Collection[str]) -> tuple[Finding, ...]:
    """The findings that are left; an entry of ``checks.ignore`` that silences nothing is a finding, too."""
    used: set[Ignore] = set()
    left = []
    for finding in findings:
        matching = [ignore for ignore in ignores if _matches(ignore, finding)]
        used.update(matching)
        if not matching:
            is_allowed = finding.severity is Severity.ERROR and finding.code in allow
            left.append(replace(finding, severity=Severity.WARNING) if is_allowed else finding)
    unused = [
        Finding(
            code="unused-ignore",
            severity=Severity.WARNING,
            where=ignore.where,
            message=f"checks.ignore {ignore.code!r} matches no finding",
            fix="remove the entry",
        )
        for ignore in ignores
        if ignore not in used
    ]
    return (*left, *unused)


def unignored(findings: Iterable[Finding], ignores: Sequence[Ignore]) -> tuple[Finding, ...]:
    """The findings that no entry of ``checks.ignore`` silences, where not all findings are known yet."""
    return tuple(finding for finding in findings if not any(_matches(ignore, finding) for ignore in ignores))


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
