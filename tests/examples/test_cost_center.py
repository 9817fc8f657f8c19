"""The example transformer, from the command line to `working/`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

TABLE = "namespace,component,cost-center\nteam-*,,cc-1\n,loki,cc-2\n"
WORKLOADS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tidy}
spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1"}]}}}}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {template: {text: x}}
"""
DESCRIPTION = """
apiVersion: cluster-forge/v1
kind: Stack
name: s
transformers: [{plugin: cost-center, files: [t.csv], with: {label: cc}}]
components:
- {name: web, namespace: team-a, manifests: [w.yaml]}
- {name: other, namespace: other, manifests: [m.yaml]}
"""


def smelt(workspace: Path, packages: Path) -> tuple[int, Any]:
    environment: Mapping[str, str] = {
        **os.environ,
        "PYTHONPATH": str(packages),
        "XDG_CACHE_HOME": str(workspace / "../cache"),
        "XDG_STATE_HOME": str(workspace / "../state"),
    }
    finished = subprocess.run(
        [sys.executable, "-m", "cluster_forge", "-C", workspace, "smelt", "--format", "json"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    return finished.returncode, json.loads(finished.stdout)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "input").mkdir(parents=True)
    (folder / "input/config.yaml").write_text(DESCRIPTION)
    (folder / "input/w.yaml").write_text(WORKLOADS)
    (folder / "input/m.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n")
    (folder / "input/t.csv").write_text(TABLE)
    return folder


def test_objects_and_their_pods_are_labeled_and_selectors_stay(workspace: Path, packages: Path) -> None:
    code, document = smelt(workspace, packages)
    assert code == 0
    objects = {
        one["kind"]: one
        for path in (workspace / "working/web").glob("*.yaml")
        for one in [yaml.safe_load(path.read_text())]
    }
    deployment, cron_job, widget = (objects[kind] for kind in ("Deployment", "CronJob", "Widget"))
    assert deployment["metadata"]["labels"] == {"app": "web", "cc": "cc-1"}
    assert deployment["spec"]["template"]["metadata"]["labels"] == {"app": "web", "cc": "cc-1"}
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    assert cron_job["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"] == {"cc": "cc-1"}
    assert widget["spec"] == {"template": {"text": "x"}}
    findings = [(one["code"], one["component"]) for one in document["findings"]]
    assert ("cost-center/no-cost-center", "other") in findings


def test_an_ignored_finding_is_gone(workspace: Path, packages: Path) -> None:
    ignore = "checks: {ignore: [{code: cost-center/no-cost-center, component: other, reason: shared}]}\n"
    (workspace / "input/config.yaml").write_text(DESCRIPTION + ignore)
    _, document = smelt(workspace, packages)
    assert not [one for one in document["findings"] if "/" in one["code"]]


@pytest.mark.parametrize(
    ("table", "where", "reason"),
    [
        ("namespace,center\n", "input/t.csv:1", "the table has no column component, cost-center"),
        (
            "namespace,component,cost-center\n,,ok\n,,not ok\n",
            "input/t.csv:3",
            "'not ok' cannot be the value of a label",
        ),
        ('namespace,component,cost-center\n"a,,x\n', "input/t.csv:", "not CSV"),
    ],
)
def test_a_wrong_table_is_an_error_with_its_line(
    workspace: Path, packages: Path, table: str, where: str, reason: str
) -> None:
    (workspace / "input/t.csv").write_text(table)
    code, document = smelt(workspace, packages)
    (error,) = document["errors"]
    assert code == 40
    assert error["where"].startswith(where)
    assert reason in error["message"]
