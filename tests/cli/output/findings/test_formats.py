"""The formats of `check`, for texts that would break each of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import click
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cli.output.findings import github, junit, markdown, sarif, text
from cluster_forge.cli.output.findings.report import Report
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import CODES, Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import parse_description
from cluster_forge.stages.check.check_stack import Basis

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
components:
- {name: web, namespace: web, helm: {chart: ./charts/web}}
- {name: extras, namespace: extras, manifests: [extras/]}
"""
SOURCE = {"input/config.yaml": DESCRIPTION.encode()}
STACK = parse_description(InputFiles(SOURCE.get)).stack
FILES = frozenset(("input/config.yaml", "input/extras/a.yaml", "input/charts/web/templates/web.yaml"))
OBJECT = ObjectId(group="apps", kind="Deployment", namespace="web", name="web")
EVIL = "a\x1b[2J|<b>`c`</b> [x](https://evil) ]]> & \"'\n::error::no %0A, {0} \ufffe\x00"

hostile = st.text(st.characters(codec="utf-8"), max_size=40) | st.just(EVIL)
findings = st.builds(
    Finding,
    code=st.sampled_from(sorted(CODES)) | st.just("team-labels/no-team"),
    severity=st.sampled_from(Severity),
    message=hostile,
    component=st.sampled_from([None, ComponentName("web"), ComponentName("extras")]),
    object=st.none() | st.builds(ObjectId, group=st.just("apps"), kind=st.just("Foo"), namespace=hostile, name=hostile),
    where=hostile | st.sampled_from(["input/extras/a.yaml:7", "web/templates/web.yaml:3", "input/config.yaml:4"]),
    field=hostile,
    fix=hostile,
)


def report(*listed: Finding, **more: Any) -> Report:
    stack = STACK
    return Report(stack=stack, parts=(), basis=Basis.WORKING, findings=listed, is_file=FILES.__contains__, **more)


def finding(**more: Any) -> Finding:
    values = {"code": "requests", "severity": Severity.WARNING, "message": "no requests", "component": "web"}
    return Finding(**{**values, "object": OBJECT, **more})


def check_sarif(document: Any) -> None:
    """What the schema of SARIF 2.1.0 asks of the parts that are used."""
    assert document["version"] == "2.1.0"
    [run] = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        assert "](" not in result["message"]["text"]
        for location in result["locations"]:
            for logical in location.get("logicalLocations", ()):
                assert set(logical) == {"name", "fullyQualifiedName", "kind"}
            if physical := location.get("physicalLocation"):
                assert physical["region"]["startLine"] >= 1
                assert re.fullmatch(r"[\w.~/%-]+", physical["artifactLocation"]["uri"])
                assert unquote(physical["artifactLocation"]["uri"]) in FILES
    prints = [result["partialFingerprints"]["clusterForge/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


@given(st.lists(findings, max_size=6))
def test_every_format_stays_whole_whatever_a_finding_says(listed: list[Finding]) -> None:
    shown = report(*listed)
    check_sarif(json.loads(orjson.dumps(sarif.document(shown))))
    suites = ET.fromstring(junit.document(shown))
    assert len(suites.findall(".//testcase")) == len(listed)
    lines = list(github.lines(shown))
    assert len(lines) == len(listed)
    for line in lines:
        assert re.match(r"::(error|warning|notice) [^\n]*::[^\n]*\Z", line)
    for one in (*lines, junit.document(shown), markdown.document(shown), *text.lines(shown, 2)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", click.unstyle(one))
    comment = markdown.document(shown)
    assert "<b>" not in comment
    assert comment.count("<details") == comment.count("</details>") == len(shown.groups)


class TestSarif:
    def location(self, **more: Any) -> Any:
        [result] = sarif.document(report(finding(**more)))["runs"][0]["results"]
        return result["locations"][0]

    @pytest.mark.parametrize(
        ("where", "component", "expected"),
        [
            ("input/extras/a.yaml:7", "extras", ("input/extras/a.yaml", 7)),
            ("web/templates/web.yaml:3", "web", ("input/charts/web/templates/web.yaml", 3)),
            ("grafana/templates/x.yaml:3", "web", ("input/config.yaml", 6)),
            ("input/gone.yaml:3", "extras", ("input/config.yaml", 7)),
            ("input/../../etc/passwd:3", "extras", ("input/config.yaml", 7)),
        ],
    )
    def test_a_line_of_the_workspace(self, where: str, component: str, expected: tuple[str, int]) -> None:
        location = self.location(where=where, component=ComponentName(component))["physicalLocation"]
        assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == expected

    def test_component_object_and_field_are_a_logical_location(self) -> None:
        assert self.location(field="spec.replicas")["logicalLocations"] == [
            {
                "name": "spec.replicas",
                "fullyQualifiedName": f"web / {OBJECT} / spec.replicas",
                "kind": "member",
            }
        ]

    def test_a_rule_has_its_page(self) -> None:
        rules = sarif.document(report(finding(), finding(code="team/no-team")))["runs"][0]["tool"]["driver"]["rules"]
        assert rules[0]["helpUri"].endswith("/docs/checks/requests.md")
        assert rules[1] == {"id": "team/no-team"}

    def test_fingerprints_stay_when_lines_and_words_change(self) -> None:
        def prints(where: str, message: str) -> list[str]:
            document = sarif.document(report(*(finding(where=where, message=message) for _ in range(2))))
            return [result["partialFingerprints"]["clusterForge/v1"] for result in document["runs"][0]["results"]]

        assert prints("templates/a.yaml:1", "m") == prints("templates/a.yaml:9", "n")


class TestOthers:
    def test_junit_fails_what_fails_the_run(self) -> None:
        shown = report(finding(), finding(severity=Severity.ERROR))
        suites = ET.fromstring(junit.document(shown))
        assert (suites.get("tests"), suites.get("failures")) == ("2", "1")
        [failure] = suites.findall(".//failure")
        assert failure.get("message") == "no requests"

    def test_github_escapes_as_its_toolkit_does(self) -> None:
        [line] = github.lines(
            report(finding(message="a%b\nc", where="input/extras/a.yaml:7", component=ComponentName("extras")))
        )
        assert line == (
            "::warning file=input/extras/a.yaml,line=7,title=requests extras Deployment.apps/web/web"
            "::input/extras/a.yaml:7: a%25b%0Ac"
        )

    def test_markdown_is_no_longer_than_a_comment(self) -> None:
        many = [finding(message="m" * 500) for _ in range(300)]
        comment = markdown.document(
            report(
                *many,
                *(replace(one, component=None) for one in many),
                finding(component="extras", message="<" * 30_000),
            )
        )
        assert len(comment) < 65_536
        assert comment.count("… and 250 findings more") == 2
        assert comment.endswith("… and 1 finding more: `cluster-forge check` lists all.\n")
