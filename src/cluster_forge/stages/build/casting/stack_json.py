"""``stack.json``: what a cast stack holds, for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests import volume_claims
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.volume_claims import STATEFUL_SET, VolumeClaims
from cluster_forge.record import Record
from cluster_forge.stack.model import Stack

if TYPE_CHECKING:
    from cluster_forge.oci.index import Layout

SCHEMA: Final = "cluster-forge/stack/v1"
STACK_JSON: Final = "stack.json"
_CLAIMS: Final = "volumeClaims"


def stack_json(record: Record, stack: Stack, delivery: Delivery, layout: Layout, commit: str) -> bytes:
    """The file's content (its schema is `SCHEMA`); ``layout`` is its image, ``commit`` the commit of the Git repository."""
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
        "delivery": delivery.value,
        "components": [_component(part) for part in record.parts],
        "objects": record.objects,
        _CLAIMS: [
            {"namespace": one.namespace, "name": one.name, "statefulSet": one.stateful_set}
            for one in sorted(_claims(record.parts))
        ],
        "image": {"digest": str(layout.digest), "platforms": list(layout.platforms), "size": layout.size},
        "git": {"commit": commit},
        "findings": {"error": record.findings.error, "warning": record.findings.warning},
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def schema(content: bytes) -> str:
    """What the file says that its schema is; empty where it is not such a file."""
    value = _document(content).get("schema")
    return value if isinstance(value, str) else ""


def version(content: bytes) -> str:
    """The version in the file of an earlier cast; empty where it is not such a file."""
    value = _document(content).get("version")
    return value if isinstance(value, str) else ""


def image(content: bytes) -> Digest | None:
    """The digest of the image in the file of an earlier cast; None where it is not such a file."""
    value = _document(content).get("image")
    try:
        return Digest.from_plain(value.get("digest") if isinstance(value, dict) else None)
    except ValueError:
        return None


def claims(content: bytes) -> frozenset[VolumeClaims]:
    """The claims in the file of an earlier cast; none where it is not such a file."""
    listed = _document(content).get(_CLAIMS)
    return frozenset(map(_claim, filter(_is_claim, listed if isinstance(listed, list) else ())))


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _is_claim(entry: Any) -> bool:
    keys = ("namespace", "name", "statefulSet")
    return isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in keys)


def _claim(entry: dict[str, str]) -> VolumeClaims:
    return VolumeClaims(namespace=entry["namespace"], name=entry["name"], stateful_set=entry["statefulSet"])


def _claims(parts: Iterable[Part]) -> set[VolumeClaims]:
    objects = (item for part in parts for item in part.objects if item.kind == STATEFUL_SET)
    return {one for item in objects for one in volume_claims.of(item.id, item.body)}


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
