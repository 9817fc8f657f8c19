"""APIServices lead to a Service."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import reachability
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if (manifest.id.group, manifest.id.kind) == ("apiregistration.k8s.io", "APIService"):
        yield from reachability.called_by_the_api_server(inventory, manifest, spec_of(manifest).get("service"))
