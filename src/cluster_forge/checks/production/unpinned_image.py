"""Images are pinned: with a tag other than ``latest``, or by digest."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import containers_of

CODE = "unpinned-image"


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    for container in containers_of(manifest.body):
        image = container.get("image") or ""
        last_part = image.rpartition("/")[2]
        if image.endswith(":latest") or (":" not in last_part and "@" not in image):
            message = f"container {container.get('name')}: image {image!r} has no tag, or the tag latest"
            yield report.warning(manifest, CODE, message, fix="set a version tag or a digest in the values")
