"""Variables that look like secrets are errors, and their values are not shown."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cluster_forge.manifests.finding import Severity
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import ParsedDescription, parse_description
from cluster_forge.stack.selection import Selection
from cluster_forge.stack.variables.options import VariableOptions
from cluster_forge.stages.describe import variable_findings

TEXT = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
vars:
  replicas: 3
  db_password: canary-1
  url: https://me:canary-2@db.example.com
  existingSecret: shop
  nested: {clientSecret: canary-3, ok: true}
  pin: null
components:
- name: shop
  objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: "x ${db_password} ${replicas}"}}]
"""


def parsed(text: str = TEXT, *settings: str) -> ParsedDescription:
    files: Mapping[str, bytes] = {"input/config.yaml": text.encode()}
    given = VariableOptions(set=settings).settings
    return parse_description(InputFiles(files.get, lambda _: None), Selection(given=given))


def test_each_is_an_error_without_its_value() -> None:
    found = list(variable_findings.findings(parsed()))
    assert [finding.where for finding in found] == [f"input/config.yaml:{line}" for line in (6, 7, 9)]
    assert {(finding.code, finding.severity) for finding in found} == {("plaintext-secret", Severity.ERROR)}
    assert "canary" not in "".join(f"{finding.message}{finding.fix}" for finding in found)


def test_one_that_is_given_counts() -> None:
    (*_, last) = variable_findings.findings(parsed(TEXT, "pin=1234"))
    assert last.where == "--set pin"


def test_a_token_of_a_known_service_counts_under_any_name() -> None:
    described = parsed(TEXT, "existingSecret=ghp_" + "canary4" * 5 + "x")
    assert "--set existingSecret" in {finding.where for finding in variable_findings.findings(described)}
    assert "canary" not in str(variable_findings.without_secrets(described.effective, described))


def test_a_shown_description_has_none_of_their_values() -> None:
    described = parsed(TEXT, "pin=1234")
    shown = variable_findings.without_secrets(described.effective, described)
    assert "canary" not in str(shown)
    assert "1234" not in str(shown)
    assert shown["vars"]["replicas"] == 3
    assert shown["vars"]["existingSecret"] == "shop"
    assert shown["components"][0]["objects"][0]["data"]["a"] == "x *** 3"


@pytest.mark.parametrize("line", ["replicas: 3", "host: example.com", "auth: true", "token_name: x", "passwordKey: k"])
def test_other_variables_are_none(line: str) -> None:
    described = parsed(TEXT[: TEXT.index("  replicas")] + f"  {line}\ncomponents: []\n")
    assert not list(variable_findings.findings(described))
    assert variable_findings.without_secrets(described.effective, described) is described.effective
