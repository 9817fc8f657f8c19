"""The checks of what reading an object's document lost: asked while objects are still rendered, apart from the `registry`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cluster_forge.checks.acceptance import repeated_key, server_field
from cluster_forge.checks.guard import guarded
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CHECKS: Final = (repeated_key, server_field)


def findings(manifests: Iterable[Manifest]) -> list[Finding]:
    """The findings of `CHECKS`."""
    return [finding for manifest in manifests for check in CHECKS for finding in guarded(check, manifest, None)]
