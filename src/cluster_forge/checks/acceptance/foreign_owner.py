"""An object names no owner of another cluster: the garbage collector deletes what has an owner that is not there."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes

CODE = "server-field"


def findings(manifest: Manifest, _: Scopes) -> Iterator[Finding]:
    if manifest.facts.has_owner:
        message = (
            "metadata.ownerReferences has the uid of an object in another cluster: this one deletes the object again"
        )
        yield report.warning(manifest, CODE, message, fix="remove ownerReferences")
