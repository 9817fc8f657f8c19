"""What components came to when they were last rendered: their footprints and images, kept as packaged data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from cluster_forge.manifests import footprint, quantity
from cluster_forge.manifests.manifest import Manifest


def of(manifests: Sequence[Manifest]) -> dict[str, Any]:
    """The facts of a component's objects, as JSON has them; quantities as Kubernetes writes them."""
    found = footprint.of(manifests)
    return {
        "objects": len({manifest.id for manifest in manifests}),
        "pods": found.pods,
        "cpu": quantity.cores(found.cpu),
        "memory": quantity.size(found.memory),
        "memoryLimit": quantity.size(found.memory_limit),
        "storage": quantity.size(found.storage),
        "cpuOnEachNode": quantity.cores(found.node_cpu),
        "memoryOnEachNode": quantity.size(found.node_memory),
        "images": sorted({image for manifest in manifests for image in manifest.facts.images}),
    }


@cache
def packaged() -> Mapping[str, Mapping[str, Any]]:
    """The facts of the packaged catalog's components: by name, then by size."""
    content = (files("cluster_forge.catalog") / "data" / "facts.json").read_bytes()
    found: Mapping[str, Mapping[str, Any]] = orjson.loads(content)
    return found
