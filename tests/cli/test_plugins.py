"""`plugins list` and `plugins allow`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.plugin_packages import install
from tests.processes import becomes_true, is_alive, needs_proc

from cluster_forge.foundation.digest import Digest

GOOD = "class It:\n    '''Does it.'''\n    api_version = 1\n    def transform(self, objects, context):\n        return objects\n"


def run(folder: Path, *arguments: str) -> tuple[int, Any]:
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(folder / "packages")}
    finished = subprocess.run(
        [sys.executable, "-m", "cluster_forge", "plugins", *arguments, "--format", "json"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
    )
    return finished.returncode, json.loads(finished.stdout)


def test_one_that_cannot_be_used_is_listed_with_the_reason_and_exit_code_1(tmp_path: Path) -> None:
    points = "[cluster_forge.transformers]\ngood = good:It\n[cluster_forge.checks]\nbad = bad:It\n"
    bad = "print('on stdout')\nraise RuntimeError('no')\n"
    install(tmp_path / "packages", "two-of-them", points, good=GOOD, bad=bad)
    code, document = run(tmp_path, "list")
    assert code == 1
    good, wrong = document["plugins"]
    assert (good["kind"], good["name"], good["package"], good["version"]) == (
        "transformer",
        "good",
        "two-of-them",
        "1.0",
    )
    assert (good["usable"], good["apiVersion"], good["summary"]) == (True, 1, "Does it.")
    assert (wrong["usable"], wrong["apiVersion"]) == (False, None)
    assert "bad.py:2: check plug-in bad (two-of-them 1.0): RuntimeError: no" in wrong["problem"]


def test_a_function_is_allowed_by_file_or_digest_and_forgotten(tmp_path: Path) -> None:
    (tmp_path / "fn.sh").write_text("#!/bin/sh\ncat\n")
    digest, other = str(Digest.of(b"#!/bin/sh\ncat\n")), str(Digest.of(b"x"))
    code, document = run(tmp_path, "allow", "fn.sh", other)
    assert (code, document["functions"], document["allowed"]) == (0, [digest, other], True)
    assert run(tmp_path, "list")[1]["functions"] == sorted([digest, other])
    run(tmp_path, "allow", "--forget", "fn.sh")
    assert run(tmp_path, "list")[1]["functions"] == [other]


def test_a_file_may_be_named_as_it_is_in_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "w/input").mkdir(parents=True)
    (tmp_path / "w/input/fn.sh").write_text("x")
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "cluster_forge", "-C", "w", "plugins", "allow", "input/fn.sh"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path)
    assert str(Digest.of(b"x")) in printed.stdout


@pytest.mark.parametrize(("typed", "code"), [("gone.sh", 20)])
def test_a_missing_file_is_an_error(tmp_path: Path, typed: str, code: int) -> None:
    exit_code, document = run(tmp_path, "allow", typed)
    assert exit_code == code
    assert document["errors"][0]["where"] == typed


def test_a_workspace_brings_no_plugins(tmp_path: Path) -> None:
    """`python -m` puts the current folder on the module path: packages that a clone brings are not installed by that."""
    install(tmp_path, "planted", "[cluster_forge.transformers]\nplanted = planted:It\n", planted=GOOD)
    (tmp_path / "packages").mkdir()
    assert run(tmp_path, "list")[1]["plugins"] == []


@needs_proc
def test_a_run_that_is_ended_ends_its_plugins_and_what_they_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    hangs = (
        "import subprocess, time\nclass It:\n    api_version = 1\n    def transform(self, objects, context):\n"
        f"        subprocess.Popen(['/bin/sh', '-c', 'echo $$ >{started}; exec sleep 90'])\n        time.sleep(60)\n"
    )
    install(tmp_path / "packages", "hanging", "[cluster_forge.transformers]\nhang = hangs:It\n", hangs=hangs)
    (tmp_path / "w/input").mkdir(parents=True)
    (tmp_path / "w/input/m.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n")
    (tmp_path / "w/input/config.yaml").write_text(
        "apiVersion: cluster-forge/v1\nkind: Stack\nname: s\ntransformers: [{plugin: hang}]\n"
        "components: [{name: a, manifests: [m.yaml]}]\n"
    )
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(tmp_path / "packages")}
    command = [sys.executable, "-m", "cluster_forge", "-C", str(tmp_path / "w"), "smelt", "-q"]
    with subprocess.Popen(command, env={**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}) as running:
        assert becomes_true(lambda: started.exists() and bool(started.read_text()), 60)
        process = int(started.read_text())
        assert is_alive(process)
        running.terminate()
        assert running.wait(timeout=20) == 143
    assert becomes_true(lambda: not is_alive(process), 5)
    assert not (tmp_path / "w/working").exists()
