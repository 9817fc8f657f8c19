"""Hand edits of real charts: they outlive another smelt, a lost `working/` and a newer version of the chart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import shared_store

from cluster_forge.cli.app import run

pytestmark = pytest.mark.corpus

STACK = """\
apiVersion: cluster-forge/v1
kind: Stack
name: platform
target: {kubernetes: "1.33"}
gitops: {engine: none}
components:
- name: metallb
  namespace: metallb-system
  helm: {repository: https://metallb.github.io/metallb, chart: metallb, version: 0.15.2}
- name: external-secrets
  namespace: external-secrets
  helm: {repository: https://charts.external-secrets.io, chart: external-secrets, version: 0.15.1}
"""
CONTROLLER = "metallb/deployment.apps_metallb-system_metallb-controller.yaml"
SPEAKER = "metallb/daemonset.apps_metallb-system_metallb-speaker.yaml"
SECRETS = "external-secrets/deployment.apps_external-secrets_external-secrets.yaml"
ADDED = "metallb/configmap_metallb-system_mine.yaml"
REMOVED = "external-secrets/service_external-secrets_external-secrets-webhook.yaml"


class Edited:
    """A workspace with this stack and the program for it."""

    def __init__(self, folder: Path, mirror: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._fetched = ("--mirror", str(mirror), "--offline")
        self._store = ("--store", str(shared_store.root()))
        self._capsys = capsys
        (folder / "input").mkdir(parents=True)
        (folder / "input/config.yaml").write_text(STACK)

    def run(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        options = (*self._store, *(self._fetched if words[0] == "forge" else ()))
        code = run(["-C", str(self.folder), *words, *options])
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err

    def ok(self, *words: str) -> str:
        code, out, err = self.run(*words)
        assert code == 0, err
        return out

    def objects(self) -> list[dict[str, Any]]:
        return json.loads(self.run("customize", "status", "--format", "json")[1])["objects"]  # type: ignore[no-any-return]

    def path(self, name: str) -> Path:
        return self.folder / "working" / name

    def body(self, name: str) -> Any:
        return yaml.safe_load(self.path(name).read_text())

    def replace(self, name: str, *changes: tuple[str, str]) -> None:
        text = self.path(name).read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        self.path(name).write_text(text)

    def upgrade(self, *versions: tuple[str, str]) -> None:
        description = self.folder / "input/config.yaml"
        text = description.read_text()
        for old, new in versions:
            text = text.replace(f"version: {old}", f"version: {new}")
        description.write_text(text)

    def files(self) -> dict[str, bytes]:
        paths = sorted(path for path in (self.folder / "working").rglob("*.yaml"))
        return {str(path.relative_to(self.folder / "working")): path.read_bytes() for path in paths}


def images(body: Any) -> Sequence[str]:
    return [container["image"] for container in body["spec"]["template"]["spec"]["containers"]]


@pytest.fixture
def edited(tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> Edited:
    """Five edits: fields, a label and a toleration, an image, an added and a removed object."""
    workspace = Edited(tmp_path / "w", corpus / "mirror", capsys)
    workspace.ok("forge")
    workspace.replace(CONTROLLER, ("metadata:\n  labels:\n", "metadata:\n  labels:\n    team: network\n"))
    workspace.replace(CONTROLLER, ("spec:\n", "spec:\n  minReadySeconds: 9\n"))
    workspace.replace(SPEAKER, ("      tolerations:\n", "      tolerations:\n      - {key: mine, operator: Exists}\n"))
    image = images(workspace.body(SECRETS))[0]
    workspace.replace(SECRETS, (image, f"mirror.example.com/{image.partition('/')[2]}"))
    mine = "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: mine\n  namespace: metallb-system\n"
    workspace.path(ADDED).write_text(mine)
    workspace.path(REMOVED).unlink()
    return workspace


def check_edits(workspace: Edited) -> None:
    """What the edits made is there, whatever else has changed."""
    controller, speaker = workspace.body(CONTROLLER), workspace.body(SPEAKER)
    assert controller["metadata"]["labels"]["team"] == "network"
    assert controller["spec"]["minReadySeconds"] == 9
    assert {"key": "mine", "operator": "Exists"} in speaker["spec"]["template"]["spec"]["tolerations"]
    assert images(workspace.body(SECRETS))[0].startswith("mirror.example.com/")
    assert workspace.body(ADDED)["data"] == {"a": "b"}
    assert not workspace.path(REMOVED).exists()


def test_saved_edits_outlive_working(edited: Edited) -> None:
    assert len(edited.objects()) == 5
    assert edited.run("customize", "diff")[0] == 1
    edited.ok("forge")
    check_edits(edited)
    edited.ok("customize", "save")
    edited.ok("smelt", "--yes")
    assert edited.objects() == []
    before = edited.files()
    shutil.rmtree(edited.folder / "working")
    edited.ok("forge")
    assert edited.files() == before
    check_edits(edited)


def test_edits_outlive_an_upgrade_or_are_named(edited: Edited) -> None:
    edited.upgrade(("0.15.2", "0.16.1"), ("0.15.1", "2.9.0"))
    before = edited.files()
    code, _, err = edited.run("forge")
    assert code == 1
    conflicts = [line for line in err.splitlines() if "error[edit-conflict]" in line]
    (conflict,) = conflicts
    assert "image" in conflict
    assert "mirror.example.com" in conflict
    assert edited.files() == before
    edited.ok("forge", "--merge", "ours")
    check_edits(edited)
    assert len(edited.objects()) == 5
    edited.ok("customize", "save")
    edited.ok("smelt", "--yes")
    assert edited.objects() == []
    check_edits(edited)
