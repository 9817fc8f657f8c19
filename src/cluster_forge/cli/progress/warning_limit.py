"""How many warnings a run prints in full: a stack may have hundreds, and what it says about errors must be seen."""

from __future__ import annotations

from collections import Counter
from typing import Final

from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding, Severity

_MOST_OF_CODE: Final = 3
_MOST: Final = 15
"""Warnings that are printed in full, with one code and in all."""
_MOST_CODES: Final = 8
"""Codes that the summary names."""


class WarningLimit:
    """Counts warnings; ``is_on`` False: all are printed."""

    def __init__(self, *, is_on: bool) -> None:
        self._is_on = is_on
        self._printed: Counter[str] = Counter()
        self._hidden: Counter[str] = Counter()

    def is_printed(self, finding: Finding) -> bool:
        """Whether a finding is printed in full; one that is not is in the next `summary`."""
        if not self._is_on or finding.severity is not Severity.WARNING:
            return True
        counts = self._printed
        is_printed = counts[finding.code] < _MOST_OF_CODE and counts.total() < _MOST
        (self._printed if is_printed else self._hidden)[finding.code] += 1
        return is_printed

    def summary(self) -> str:
        """The warnings since the last summary that were not printed, by code; empty if all were."""
        if not self._hidden:
            return ""
        hidden, self._hidden = self._hidden, Counter()
        by_code = sorted(hidden.items(), key=lambda entry: (-entry[1], entry[0]))
        named = [f"{code} {count}" for code, count in by_code[:_MOST_CODES]]
        if len(by_code) > _MOST_CODES:
            named.append(counted(len(by_code) - _MOST_CODES, "other code"))
        return f"… and {counted(hidden.total(), 'more warning')} ({', '.join(named)}): `cluster-forge check` shows them"
