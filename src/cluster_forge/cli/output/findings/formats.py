"""The formats of `check --format`, and a report in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cluster_forge.cli.output.findings.report import Report

SARIF, JUNIT, GITHUB, MARKDOWN = "sarif", "junit", "github", "markdown"

FORMATS: Final[Mapping[str, str]] = {
    SARIF: "2.1.0, for code scanning",
    JUNIT: "XML that CI systems show as tests",
    GITHUB: "annotations of GitHub Actions",
    MARKDOWN: "for a pull request",
}
"""What only `check` can write, and what for."""


def contents(chosen: str, report: Report) -> Iterable[str]:
    """The report in one of `FORMATS`, as it goes to stdout."""
    from cluster_forge.cli.output.findings import github, junit, markdown, sarif, subject
    from cluster_forge.cli.output.terminal_text import Styled, printable
    from cluster_forge.foundation.addresses import masked_values

    if chosen != SARIF:
        report = replace(report, findings=[subject.readable(finding) for finding in report.findings])
    if chosen == GITHUB:
        return github.lines(report)
    if chosen == JUNIT:
        return [Styled(junit.document(report))]
    if chosen == MARKDOWN:
        return [Styled(markdown.document(report).removesuffix("\n"))]
    import orjson

    document = orjson.dumps(masked_values(sarif.document(report)), option=orjson.OPT_INDENT_2)
    return [Styled(printable(document.decode()))]
