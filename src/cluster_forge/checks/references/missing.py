"""The finding of all checks of references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cluster_forge.checks import report
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

if TYPE_CHECKING:
    from cluster_forge.checks.checked_stack import CheckedStack

CODE = "missing-reference"
FIX: Final = "add the component that has it, or correct the name in the values"


def finding(checked: CheckedStack, manifest: Manifest, message: str, *, fix: str = FIX, field: str = "") -> Finding:
    """That an object refers to something that is not in the stack: an error only where the cluster has nothing else."""
    say = report.error if checked.is_closed else report.warning
    return say(manifest, CODE, message, fix=fix, field=field)
