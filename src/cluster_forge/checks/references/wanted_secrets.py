"""Secrets without which pods do not start, or an operator cannot do its work, are in the stack or expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import secret_references
from cluster_forge.checks.inventory import Inventory
from cluster_forge.checks.references import missing
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_FIX: Final = "list it under `secrets` (`cluster-forge secrets list` then shows how to create it), or correct the name"


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    for name in sorted({reference.name for reference in secret_references.required(manifest)}):
        if (manifest.id.namespace, name) not in inventory.secrets:
            yield missing.finding(manifest, f"no such Secret: {name}", fix=_FIX)
