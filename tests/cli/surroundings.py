"""For the tests of broken environments: scripts, mounts of their own, the files of a stack."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM, Result

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

MINED = "input/web/manifests/sourced"

posix = pytest.mark.skipif(os.name != "posix", reason="needs a Unix system")


def shell(workspace: Workspace, script: str, *arguments: str, **environment: str) -> Result:
    """A script in the workspace, for which ``"$@"`` is the program with the arguments."""
    done = subprocess.run(
        ["sh", "-ec", script, "sh", PROGRAM, *arguments],
        cwd=workspace.folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))


def with_mounts(workspace: Workspace, script: str, *arguments: str) -> Result:
    """The same in a mount namespace of its own, where it may mount anything."""
    may = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    if may.returncode:
        pytest.skip("this system does not let `unshare -m` mount")
    inner = ["unshare", "-rm", "sh", "-ec", script, "sh", str(PROGRAM), *arguments]
    done = subprocess.run(inner, cwd=workspace.folder, capture_output=True, text=True, timeout=120, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def read_only(folder: Path) -> str:
    return f"mount --bind '{folder}' '{folder}'; mount -o remount,bind,ro '{folder}'; "


def changed(workspace: Workspace) -> Workspace:
    workspace.replace("input/config.yaml", "replicas: 2", "replicas: 3")
    return workspace


def stack(workspace: Workspace) -> Mapping[str, bytes]:
    return workspace.tree("working") | workspace.tree("stacks") | workspace.tree(MINED)


def left_aside(workspace: Workspace) -> list[Path]:
    return [path for path in workspace.folder.rglob("*") if "aside" in path.name]
