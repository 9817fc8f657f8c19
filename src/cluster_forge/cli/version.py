"""What `--version` prints: the version, the build and the engine that renders charts."""

from __future__ import annotations

import platform

from cluster_forge import __version__, composition
from cluster_forge.foundation import build
from cluster_forge.foundation.errors import MissingProgramError


def text() -> str:
    """``cluster-forge, version 0.1.0 (build 7d865e959b246691), Helm engine helm-python-sdk 1.2.3, Python 3.11.9``."""
    identity = build.identity().rpartition("+")[2]
    try:
        engine = composition.engine_version()
    except MissingProgramError as error:
        engine = f"missing: {error.message}"
    return (
        f"cluster-forge, version {__version__} (build {identity}), Helm engine {engine}, "
        f"Python {platform.python_version()}"
    )
