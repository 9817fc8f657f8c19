"""Certificates of cert-manager have their Issuer or ClusterIssuer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import missing
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_GROUP: Final = "cert-manager.io"


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if (manifest.id.group, manifest.id.kind) != (_GROUP, "Certificate"):
        return
    issuer = spec_of(manifest).get("issuerRef") or {}
    kind = issuer.get("kind") or "Issuer"
    if (issuer.get("group") or _GROUP) != _GROUP:
        return
    namespace = manifest.id.namespace if kind == "Issuer" else ""
    if (_GROUP, kind, namespace, str(issuer.get("name"))) not in inventory.by_id:
        yield missing.finding(manifest, f"no such {kind}: {issuer.get('name')}")
