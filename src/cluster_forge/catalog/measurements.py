"""Footprints and images of the packaged components, measured when they were last rendered, as packaged data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from cluster_forge.foundation import quantity
from cluster_forge.manifests import footprint
from cluster_forge.manifests.manifest import Manifest


def of(manifests: Sequence[Manifest]) -> dict[str, Any]:
    """The footprint and images of a component's objects, for JSON; quantities as Kubernetes writes them."""
    needed = footprint.of(manifests)
    return {
        "objects": len({manifest.id for manifest in manifests}),
        "pods": needed.pods,
        "cpu": quantity.cores(needed.cpu),
        "memory": quantity.size(needed.memory),
        "memoryLimit": quantity.size(needed.memory_limit),
        "storage": quantity.size(needed.storage),
        "cpuOnEachNode": quantity.cores(needed.node_cpu),
        "memoryOnEachNode": quantity.size(needed.node_memory),
        "images": sorted({image for manifest in manifests for image in manifest.facts.images}),
    }


@cache
def packaged() -> Mapping[str, Mapping[str, Any]]:
    """The measurements of the packaged catalog's components: by name, then by size."""
    content = (files("cluster_forge.catalog") / "data" / "facts.json").read_bytes()
    measurements: Mapping[str, Mapping[str, Any]] = orjson.loads(content)
    return measurements
