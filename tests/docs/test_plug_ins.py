"""The page about plug-ins: the plug-in in twenty lines is installed as a user would, and does what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plug-ins.md").read_text(encoding="utf-8")
FILES: Mapping[str, str] = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {tier: none}\n"


def run(*command: str | Path, environment: Mapping[str, str]) -> str:
    finished = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    if finished.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\n{finished.stdout}", pytrace=False)
    return finished.stdout


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    places = {"HOME": "home", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache", "PYTHONPATH": "packages"}
    return {**os.environ, **{key: str(tmp_path / folder) for key, folder in places.items()}}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "input").mkdir(parents=True)
    (folder / "input/config.yaml").write_text(FILES["input/config.yaml"])
    for name in ("shop", "extras"):
        (folder / f"input/{name}.yaml").write_text(MAP.replace("NAME", name))
    return folder


def forge(workspace: Path, environment: Mapping[str, str], *arguments: str) -> str:
    return run(sys.executable, "-m", "cluster_forge", "-C", workspace, *arguments, environment=environment)


def test_a_plugin_has_about_twenty_lines() -> None:
    lines = [line for line in FILES["team_labels.py"].splitlines() if line.strip()]
    assert len(lines) <= 20


def test_the_plugin_is_installed_listed_and_does_what_the_page_shows(
    tmp_path: Path, workspace: Path, environment: dict[str, str]
) -> None:
    package = tmp_path / "team-labels"
    package.mkdir()
    for name in ("team_labels.py", "pyproject.toml"):
        (package / name).write_text(FILES[name])
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--target", tmp_path / "packages")
    run(*pip, *offline, package, environment=environment)
    listed = forge(workspace, environment, "plugins", "list")
    assert listed.strip() in PAGE
    printed = forge(workspace, environment, "smelt")
    for line in re.findall(r"^warning.*|^  fix: add it to .*", PAGE, re.MULTILINE):
        assert line in printed
    assert "team: web" in (workspace / "working/shop/configmap_shop_shop.yaml").read_text()
    assert "team" not in (workspace / "working/extras/configmap_extras_extras.yaml").read_text()


def test_the_function_runs_after_it_was_allowed(workspace: Path, environment: dict[str, str]) -> None:
    function = workspace / "input/set-tier.sh"
    function.write_text(FILES["input/set-tier.sh"])
    printed = forge(workspace, environment, "plugins", "allow", str(function))
    digest = printed.split()[-1]
    description = workspace / "input/config.yaml"
    entry = f"- {{exec: set-tier.sh, digest: '{digest}', with: {{tier: gold}}}}"
    text = description.read_text()
    start, end = text.index("- plugin:"), text.index("components:")
    description.write_text(f"{text[:start]}{entry}\n{text[end:]}")
    forge(workspace, environment, "smelt")
    assert "tier: gold" in (workspace / "working/shop/configmap_shop_shop.yaml").read_text()
