"""Reading a report, whichever scanner wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from cluster_forge.checks.vulnerabilities import grype, trivy
from cluster_forge.checks.vulnerabilities.vulnerability import ScannedImage
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.untyped import mapping, sequence

MOST_IMAGES: Final = 10_000
MOST_VULNERABILITIES: Final = 1_000_000
_FIX: Final = (
    "give what `trivy image --format json` or `grype -o json` writes, or `kubectl get vulnerabilityreports -A -o json`"
)


def read(content: object, where: str) -> list[ScannedImage]:
    """The images of a document, as JSON or YAML has it; a list of reports has those of all.

    Raises:
        DescriptionError: if it is not a report, or has more than `MOST_IMAGES` or `MOST_VULNERABILITIES`.
    """
    images = list(islice(_images(content, where), MOST_IMAGES + 1))
    if len(images) > MOST_IMAGES or sum(len(image.vulnerabilities) for image in images) > MOST_VULNERABILITIES:
        limit = f"{MOST_IMAGES:,} images, {MOST_VULNERABILITIES:,} vulnerabilities"
        raise DescriptionError(
            f"the report is too large (limit: {limit})", where=where, fix="give several smaller ones"
        )
    return images


def _images(content: object, where: str) -> Iterator[ScannedImage]:
    document: Mapping[str, Any] = mapping(content)
    if trivy.is_report(document):
        yield from trivy.images(document, where)
    elif grype.is_report(document):
        yield from grype.images(document, where)
    elif trivy.is_kept(document):
        yield from trivy.kept_images(document, where)
    elif isinstance(content, list) or str(document.get("kind")).endswith("List"):
        for one in content if isinstance(content, list) else sequence(document.get("items")):
            if (
                not trivy.is_kept(mapping(one))
                and not trivy.is_report(mapping(one))
                and not grype.is_report(mapping(one))
            ):
                raise _no_report(where)
            yield from _images(one, where)
    else:
        raise _no_report(where)


def _no_report(where: str) -> DescriptionError:
    message = "this is not a report about vulnerabilities that Cluster-Forge knows"
    return DescriptionError(message, where=where, fix=_FIX)
