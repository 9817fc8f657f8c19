"""The programs of the test cluster, built from ``control_plane/`` and ``flux_controller/``.

``python -m tests.e2e.program`` builds them ahead of the tests, with Go's progress in sight.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.servers.go_program import CannotBuildError, GoProgram

FOLDER = Path(__file__).resolve().parent
MODULE = FOLDER / "control_plane"
RELEASE = re.compile(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", re.M)
ARGO_CD = "github.com/argoproj/argo-cd/v3"
KUSTOMIZE_CONTROLLER = "github.com/fluxcd/kustomize-controller"
SOURCE_CONTROLLER = "github.com/fluxcd/source-controller@v1.9.6"
"""Only its CRDs: a module that it needs cannot be had, so `tests.e2e.source_controller` stands in for it."""


def kubernetes() -> tuple[str, int, int]:
    """The release that is built: its version (``v1.36.3``), major and minor."""
    release = RELEASE.search((MODULE / "go.mod").read_text())
    assert release is not None
    return release[1], int(release[2]), int(release[3])


def argo_cd() -> str:
    """The version of Argo CD that is built: ``3.5.7``."""
    return _required(MODULE, ARGO_CD)


def control_plane() -> GoProgram:
    """Kubernetes, KWOK and Argo CD; ``argocd-crds/`` and Argo CD's scripts are beside the program."""
    version, major, minor = kubernetes()
    # Without these the servers say v0.0.0, and clients take them for ones that can do nothing.
    facts = {"gitVersion": version, "gitMajor": str(major), "gitMinor": str(minor)}
    return GoProgram(
        name="control-plane",
        title=f"a control plane of Kubernetes {version} with Argo CD {argo_cd()}",
        module=MODULE,
        variables=(
            *(f"k8s.io/component-base/version.{name}={value}" for name, value in facts.items()),
            f"{ARGO_CD}/common.version={argo_cd()}",
        ),
        files={
            "argocd-crds": (ARGO_CD, "manifests/crds/*-crd.yaml"),
            "argocd-bin": (ARGO_CD, "hack/*-wrapper.sh"),
        },
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
