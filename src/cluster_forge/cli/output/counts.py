"""Numbers as text."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_forge.cli.output.visibility import least_verbosity
from cluster_forge.foundation import names
from cluster_forge.manifests.finding import Finding, Severity


def finding_counts(findings: Iterable[Finding], verbosity: int) -> str:
    """``2 errors, 1 warning, 3 notices: -v shows them``; empty without findings. The last part where some were not printed."""
    listed = list(findings)
    severities = [finding.severity for finding in listed]
    counts = [(severity, severities.count(severity)) for severity in Severity]
    text = ", ".join(names.counted(number, severity) for severity, number in counts if number)
    hidden = sum(least_verbosity(finding) > max(verbosity, 1) for finding in listed)
    return f"{text}: -v shows {'it' if hidden == 1 else 'them'}" if hidden else text


def size(number: int) -> str:
    """Bytes: ``12 B``, ``3.4 kB``, ``5.6 MB``."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"


def clock(seconds: float) -> str:
    """``3.2 s``, ``42 s``, ``1:05``, ``1:00:00``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
