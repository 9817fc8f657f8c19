"""Images are pinned: with a tag other than ``latest``, or by digest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "unpinned-image"


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    for manifest in checked.manifests:
        yield from of(manifest)


def of(manifest: Manifest) -> Iterator[Finding]:
    """The images of an object's containers that may be others tomorrow."""
    for container in chain.from_iterable(pod.containers for pod in PodTemplate.of(manifest)):
        image = container.body.get("image")
        if isinstance(image, str) and is_unpinned(image):
            message = f"container {container.name}: image {image!r} has no tag, or the tag latest"
            field = field_path.text((*container.steps, "image"))
            yield report.warning(
                manifest, CODE, message, fix="set a version tag or a digest in the values", field=field
            )


def is_unpinned(image: str) -> bool:
    """Whether an image has neither a digest nor a tag, or the tag ``latest``."""
    return "@" not in image and (image.endswith(":latest") or ":" not in image.rpartition("/")[2])
