"""The findings as Markdown for a comment on a pull request: the numbers, and a fold for each component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cluster_forge.cli.output.counts import finding_counts
from cluster_forge.cli.output.findings.report import Report
from cluster_forge.cli.output.markdown_text import LONGEST, code
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding, Severity

_SIGNS: Final = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.NOTICE: "🔵"}
_MOST_ROWS: Final = 50
"""Findings of one component."""
_ALL: Final = 2
"""The verbosity at which `finding_counts` has no remark about what is not printed."""


def document(report: Report) -> str:
    """The whole document, with a line break at its end; what is too much for a comment is counted."""
    counts = finding_counts(report.findings, _ALL) or "no findings"
    parts = [f"### {code(report.stack.name)}: {counts}"]
    room = LONGEST - len(parts[0])
    left = 0
    for component, findings in report.groups:
        fold = _fold(component or report.stack.name, findings)
        if len(fold) + 2 <= room:
            parts.append(fold)
            room -= len(fold) + 2
        else:
            left += len(findings)
    if left:
        parts.append(f"… and {counted(left, 'finding')} more: `cluster-forge check` lists all.")
    return "\n\n".join(parts) + "\n"


def _fold(name: str, findings: Sequence[Finding]) -> str:
    is_open = " open" if findings[0].severity is Severity.ERROR else ""
    summary = f"{code(name)}: {finding_counts(findings, _ALL)}"
    rows = "\n".join(_rows(findings[:_MOST_ROWS]))
    rest = len(findings) - _MOST_ROWS
    more = f"\n\n… and {counted(rest, 'finding')} more" if rest > 0 else ""
    table = f"| | code | where | what, and how to mend it |\n|---|---|---|---|\n{rows}"
    return f"<details{is_open}><summary>{summary}</summary>\n\n{table}{more}\n\n</details>"


def _rows(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        subject = [code(str(part)) for part in (finding.object, finding.field, finding.where) if part]
        fix = f"<br>fix: {code(finding.fix)}" if finding.fix else ""
        yield f"| {_SIGNS[finding.severity]} | {code(finding.code)} | {'<br>'.join(subject)} | {code(finding.message)}{fix} |"
