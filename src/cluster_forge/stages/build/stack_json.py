"""``stack.json``: what a cast stack holds, for scripts."""

from __future__ import annotations

from typing import Any, Final

import orjson

from cluster_forge.manifests.part import Part
from cluster_forge.oci.index import Layout
from cluster_forge.record import Record
from cluster_forge.stack.model import Stack

SCHEMA: Final = "cluster-forge/stack/v1"


def stack_json(record: Record, stack: Stack, image: Layout, commit: str) -> bytes:
    """The file's content (its schema is `SCHEMA`); ``commit`` is the commit of the Git repository."""
    content = {
        "schema": SCHEMA,
        "name": record.stack,
        "version": record.revision,
        "environment": stack.environment,
        "leftOut": list(stack.left_out),
        "target": {
            "kubernetes": str(stack.target.kubernetes),
            "size": stack.target.size.value,
            "architectures": [architecture.value for architecture in stack.target.architectures],
        },
        "components": [_component(part) for part in record.parts],
        "objects": record.objects,
        "image": {"digest": str(image.digest), "platforms": list(image.platforms), "size": image.size},
        "git": {"commit": commit},
        "findings": {"error": record.findings.error, "warning": record.findings.warning},
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _component(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "version": part.version,
        "source": part.source,
        "digest": part.digest,
        "namespace": part.namespace,
        "wave": part.wave,
        "needs": list(part.needs),
        "objects": len(part.objects),
        "images": sorted({image for part_object in part.objects for image in part_object.images}),
    }
