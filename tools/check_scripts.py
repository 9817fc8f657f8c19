"""Shellcheck over the shell sources in the package, the scripts generated from them, and the project's own scripts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
FOLDER = PROJECT / "build" / "scripts"
DELIVERIES: dict[str, dict[str, Any]] = {
    "as-it-is": {},
    "argocd-ui": {"engine": "argocd", "mode": "ui"},
    "argocd-headless": {"engine": "argocd", "mode": "headless"},
    "argocd-existing": {"engine": "argocd", "install": False},
    "argocd-external": {"engine": "argocd", "source": "external", "url": "https://git.example.com/platform.git"},
    "kubectl": {"engine": "none"},
}


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    generated = [script for name, gitops in DELIVERIES.items() for script in forge(FOLDER / name, gitops)]
    sources = sorted((PROJECT / "src" / "cluster_forge" / "gitops" / "scripts").glob("*.sh"))
    own = [PROJECT / ".ci" / "run", *sorted((PROJECT / "tools").glob("*.sh"))]
    for script in (*sources, *generated):
        subprocess.run(["sh", "-n", script], check=True)
    shellcheck("--shell=sh", *sources, *generated)
    shellcheck(*own)
    print(f"shellcheck: {len(sources)} sources, {len(generated)} generated and {len(own)} other scripts are clean")


def forge(workspace: Path, gitops: dict[str, Any]) -> list[Path]:
    """The scripts of the starter stack with these ``gitops`` settings."""
    cluster_forge(workspace, "init", "--yes")
    description = workspace / "input" / "config.yaml"
    stack = yaml.safe_load(description.read_text(encoding="utf-8"))
    stack["gitops"] = {**stack.get("gitops", {}), **gitops}
    if gitops:
        description.write_text(yaml.safe_dump(stack, sort_keys=False), encoding="utf-8")
    cluster_forge(workspace, "forge", "--offline")
    scripts = sorted((workspace / "stacks").rglob("*.sh"))
    if not scripts:
        sys.exit(f"{workspace}: the stack has no deploy.sh")
    return scripts


def cluster_forge(workspace: Path, *arguments: str) -> None:
    workspace.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [PROGRAMS / "cluster-forge", "-C", workspace, *arguments, "--quiet"]
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if finished.returncode:
        sys.exit(f"cluster-forge {' '.join(arguments)}: exit code {finished.returncode} in {workspace}")


def shellcheck(*arguments: str | Path) -> None:
    if subprocess.run([PROGRAMS / "shellcheck", "--severity=style", *arguments], check=False).returncode:
        sys.exit("shellcheck reported the findings above")


if __name__ == "__main__":
    main()
