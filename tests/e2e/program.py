"""The control plane's program: built once from ``control_plane/``, and again when a file there changes.

``python -m tests.e2e.program`` builds it ahead of the tests, with Go's progress in sight.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import filelock

MODULE = Path(__file__).resolve().parent / "control_plane"
SOURCES = ("go.mod", "go.sum", "main.go")
RELEASE = re.compile(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", re.M)
VERSION_PACKAGE = "k8s.io/component-base/version"


class CannotBuildError(Exception):
    """The program is missing and cannot be built; the message says how to fix that."""


def kubernetes() -> tuple[str, int, int]:
    """The release that is built: its version (``v1.36.3``), major and minor."""
    release = RELEASE.search((MODULE / "go.mod").read_text())
    assert release is not None
    return release[1], int(release[2]), int(release[3])


def path() -> Path:
    """Where the program of these very sources is kept: below ``CLUSTER_FORGE_E2E_BIN`` or the user's cache folder."""
    given = os.environ.get("CLUSTER_FORGE_E2E_BIN")
    folder = Path(given) if given else Path.home() / ".cache" / "cluster-forge-e2e"
    digest = hashlib.sha256(b"\0".join((MODULE / name).read_bytes() for name in SOURCES)).hexdigest()
    return folder.absolute() / digest[:16] / "control-plane"


def build() -> Path:
    """The program; it is built if it is missing.

    Raises:
        CannotBuildError: if Go is missing or fails.
    """
    program = path()
    program.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(program.with_suffix(".lock")):
        if not program.exists():
            half = program.with_suffix(".half")
            _compile(half)
            half.replace(program)
    return program


def _compile(output: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise CannotBuildError(
            f"`make e2e` needs Go to build its control plane, and `go` is not on PATH: install {_wanted_go()} or newer"
        )
    version, major, minor = kubernetes()
    # Without these the server says v0.0.0, and clients take it for one that can do nothing.
    facts = {"gitVersion": version, "gitMajor": str(major), "gitMinor": str(minor)}
    stamp = " ".join(f"-X {VERSION_PACKAGE}.{name}={value}" for name, value in facts.items())
    command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {stamp}"]
    sys.stderr.write(f"building a control plane of Kubernetes {version} (minutes at first, then it is kept)\n")
    finished = subprocess.run(
        [*command, "-o", output, "."], cwd=MODULE, env={**os.environ, "CGO_ENABLED": "0"}, check=False
    )
    if finished.returncode:
        raise CannotBuildError(
            f"`go build` in {MODULE} failed with exit code {finished.returncode}: see its output above"
        )


def _wanted_go() -> str:
    directive = re.search(r"^go (\S+)$", (MODULE / "go.mod").read_text(), re.M)
    return f"Go {directive[1]}" if directive else "Go"


if __name__ == "__main__":
    try:
        build()
    except CannotBuildError as error:
        sys.exit(str(error))
