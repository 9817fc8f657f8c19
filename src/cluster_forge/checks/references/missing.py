"""The finding of all checks of references."""

from __future__ import annotations

from typing import Final

from cluster_forge.checks import report
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE = "missing-reference"
_FIX: Final = "add the component that has it, or correct the name in the values"


def finding(manifest: Manifest, message: str, *, fix: str = _FIX) -> Finding:
    """That an object refers to something that is not in the stack."""
    return report.error(manifest, CODE, message, fix=fix)
