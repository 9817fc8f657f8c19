"""ExternalSecrets have their SecretStore or ClusterSecretStore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import missing
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_GROUP: Final = "external-secrets.io"


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if (manifest.id.group, manifest.id.kind) != (_GROUP, "ExternalSecret"):
        return
    store = spec_of(manifest).get("secretStoreRef")
    if not store:
        return
    kind = store.get("kind") or "SecretStore"
    namespace = manifest.id.namespace if kind == "SecretStore" else ""
    if (_GROUP, kind, namespace, str(store.get("name"))) not in inventory.by_id:
        yield missing.finding(manifest, f"no such {kind}: {store.get('name')}")
