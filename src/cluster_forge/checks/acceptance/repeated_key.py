"""No key stands twice in a mapping of a document: all but the last are lost."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE = "repeated-key"


def findings(manifest: Manifest, _: None) -> Iterator[Finding]:
    for key in manifest.facts.repeated_keys:
        message = f"the key {key} of the document is there twice: the last value wins"
        yield report.warning(manifest, CODE, message, fix="remove one of the two")
