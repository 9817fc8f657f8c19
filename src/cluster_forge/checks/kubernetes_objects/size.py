"""Objects, and their annotations, are not larger than an API server takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.kubernetes_objects.problem import Problem
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.manifest import Manifest

_MOST_ANNOTATIONS: Final = 256 << 10
"""Bytes of all keys and values (apimachinery, ``TotalAnnotationSizeLimitB``)."""
_MOST: Final = 3 << 19
"""Bytes of a request to etcd (``--max-request-bytes``): 1.5 MiB."""


def problems(manifest: Manifest) -> Iterator[Problem]:
    annotations = mapping(mapping(manifest.header.get("metadata")).get("annotations"))
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items() if isinstance(value, str))
    if size > _MOST_ANNOTATIONS:
        yield Problem(
            steps=("metadata", "annotations"),
            message=f"the annotations have {size:,} bytes, and an API server takes {_MOST_ANNOTATIONS:,}",
            fix="remove some, or move their content into a ConfigMap",
        )
    size = len(manifest.document.json)
    if size > _MOST:
        yield Problem(
            steps=(),
            message=f"the object has {size:,} bytes as JSON, and etcd takes {_MOST:,}",
            fix="make several objects of it",
        )
