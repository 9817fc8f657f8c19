"""Caches know the build: whatever is edited in the package takes effect in the next run, without --no-cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import PROJECT

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: web
target: {kubernetes: "1.33"}
components:
- priority
- name: pages
  namespace: pages
  exclude: [nothing.yaml]
  manifests: [pages.yaml]
"""
PAGES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pages}\ndata: {text: plain}\n"
PRIORITY = """\
apiVersion: cluster-forge/v1
kind: Component
name: priority
title: Priority
description: A PriorityClass.
category: core
homepage: https://example.com/
license: Apache-2.0
namespace: pages
podSecurity: restricted
versions: [{version: "1.0.0", kubernetes: 1.25+}]
objects:
- {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: pages}, value: 1000}
"""
COMPONENT = "catalog/data/components/priority.yaml"


class Copy:
    """A copy of the package that may be edited, and a workspace that it works on."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "src" / "cluster_forge"
        ignored = shutil.ignore_patterns("*.pyc.*")  # compiled ones save a second each; these are being written
        shutil.copytree(PROJECT / "src" / "cluster_forge", self.package, ignore=ignored)
        self.workspace = folder / "workspace"
        (self.workspace / "input").mkdir(parents=True)
        (self.workspace / "input" / "config.yaml").write_text(DESCRIPTION)
        (self.workspace / "input" / "pages.yaml").write_text(PAGES)
        self._environment = {**os.environ, "PYTHONPATH": str(self.package.parent), "XDG_CACHE_HOME": str(folder)}

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.package / path
        text = file.read_text()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))

    def run(self, *arguments: str) -> str:
        """Standard error of a run that succeeds."""
        done = subprocess.run(
            [sys.executable, "-m", "cluster_forge", *arguments],
            cwd=self.workspace,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def written(self) -> str:
        """All files of ``working/`` that hold objects."""
        files = sorted(self.workspace.glob("working/*/*.yaml"))
        return "".join(file.read_text() for file in files)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    copy = Copy(tmp_path)
    (copy.package / COMPONENT).write_text(PRIORITY)
    copy.run("forge")
    return copy


def test_an_edited_component_of_the_catalog_takes_effect(copy: Copy) -> None:
    assert "value: 1000\n" in copy.written()
    copy.edit(COMPONENT, "value: 1000}", "value: 2000}")
    copy.run("forge")
    assert "value: 2000\n" in copy.written()


def test_an_edited_template_takes_effect(copy: Copy) -> None:
    assert "app.kubernetes.io/managed-by: cluster-forge\n" in copy.written()
    template = '"app.kubernetes.io/managed-by": "cluster-forge"'
    copy.edit("stages/build/assembly/stack_namespaces.py", template, '"edited": "template"')
    copy.run("forge")
    assert "edited: template\n" in copy.written()
    assert "managed-by" not in copy.written()


def test_an_edited_emitter_takes_effect(copy: Copy) -> None:
    before = copy.written()
    copy.edit(
        "manifests/emitter.py", 'return "".join(lines) if lines', 'return "# edited\\n" + "".join(lines) if lines'
    )
    copy.run("forge")
    assert copy.written().count("# edited\napiVersion:") == before.count("apiVersion:")  # metadata are written apart


def test_an_edited_rule_takes_effect(copy: Copy) -> None:
    assert "matches no object" in copy.run("forge")
    copy.edit("stages/build/assembly/assembly_findings.py", "matches no object", "excludes nothing")
    output = copy.run("forge")
    assert "excludes nothing" in output
    assert "matches no object" not in output


def test_an_unchanged_package_makes_nothing_again(copy: Copy) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.workspace.glob("working/*/*.yaml")}
    copy.run("forge")
    assert before == {path: path.stat().st_mtime_ns for path in copy.workspace.glob("working/*/*.yaml")}
