"""The findings as one JSON document."""

from __future__ import annotations

from typing import Any

from cluster_forge.cli.output.findings.report import Report
from cluster_forge.cli.output.result_json import finding_json
from cluster_forge.manifests.finding_codes import WHY
from cluster_forge.stack import variant


def content(report: Report) -> dict[str, Any]:
    """The keys of the document; the findings are in the order of the text."""
    return {
        "stack": report.stack.name,
        "folder": variant.folder(report.stack),
        "basis": report.basis,
        "components": [
            {"name": part.name, "version": part.version, "namespace": part.namespace, "wave": part.wave}
            for part in report.parts
            if report.names is None or part.name in report.names
        ],
        "counts": {severity.value: count for severity, count in report.counts.items()},
        "baseline": {
            "known": report.known,
            "mended": [
                {"code": entry.code, "component": entry.component or None, "object": entry.object}
                for entry in report.mended
            ],
        },
        "findings": [{**finding_json(finding), "why": WHY.get(finding.code, "")} for finding in report.ordered],
    }
