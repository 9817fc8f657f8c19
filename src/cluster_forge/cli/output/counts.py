"""Numbers as text."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_forge.foundation import names
from cluster_forge.manifests.finding import Finding, Severity


def finding_counts(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning, 3 notices``; empty without findings."""
    severities = [finding.severity for finding in findings]
    counts = [(severity, severities.count(severity)) for severity in Severity]
    return ", ".join(names.counted(number, severity) for severity, number in counts if number)


def size(number: int) -> str:
    """Bytes: ``12 B``, ``3.4 kB``, ``5.6 MB``."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"
