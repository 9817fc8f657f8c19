"""The programs of the test cluster, built from ``control_plane/``, ``flux_controller/`` and ``argo_cd/``.

``python -m tests.e2e.program`` builds them ahead of the tests, with Go's progress in sight.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers.go_program import CannotBuildError, GoProgram

FOLDER = Path(__file__).resolve().parent
MODULE = FOLDER / "control_plane"
RELEASE = re.compile(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", re.M)
ARGO_CD = "github.com/argoproj/argo-cd/v3"
ARGO_CD_FILES = {"argocd-crds": (ARGO_CD, "manifests/crds/*-crd.yaml"), "argocd-bin": (ARGO_CD, "hack/*-wrapper.sh")}
OLDER_ARGO_CDS = FOLDER / "argo_cd"
"""A folder for each older Argo CD, called as its minor version is. Each is a program of its own: the Kubernetes libraries differ."""
CHOSEN_ARGO_CD = "CLUSTER_FORGE_E2E_ARGOCD"
"""In the environment, the minor version of the Argo CD that is tried (``3.0``); without it, it is that of the control plane."""
KUSTOMIZE_CONTROLLER = "github.com/fluxcd/kustomize-controller"
SOURCE_CONTROLLER = "github.com/fluxcd/source-controller@v1.9.6"
"""Only its CRDs: a module that it needs cannot be had, so `tests.e2e.source_controller` stands in for it."""


def kubernetes() -> tuple[str, int, int]:
    """The release that is built: its version (``v1.36.3``), major and minor."""
    release = RELEASE.search((MODULE / "go.mod").read_text())
    assert release is not None
    return release[1], int(release[2]), int(release[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoCd:
    """An Argo CD that can be tried: its ``version`` (``3.5.7``), and the ``program`` whose first argument is the name of a server
    of it. Its CRDs (``argocd-crds/``) and scripts (``argocd-bin/``) are beside the program.
    """

    version: str
    program: GoProgram

    @property
    def minor(self) -> tuple[int, int]:
        """Its minor version, to compare with others."""
        major, minor, _ = self.version.split(".")
        return int(major), int(minor)


def argo_cd() -> ArgoCd:
    """The Argo CD that is tried."""
    chosen, newest = os.environ.get(CHOSEN_ARGO_CD), _required(MODULE, ARGO_CD)
    if not chosen or newest.startswith(f"{chosen}."):
        return ArgoCd(version=newest, program=control_plane())
    module = OLDER_ARGO_CDS / chosen
    version = _required(module, ARGO_CD)
    program = GoProgram(
        name="argocd",
        title=f"Argo CD {version}",
        module=module,
        variables=(f"{ARGO_CD}/common.version={version}",),
        files=ARGO_CD_FILES,
    )
    return ArgoCd(version=version, program=program)


def argo_cds() -> tuple[str, ...]:
    """The minor versions of Argo CD that can be tried, the newest first."""
    newest = _required(MODULE, ARGO_CD).rpartition(".")[0]
    return (newest, *sorted((folder.name for folder in OLDER_ARGO_CDS.iterdir()), reverse=True))


def control_plane() -> GoProgram:
    """Kubernetes, KWOK and the newest Argo CD."""
    version, major, minor = kubernetes()
    newest = _required(MODULE, ARGO_CD)
    # Without these the servers say v0.0.0, and clients take them for ones that can do nothing.
    facts = {"gitVersion": version, "gitMajor": str(major), "gitMinor": str(minor)}
    return GoProgram(
        name="control-plane",
        title=f"a control plane of Kubernetes {version} with Argo CD {newest}",
        module=MODULE,
        variables=(
            *(f"k8s.io/component-base/version.{name}={value}" for name, value in facts.items()),
            f"{ARGO_CD}/common.version={newest}",
        ),
        files=ARGO_CD_FILES,
    )


def flux() -> GoProgram:
    """Flux's kustomize-controller; ``flux-crds/`` is beside it, with those of the source-controller."""
    module = FOLDER / "flux_controller"
    return GoProgram(
        name="kustomize-controller",
        title=f"Flux's kustomize-controller {_required(module, KUSTOMIZE_CONTROLLER)}",
        module=module,
        package=KUSTOMIZE_CONTROLLER,
        files={
            "flux-crds": (KUSTOMIZE_CONTROLLER, "config/crd/bases/*.yaml"),
            "flux-source-crds": (SOURCE_CONTROLLER, "config/crd/bases/*.yaml"),
        },
    )


def build() -> Path:
    """The control plane's program; it is built if it is missing.

    Raises:
        CannotBuildError: if Go is missing or fails.
    """
    return control_plane().build()


def _required(module: Path, path: str) -> str:
    """The version in which a ``go.mod`` requires a module, without the ``v``."""
    version = re.search(rf"^(?:require)?\s*{re.escape(path)} v(\S+)", (module / "go.mod").read_text(), re.M)
    assert version is not None
    return version[1]


if __name__ == "__main__":
    try:
        control_plane().build()
        flux().build()
    except CannotBuildError as error:
        sys.exit(str(error))
