"""`check security`, `check --profile` and `check vulnerabilities` in a workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

CONFIG = """\
apiVersion: cluster-forge/v1
kind: Stack
name: shop
gitops: {engine: none}
components:
- name: agent
  namespace: agent
  podSecurity: privileged
  manifests: [agent.yaml]
"""
AGENT = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      serviceAccountName: agent
      hostNetwork: true
      containers:
      - {name: agent, image: "registry.example.com/agent:1.0.0"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {kind: ServiceAccount, name: agent, namespace: agent}
"""
REPORT = {
    "SchemaVersion": 2,
    "ArtifactName": "registry.example.com/agent:1.0.0",
    "Results": [
        {
            "Vulnerabilities": [
                {"VulnerabilityID": "CVE-2026-1", "PkgName": "zlib", "Severity": "HIGH", "FixedVersion": "2"}
            ]
        }
    ],
}


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return workspace.write({"input/config.yaml": CONFIG, "input/agent.yaml": AGENT})


def test_the_page_says_who_may_do_what(shop: Workspace) -> None:
    text = shop.ok("check", "security").out
    assert (
        "  ServiceAccount agent/agent, in the whole cluster\n    may do everything\n    by ClusterRole/cluster-admin\n"
        in text
    )
    assert "  agent: DaemonSet.apps/agent/agent (namespace enforces privileged)\n    sets hostNetwork\n" in text
    document = shop.ok("check", "security", "--format", "json").json
    assert document["rights"][0]["may"] == ["do everything"]
    assert document["pods"][0]["images"] == ["registry.example.com/agent:1.0.0"]


def test_a_profile_has_a_row_for_each_control(shop: Workspace) -> None:
    result = shop.run("check", "--profile", "cis")
    assert result.code == 1
    assert "  5.1.1   few are bound to cluster-admin: failed (1 object)\n" in result.out
    assert "  5.2.2   no privileged containers: passed\n" in result.out
    assert "  1.2     flags of the API server: not decidable from manifests\n" in result.out
    document = shop.run("check", "--profile", "pss", "--format", "json").json
    assert {control["verdict"] for control in document["controls"]} == {"passed", "failed"}
    assert shop.run("check", "--profile", "cis", "--only", "rbac-wide").code == 2


def test_reports_of_scanners_are_joined(shop: Workspace) -> None:
    shop.write({"report.json": json.dumps(REPORT)})
    file = str(shop.folder / "report.json")
    text = shop.ok("check", "vulnerabilities", file, "--fail-on", "critical").out
    assert text.startswith(
        "registry.example.com/agent:1.0.0: 1 high (reaches the node)\n    agent: DaemonSet.apps/agent/agent"
    )
    assert "  high CVE-2026-1 in zlib (fixed in 2)\n" in text
    assert shop.run("check", "vulnerabilities", file, "--fail-on", "high").code == 1
    assert "not scanned" not in text
    shop.ok("check", "vulnerabilities", file, "--require-reports")
    document: dict[str, Any] = shop.ok("check", "vulnerabilities", file, "--format", "json").json
    assert document["images"][0]["uses"][0]["component"] == "agent"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "the file is not JSON"),
        ("a: 1\n", "not a report about vulnerabilities"),
        ("a: [", "neither JSON nor YAML"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_not_a_report_is_an_error(shop: Workspace, content: str | None, message: str) -> None:
    if content is not None:
        shop.write({"report.json": content})
    result = shop.run("check", "vulnerabilities", str(shop.folder / "report.json"))
    assert result.code == 10
    assert message in result.err


def test_reports_about_other_images_let_no_gate_pass(shop: Workspace) -> None:
    report = {"SchemaVersion": 2, "ArtifactName": "registry.example.com/other:1", "Results": []}
    shop.write({"report.json": json.dumps(report)})
    file = str(shop.folder / "report.json")
    text = shop.ok("check", "vulnerabilities", file).out
    assert text.endswith("not scanned: 1 of 1 image of the stack, which may have any vulnerability\n")
    assert shop.run("check", "vulnerabilities", file, "--fail-on", "critical").code == 1
    assert shop.run("check", "vulnerabilities", file, "--require-reports").code == 1
