"""The table of `check --kubernetes`: components and minors, and below it what differs between the minors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.cli.output import columns
from cluster_forge.cli.output.findings import text
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stages.check.version_matrix import VersionFindings, differing, placeless

_WORDS: Final = {Severity.ERROR: ("error", "errors"), Severity.WARNING: ("warn", "warn")}
_LETTERS: Final = {Severity.ERROR: ("E", "E"), Severity.WARNING: ("W", "W")}
_MOST_WITH_WORDS: Final = 5
"""Minors whose cells have room for words in 80 columns."""


def lines(components: Sequence[ComponentName], versions: Sequence[VersionFindings], verbosity: int) -> Iterator[str]:
    head = ["component", *(f"1.{version.minor}" for version in versions)]
    words = _LETTERS if len(versions) > _MOST_WITH_WORDS else _WORDS
    rows = [[name, *(_cell(version, version.of(name), words) for version in versions)] for name in components]
    yield from columns.table([head, *rows], [30, *(9 for _ in versions)])
    if words is _LETTERS:
        yield "E: errors, W: warnings, ?: cannot be rendered"
    for version in versions:
        if version.failure:
            yield from text.wrapped(f"1.{version.minor} cannot be rendered: {version.failure}")
    shown: set[Finding] = set()
    for minor, findings in differing(versions).items():
        fresh = [
            finding
            for finding in findings
            if placeless(finding) not in shown and finding.severity is not Severity.NOTICE
        ]
        shown |= {placeless(finding) for finding in fresh}
        if fresh:
            yield f"from 1.{minor}:"
            yield from _by_component(fresh, verbosity)


def _by_component(findings: Iterable[Finding], verbosity: int) -> Iterator[str]:
    """As `check` prints findings: below their component, those with one code together."""
    by_component: dict[str, list[Finding]] = {}
    for finding in findings:
        by_component.setdefault(finding.component or "the stack", []).append(finding)
    for name, of_component in by_component.items():
        of_component.sort(key=lambda finding: ([*Severity].index(finding.severity), finding.code))
        yield from text.of_component(name, of_component, verbosity)


def _cell(version: VersionFindings, findings: Sequence[Finding], words: Mapping[Severity, tuple[str, str]]) -> str:
    """The worst of a component on a minor, with its number."""
    if version.failure:
        return "?"
    counts = Counter(finding.severity for finding in findings)
    for severity, (one, several) in words.items():
        if counts[severity]:
            return f"{counts[severity]} {one if counts[severity] == 1 else several}"
    return "ok"


def content(components: Sequence[ComponentName], versions: Sequence[VersionFindings]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "versions": [
            {
                "kubernetes": f"1.{version.minor}",
                "failure": version.failure,
                "components": {str(name): dict(_counts(version, name)) for name in components},
            }
            for version in versions
        ],
    }


def _counts(version: VersionFindings, name: ComponentName) -> Iterator[tuple[str, int]]:
    counts = Counter(str(finding.severity) for finding in version.of(name))
    for severity in Severity:
        yield str(severity), counts[severity]
