"""`check --kubernetes`: a table of components and minors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stages.check.version_matrix import VersionFindings, differing, minors

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

FLOW = """\
apiVersion: flowcontrol.apiserver.k8s.io/v1beta3
kind: FlowSchema
metadata: {name: web}
spec: {priorityLevelConfiguration: {name: workload-low}}
"""


def test_each_minor_is_checked_by_itself(workspace: Workspace) -> None:
    workspace.write({"input/extras/flow.yaml": FLOW})
    result = workspace.run("check", "--kubernetes", "1.30..1.32", "--format", "json")
    assert result.out, result.err
    cells = {
        version["kubernetes"]: {name: count for name, count in version["components"]["extras"].items() if count}
        for version in result.json["versions"]
    }
    assert result.code == 1
    assert {severity: cells[severity].get("error", 0) for severity in cells} == {"1.30": 0, "1.31": 0, "1.32": 1}
    assert cells["1.31"]["warning"] == cells["1.30"].get("warning", 0) + 1


def test_the_table_says_what_differs_and_from_when(workspace: Workspace) -> None:
    workspace.write({"input/extras/flow.yaml": FLOW})
    lines = workspace.run("check", "--kubernetes", "1.30..1.32").out.splitlines()
    assert lines[0].split() == ["component", "1.30", "1.31", "1.32"]
    assert any(line.split()[0] == "extras" and line.endswith("1 error") for line in lines)
    assert "from 1.32:" in lines
    assert any("deprecated-api" in line for line in lines)


def test_a_table_of_all_minors_fits_80_columns(workspace: Workspace) -> None:
    workspace.write({"input/extras/flow.yaml": FLOW})
    lines = workspace.run("check", "--kubernetes", "1.29..1.36").out.splitlines()
    row = next(line.split() for line in lines if line.startswith("extras"))
    assert row[-2:] == ["1", "E"]
    assert "E: errors, W: warnings, ?: cannot be rendered" in lines
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == []
    assert lines[lines.index("from 1.32:") + 1] == "extras"


def test_a_minor_that_cannot_be_rendered_does_not_make_the_others_differ() -> None:
    finding = Finding(code="deprecated-api", severity=Severity.WARNING, message="is old", where="input/config.yaml:1")
    rendered = [VersionFindings(minor=minor, findings=(finding,)) for minor in (31, 32)]
    columns = [VersionFindings(minor=30, failure="no"), *rendered]
    assert differing(columns) == {30: (), 31: (), 32: ()}
    other = VersionFindings(minor=33)
    assert differing([*columns, other])[31] == (finding,)


@pytest.mark.parametrize("text", ["1.36..1.29", "1.10", "1.29..", "1.29..1.99", "2.0", "x"])
def test_another_range_is_refused(text: str, workspace: Workspace) -> None:
    result = workspace.run("check", "--kubernetes", text)
    assert result.code == 2
    assert "is not a range such as 1.29..1.36" in result.err


def test_ranges() -> None:
    assert minors("1.29..1.31") == (29, 30, 31)
    assert minors("1.33") == (33,)
