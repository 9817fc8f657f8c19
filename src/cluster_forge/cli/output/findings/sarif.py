"""The findings as SARIF 2.1.0, which GitHub, GitLab and editors read.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub, "SARIF support for code scanning".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from cluster_forge.cli.output.findings import places
from cluster_forge.cli.output.findings.report import Report
from cluster_forge.foundation import build
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.finding_codes import WHY
from cluster_forge.stack import variant
from cluster_forge.stages.check import fingerprints

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_PROJECT: Final = "https://github.com/cluster-forge/cluster-forge"
_PAGES: Final = f"{_PROJECT}/blob/main/docs/checks"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_FINGERPRINT: Final = "clusterForge/v1"


def document(report: Report) -> Mapping[str, Any]:
    """The whole document; the same findings give the same document, apart from lines that moved."""
    findings = report.ordered
    codes = sorted({finding.code for finding in findings})
    results = [
        _result(finding, codes.index(finding.code), fingerprint, report)
        for finding, fingerprint in zip(findings, fingerprints.of(findings), strict=True)
    ]
    driver = {
        "name": "cluster-forge",
        "informationUri": _PROJECT,
        "version": build.identity(),
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"cluster-forge/{variant.folder(report.stack)}/"},
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    """What a code is for; the codes of plug-ins and of a user's own checks have no page."""
    if code not in WHY:
        return {"id": code}
    page = f"{_PAGES}/{code}.md"
    return {
        "id": code,
        "shortDescription": {"text": WHY[code]},
        "helpUri": page,
        "help": {"text": f"{WHY[code]} See {page}", "markdown": f"{WHY[code]} [How to mend it]({page})"},
    }


def _result(finding: Finding, rule: int, fingerprint: str, report: Report) -> dict[str, Any]:
    message = " ".join(filter(None, (f"{finding.message}.", finding.fix and f"Fix: {finding.fix}.")))
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(message)},
        "locations": [location] if (location := _location(finding, report)) else [],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    properties = {"where": finding.where, "fix": finding.fix}
    return {**result, "properties": {name: value for name, value in properties.items() if value}}


def _location(finding: Finding, report: Report) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if place := places.of(finding, report.stack, report.is_file):
        region = {"startLine": place.line}
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(place.path)}, "region": region}
    names = [str(part) for part in (finding.component, finding.object, finding.field) if part]
    if names:
        kind = "member" if finding.field else "object" if finding.object else "module"
        location["logicalLocations"] = [{"name": names[-1], "fullyQualifiedName": " / ".join(names), "kind": kind}]
    return location


def _plain(text: str) -> str:
    """A text in which nothing is a link of SARIF's (§3.11.6)."""
    return text.replace("](", "] (")
