"""The findings as workflow commands of GitHub Actions, which become annotations of a pull request.

Source: GitHub, "Workflow commands for GitHub Actions"; the escapes are those of ``@actions/core``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.cli.output.findings import places
from cluster_forge.cli.output.findings.report import Report
from cluster_forge.cli.output.terminal_text import Styled, shown
from cluster_forge.manifests.finding import Finding

_IN_MESSAGES: Final = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_IN_PROPERTIES: Final = (*_IN_MESSAGES, (":", "%3A"), (",", "%2C"))


def lines(report: Report) -> Iterator[Styled]:
    """A command for each finding, the worst first: GitHub shows ten of each severity for a step."""
    return (Styled(_command(finding, report)) for finding in report.ordered)


def _command(finding: Finding, report: Report) -> str:
    place = places.of(finding, report.stack, report.is_file)
    properties = {"file": place.path, "line": str(place.line)} if place else {}
    properties["title"] = " ".join(str(part) for part in (finding.code, finding.component, finding.object) if part)
    given = ",".join(f"{name}={_escaped(value, _IN_PROPERTIES)}" for name, value in properties.items())
    where = f"{finding.where}: " if finding.where else ""
    field = f"{finding.field}: " if finding.field else ""
    fix = f"\nfix: {finding.fix}" if finding.fix else ""
    return f"::{finding.severity} {given}::{_escaped(f'{where}{field}{finding.message}{fix}', _IN_MESSAGES)}"


def _escaped(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    text = shown(text)
    for character, escape in escapes:
        text = text.replace(character, escape)
    return text
