"""What `check` prints: the findings that are wanted, grouped by component, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cluster_forge.cli.output.findings.places import IsFile
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack
from cluster_forge.stages.check.baseline import KnownFinding
from cluster_forge.stages.check.check_stack import Basis

SEVERITIES: Final = tuple(Severity)
"""The worst first."""


def rank(severity: Severity) -> int:
    """0 for the worst."""
    return SEVERITIES.index(severity)


def no_file(_: str) -> bool:
    """Of a report without a workspace."""
    return False


@dataclass(frozen=True, kw_only=True)
class Report:
    """``findings`` are those that are wanted; ``names`` the components that they are about, None for the whole stack.

    ``parts`` are all of the stack, ``basis`` says what was checked, ``fail_on`` from which severity on a finding fails the
    run. ``is_file`` says whether the workspace has a file. ``known`` are the findings that the baseline has, which are not
    among ``findings``, and ``mended`` those of the baseline that are gone.
    """

    stack: Stack
    parts: Sequence[Part]
    basis: Basis
    findings: Sequence[Finding]
    names: Collection[ComponentName] | None = None
    fail_on: Severity = Severity.ERROR
    is_file: IsFile = no_file
    known: int = 0
    mended: Sequence[KnownFinding] = ()

    @cached_property
    def counts(self) -> Mapping[Severity, int]:
        """How many findings have each severity."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in SEVERITIES}

    @cached_property
    def groups(self) -> Sequence[tuple[ComponentName | None, Sequence[Finding]]]:
        """The findings of each component, the worst first; None has those about the stack."""
        groups: dict[ComponentName | None, list[Finding]] = {}
        for finding in sorted(self.findings, key=_order):
            groups.setdefault(finding.component, []).append(finding)
        return sorted(groups.items(), key=lambda group: (_badness(group[1]), group[0] or ""))

    @property
    def ordered(self) -> Sequence[Finding]:
        """The findings as ``groups`` have them."""
        return [finding for _, findings in self.groups for finding in findings]

    def fails(self, finding: Finding) -> bool:
        """Whether a finding is as bad as ``fail_on``."""
        return rank(finding.severity) <= rank(self.fail_on)


def _order(finding: Finding) -> tuple[object, ...]:
    """Worst first, then by code, object and field: the same findings are always in the same order."""
    named = finding.object
    identity = (named.kind, named.group, named.namespace, named.name) if named else ("", "", "", "")
    return (rank(finding.severity), finding.code, *identity, finding.field, finding.where, finding.message)


def _badness(findings: Sequence[Finding]) -> tuple[int, ...]:
    counted = Counter(finding.severity for finding in findings)
    return tuple(-counted[severity] for severity in SEVERITIES)
