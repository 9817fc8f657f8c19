"""The control plane's program, from ``control_plane/``.

``python -m tests.e2e.program`` builds it ahead of the tests, with Go's progress in sight.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.servers.go_program import CannotBuildError, GoProgram

MODULE = Path(__file__).resolve().parent / "control_plane"
RELEASE = re.compile(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", re.M)
VERSION_PACKAGE = "k8s.io/component-base/version"


def kubernetes() -> tuple[str, int, int]:
    """The release that is built: its version (``v1.36.3``), major and minor."""
    release = RELEASE.search((MODULE / "go.mod").read_text())
    assert release is not None
    return release[1], int(release[2]), int(release[3])


def build() -> Path:
    """The program; it is built if it is missing.

    Raises:
        CannotBuildError: if Go is missing or fails.
    """
    version, major, minor = kubernetes()
    # Without these the server says v0.0.0, and clients take it for one that can do nothing.
    facts = {"gitVersion": version, "gitMajor": str(major), "gitMinor": str(minor)}
    variables = tuple(f"{VERSION_PACKAGE}.{name}={value}" for name, value in facts.items())
    title = f"a control plane of Kubernetes {version}"
    return GoProgram(name="control-plane", title=title, module=MODULE, variables=variables).build()


if __name__ == "__main__":
    try:
        build()
    except CannotBuildError as error:
        sys.exit(str(error))
