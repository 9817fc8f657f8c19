"""Images are pulled from registries that still serve them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of

CODE = "gone-image"
_GONE: Final = re.compile(r"(?:(?:docker\.io|registry-1\.docker\.io)/)?bitnami/")
"""Withdrawn in 2025 (github.com/bitnami/containers/issues/83267)."""


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    for container in containers_of(manifest.body):
        image = container.get("image") or ""
        if isinstance(image, str) and _GONE.match(image):
            message = f"container {container.get('name')}: image {image} was removed from its registry"
            yield report.error(manifest, CODE, message, fix="set another repository in the values")
