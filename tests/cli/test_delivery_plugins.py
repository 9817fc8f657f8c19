"""`deploy --through NAME`: a cast stack is handed to a delivery plug-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.plugin_packages import install

PLUGIN = '''
import json, pathlib
from cluster_forge.plugin_api import Event, State, ProblemError
class Copy:
    """Copies a stack into a folder."""
    api_version = 1
    def deliver(self, stack):
        print("printed")
        if stack.settings.get("fail") == "all":
            raise ProblemError("no place", fix="make one")
        target = pathlib.Path(stack.settings["dir"])
        assert (stack.folder / "stack.json").is_file()
        for one in stack.components:
            yield Event(component=one.name, state=State.STARTED)
            if one.name == stack.settings.get("fail"):
                yield Event(component=one.name, state=State.FAILED, message="disk full")
                continue
            (target / one.name).write_text(json.dumps([one.wave, one.namespace, len(one.objects)]))
            yield Event(component=one.name, state=State.DONE, message=f"{len(one.objects)} objects")
'''
DESCRIPTION = """
apiVersion: cluster-forge/v1
kind: Stack
name: s
gitops: {engine: none}
components:
- {name: a, namespace: default, manifests: [m.yaml]}
- {name: b, namespace: default, manifests: [n.yaml], needs: [a]}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"


class Workspace:
    def __init__(self, folder: Path) -> None:
        self.folder, self.target = folder / "w", folder / "target"
        (self.folder / "input").mkdir(parents=True)
        self.target.mkdir()
        (self.folder / "input/config.yaml").write_text(DESCRIPTION)
        for file, name in (("m", "one"), ("n", "two")):
            (self.folder / f"input/{file}.yaml").write_text(MAP.replace("NAME", name))
        install(folder / "packages", "copies", "[cluster_forge.deliveries]\ncopy = copies:Copy\n", copies=PLUGIN)
        places = {"XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state", "PYTHONPATH": "packages"}
        self.environment = {**os.environ, **{key: str(folder / place) for key, place in places.items()}}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cluster_forge", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=self.environment)

    def deploy(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        finished = self.run("deploy", "--through", "copy", "--format", "json", *arguments)
        return finished.returncode, [json.loads(line) for line in finished.stdout.splitlines()]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("delivery"))
    assert made.run("forge").returncode == 0
    return made


def test_the_plugin_gets_the_folder_and_the_components_in_order(workspace: Workspace) -> None:
    code, lines = workspace.deploy("--with", f"dir={workspace.target}")
    assert code == 0
    assert [(one["name"], one["state"], one["message"]) for one in lines[-1]["components"]] == [
        ("a", "done", "1 objects"),
        ("b", "done", "1 objects"),
    ]
    assert lines[-1]["through"] == "copy"
    assert len(lines) > 3, "events are lines, too"
    written = {path.name: json.loads(path.read_text()) for path in workspace.target.iterdir()}
    assert written["a"][1:] == ["default", 1]
    assert written["a"][0] < written["b"][0]


def test_a_component_that_failed_is_an_error_with_its_message(workspace: Workspace) -> None:
    code, lines = workspace.deploy("--with", f"dir={workspace.target}", "--with", "fail=b")
    assert code == 55
    assert {one["name"]: one["state"] for one in lines[-1]["components"]} == {"a": "done", "b": "failed"}
    finished = workspace.run("deploy", "--through", "copy", "--with", f"dir={workspace.target}", "--with", "fail=b")
    assert finished.returncode == 55
    assert "b  failed  disk full" in finished.stdout
    assert "copy has not delivered b" in finished.stderr
    assert "fix: see its messages" in finished.stderr
    finished = workspace.run(
        "deploy", "--through", "copy", "--with", f"dir={workspace.target}", "--with", "fail=b", "--format", "json"
    )
    assert "fix: see its messages" in finished.stderr


def test_a_plugin_that_fails_names_itself(workspace: Workspace) -> None:
    finished = workspace.run("deploy", "--through", "copy", "--with", "fail=all")
    assert finished.returncode == 40
    assert "delivery plug-in copy (copies 1.0): no place" in finished.stderr
    assert "fix: make one" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--through", "copy", "--adopt"), "--adopt does not go with --through"),
        (("--through", "copy", "--context", "x"), "--through has its own way to a cluster"),
        (("--through", "copy", "--with", "x"), "'x' is not KEY=VALUE"),
        (("--through", "copy", "--with", "x=1", "--with", "x=2"), "x is given twice"),
        (("--with", "x=1"), "--with needs --through NAME"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    workspace: Workspace, arguments: tuple[str, ...], reason: str
) -> None:
    finished = workspace.run("deploy", *arguments)
    assert finished.returncode == 2
    assert reason in finished.stderr


def test_an_unknown_plugin_is_an_error(workspace: Workspace) -> None:
    finished = workspace.run("deploy", "--through", "copi")
    assert finished.returncode == 40
    assert "there is no delivery plug-in 'copi' (installed are copy), did you mean 'copy'?" in finished.stderr
