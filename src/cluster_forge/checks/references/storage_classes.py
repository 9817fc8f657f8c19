"""Volume claims name a StorageClass of the stack, if the stack has any; otherwise they may be the cluster's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import missing
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if not inventory.has_storage_classes:
        return
    names = {(claim.get("spec") or {}).get("storageClassName") for claim in _claims(manifest)}
    for name in sorted(filter(None, names)):
        if not inventory.has_storage_class(name):
            yield missing.finding(manifest, f"no such StorageClass: {name}")


def _claims(manifest: Manifest) -> Sequence[Any]:
    kind = (manifest.id.group, manifest.id.kind)
    if kind == ("", "PersistentVolumeClaim"):
        return [manifest.body]
    return spec_of(manifest).get("volumeClaimTemplates") or () if kind == ("apps", "StatefulSet") else ()
