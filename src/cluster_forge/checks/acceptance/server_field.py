"""An object has no fields that only an API server sets: it was exported from a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE = "server-field"


def findings(manifest: Manifest, _: None) -> Iterator[Finding]:
    fields = ", ".join(manifest.facts.dropped_fields)
    if fields:
        yield report.notice(manifest, CODE, f"dropped: {fields} (only the API server sets them)")
