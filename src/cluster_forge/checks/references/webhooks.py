"""Webhooks for admission and conversion lead to a Service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import reachability
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_ADMISSION: Final = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    kind = manifest.id.kind
    if kind in _ADMISSION:
        clients = [webhook.get("clientConfig") for webhook in manifest.body.get("webhooks") or ()]
    elif kind == "CustomResourceDefinition" and b'"webhook"' in manifest.document.json:
        clients = [((spec_of(manifest).get("conversion") or {}).get("webhook") or {}).get("clientConfig")]
    else:
        return
    for client in clients:
        yield from reachability.called_by_the_api_server(inventory, manifest, (client or {}).get("service"))
