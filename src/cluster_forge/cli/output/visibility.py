"""Which findings are printed at which verbosity."""

from __future__ import annotations

from typing import Final

from cluster_forge.manifests.finding import Finding, Severity

_ALOUD: Final = frozenset({"pulled-in", "engine-missing"})
"""Codes of notices that are shown without ``-v``: they say that the stack holds more than its description names, or that
its delivery is not what the description lets one expect."""

_LEAST: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}


def least_verbosity(finding: Finding) -> int:
    """The verbosity (`OutputOptions.verbosity`) from which a finding is printed."""
    return min(_LEAST[finding.severity], 1) if finding.code in _ALOUD else _LEAST[finding.severity]
