"""The programs that build kustomizations: those on PATH, and kustomize itself, built from its Go module and kept.

``python -m tests.kustomizations.program`` builds it (minutes). The tests use what is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "v5.8.0"
PACKAGE = f"sigs.k8s.io/kustomize/kustomize/v5@{VERSION}"


def kept() -> Path:
    """The folder of the program that was built: below ``CLUSTER_FORGE_KUSTOMIZE_BIN`` or the user's cache folder."""
    given = os.environ.get("CLUSTER_FORGE_KUSTOMIZE_BIN")
    return (Path(given) if given else Path.home() / ".cache" / "cluster-forge-kustomize" / VERSION).absolute()


def programs() -> dict[str, list[str]]:
    """The command that builds a folder, by the name of its program; only those that are there."""
    kustomize = shutil.which("kustomize", path=str(kept())) or shutil.which("kustomize")
    kubectl = shutil.which("kubectl")
    found = {
        "kustomize": [kustomize, "build"] if kustomize else [],
        "kubectl": [kubectl, "kustomize"] if kubectl else [],
    }
    return {name: command for name, command in found.items() if command}


def build() -> None:
    """Build kustomize, unless it is there.

    Raises:
        subprocess.CalledProcessError, OSError: if Go fails, or is missing.
    """
    if not shutil.which("kustomize", path=str(kept())):
        subprocess.run(["go", "install", PACKAGE], env={**os.environ, "GOBIN": str(kept())}, check=True)


if __name__ == "__main__":
    try:
        build()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"kustomize cannot be built: {error}")
