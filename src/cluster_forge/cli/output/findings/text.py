"""The findings for people: by component, then by code with why it matters; no line is wider than 80 where it has a space."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from cluster_forge.cli.output.counts import finding_counts
from cluster_forge.cli.output.findings import subject
from cluster_forge.cli.output.findings.report import Report
from cluster_forge.cli.output.terminal_text import Styled, one_line, styled
from cluster_forge.cli.output.visibility import least_verbosity
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.finding_codes import WHY
from cluster_forge.stages.check.baseline import KnownFinding
from cluster_forge.stages.check.check_stack import Basis

_COLUMNS: Final = 80
_MOST: Final = 5
"""Findings with one code in one component that are listed without ``-v``."""
_COLORS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}
_BASES: Final = {
    Basis.EDITED: "checked: working/ with its hand edits",
    Basis.FRESH: "checked: what smelt would write, as working/ is not up to date",
}


def lines(report: Report, verbosity: int) -> Iterator[str]:
    """The findings that are printed at this verbosity, and how many there are."""
    for component, findings in report.groups:
        listed = [finding for finding in findings if least_verbosity(finding) <= verbosity]
        if listed:
            yield from of_component(component or f"the stack {report.stack.name}", listed, verbosity)
            yield ""
    yield from _summary(report, verbosity)


def of_component(title: str, findings: Iterable[Finding], verbosity: int) -> Iterator[str]:
    """The findings of one component below its name; those with one code stand together."""
    yield styled((one_line(title), {"bold": True}))
    listed = map(subject.readable, findings)
    for _, alike in groupby(listed, key=lambda finding: (finding.severity, finding.code)):
        yield from _of_code(list(alike), verbosity)


def _of_code(findings: Sequence[Finding], verbosity: int) -> Iterator[str]:
    """Findings of one component with the same code: why they matter, each of them, and how they are mended."""
    first = findings[0]
    title = f"{first.severity}[{first.code}]"
    why = WHY.get(first.code, "")
    head, *more = wrapped(f"{title} {why}", "  ", "    ")
    yield styled("  ", (title, {"fg": _COLORS[first.severity]}), Styled(head[2 + len(title) :]))
    yield from more
    shown = findings if verbosity > 1 else findings[:_MOST]
    is_same_fix = len({finding.fix for finding in findings}) == 1
    for finding in shown:
        yield from _finding(finding, has_fix=not is_same_fix)
    if rest := len(findings) - len(shown):
        yield f"    … and {rest} more: -v shows them"
    if is_same_fix:
        yield from _fix(first.fix)


def _finding(finding: Finding, *, has_fix: bool) -> Iterator[str]:
    about = subject.of(finding)
    if about:
        yield from wrapped(about, "    ", "      ")
    place = f"{finding.where}: " if finding.where else ""
    yield from wrapped(f"{place}{finding.message}", "      " if about else "    ", "      ")
    if has_fix:
        yield from _fix(finding.fix)


def _fix(fix: str) -> Iterable[str]:
    return wrapped(f"fix: {fix}", "      ", "      ") if fix else ()


def wrapped(text: str, first: str = "", following: str = "  ") -> list[Styled]:
    """A text in lines of 80 columns, with what the first line and the following ones begin with."""
    broken = textwrap.wrap(
        one_line(text),
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=following,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [Styled(line) for line in broken]


def _summary(report: Report, verbosity: int) -> Iterator[str]:
    if report.basis in _BASES:
        yield _BASES[report.basis]
    if report.mended:
        yield from _mended(report.mended, verbosity)
    counts = finding_counts(report.findings, verbosity) or "no findings"
    known = f" ({report.known} more in the baseline)" if report.known else ""
    whole = f"{counted(len(report.stack.components), 'component')} of {report.stack.name}"
    yield f"{counts}{known} about {whole if report.names is None else f'{len(report.names)} of {whole}'}"


def _mended(mended: Sequence[KnownFinding], verbosity: int) -> Iterator[str]:
    shown = mended if verbosity > 1 else mended[:_MOST]
    yield f"mended since the baseline: {counted(len(mended), 'finding')}; --write-baseline takes them out"
    for entry in shown:
        yield from wrapped(" ".join(filter(None, (entry.code, entry.component, entry.object))), "  ", "    ")
    if rest := len(mended) - len(shown):
        yield f"  … and {rest} more: -v shows them"
