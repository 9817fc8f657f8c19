"""The findings as JUnit XML, as Jenkins, GitLab and Azure read it: a suite for each component, a test for each finding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from cluster_forge.cli.output.findings import places, subject
from cluster_forge.cli.output.findings.report import Report
from cluster_forge.cli.output.terminal_text import shown
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.finding_codes import WHY

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot have, even as a reference."""


def document(report: Report) -> str:
    """The whole document. A finding as bad as ``--fail-on`` says is a failure, another one a test that passed with a remark.

    A component without findings is one test that passed.
    """
    groups = dict(report.groups)
    wanted = [part.name for part in report.parts if report.names is None or part.name in report.names]
    clean = [name for name in wanted if name not in groups]
    suites = [_suite(report, component, findings) for component, findings in groups.items()]
    suites += [_clean(report, name) for name in clean]
    failures = sum(report.fails(finding) for finding in report.findings)
    head = f'<testsuites name={_attribute(report.stack.name)} tests="{len(report.findings) + len(clean)}"'
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'{head} failures="{failures}" errors="0">',
            *suites,
            "</testsuites>",
        )
    )


def _suite(report: Report, component: ComponentName | None, findings: Sequence[Finding]) -> str:
    failures = sum(map(report.fails, findings))
    name = _attribute(component or report.stack.name)
    head = f'  <testsuite name={name} tests="{len(findings)}" failures="{failures}" errors="0" skipped="0">'
    cases = (line for finding in findings for line in _case(report, finding))
    return "\n".join((head, *cases, "  </testsuite>"))


def _clean(report: Report, component: ComponentName) -> str:
    name = _attribute(component)
    case = f'    <testcase classname={_attribute(report.stack.name)} name="check"/>'
    return f'  <testsuite name={name} tests="1" failures="0" errors="0" skipped="0">\n{case}\n  </testsuite>'


def _case(report: Report, finding: Finding) -> Iterator[str]:
    name = " ".join(filter(None, (finding.code, subject.of(finding))))
    place = places.of(finding, report.stack, report.is_file)
    file = f' file={_attribute(place.path)} line="{place.line}"' if place else ""
    classname = _attribute(finding.component or report.stack.name)
    yield f"    <testcase classname={classname} name={_attribute(name)}{file}>"
    details = "\n".join(
        filter(
            None,
            (
                f"{finding.where}: {finding.message}" if finding.where else finding.message,
                WHY.get(finding.code, ""),
                finding.fix and f"fix: {finding.fix}",
            ),
        )
    )
    if report.fails(finding):
        message = _attribute(finding.message)
        yield f"      <failure type={_attribute(finding.severity)} message={message}>{_text(details)}</failure>"
    else:
        yield f"      <system-out>{_text(f'{finding.severity}: {details}')}</system-out>"
    yield "    </testcase>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", shown(text)))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", shown(" ".join(text.split()))))
