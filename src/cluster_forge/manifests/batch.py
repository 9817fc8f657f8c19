"""The objects rendered from one chart, file or folder, and remarks, as bytes: what workers return and the cache keeps.

::

    zstd( header length (8 bytes, little endian) · header (JSON) · JSON and YAML of each object, one after the other )

Both forms are kept: smelting a stack again needs the text, a check the tree, and neither is rendered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
import zstandard

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.facts import CustomKind, Facts
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Document, Manifest, Provenance
from cluster_forge.manifests.remark import Remark

_LEVEL = 1
_LENGTH = 8


def pack(manifests: Iterable[Manifest], remarks: Sequence[Remark] = ()) -> bytes:
    """Objects and remarks as bytes. They do not name the component: several may have the same objects."""
    pieces: list[bytes] = []
    entries = []
    for manifest in manifests:
        content, text = manifest.document.json, manifest.document.text
        pieces += (content, text)
        entries.append([*_id(manifest.id), manifest.provenance.origin, len(content), len(text), _facts(manifest.facts)])
    header = orjson.dumps([entries, [str(remark) for remark in remarks]])
    packed = b"".join((len(header).to_bytes(_LENGTH, "little"), header, *pieces))
    return zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress(packed)


def unpack(packed: bytes, component: ComponentName) -> tuple[Manifest, ...]:
    """The objects that were packed, as objects of ``component``."""
    return unpack_all(packed, component)[0]


def unpack_all(packed: bytes, component: ComponentName) -> tuple[tuple[Manifest, ...], tuple[Remark, ...]]:
    """The objects that were packed, as objects of ``component``, and the remarks."""
    content = zstandard.ZstdDecompressor().decompress(packed)
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    entries, remarks = orjson.loads(content[_LENGTH:start])
    return tuple(_manifests(entries, content, start, component)), tuple(map(Remark.parse, remarks))


def _manifests(
    entries: Iterable[list[Any]], content: bytes, start: int, component: ComponentName
) -> Iterator[Manifest]:
    for group, kind, namespace, name, origin, size, length, facts in entries:
        middle, end = start + size, start + size + length
        document = Document(json=content[start:middle], text=content[middle:end], facts=_facts_from(facts))
        yield Manifest(
            id=ObjectId(group=group, kind=kind, namespace=namespace, name=name),
            document=document,
            provenance=Provenance(component=component, origin=origin),
        )
        start = end


def _id(identity: ObjectId) -> tuple[str, str, str, str]:
    return identity.group, identity.kind, identity.namespace, identity.name


def _facts(facts: Facts) -> list[Any]:
    kind = facts.defines
    defines = [kind.group, kind.kind, kind.namespaced, list(kind.versions)] if kind else None
    remarks = [facts.invalid_labels, facts.dropped_fields, facts.repeated_keys, facts.has_owner]
    return [facts.images, facts.hook, facts.weight, defines, facts.version, remarks if any(remarks) else None]


def _facts_from(entry: list[Any]) -> Facts:
    images, hook, weight, defines, version, remarks = entry
    kind = None
    if defines:
        group, name, namespaced, versions = defines
        kind = CustomKind(group=group, kind=name, namespaced=namespaced, versions=tuple(versions))
    invalid_labels, dropped_fields, repeated_keys, has_owner = remarks or ((), (), (), False)
    return Facts(
        images=tuple(images),
        hook=hook,
        weight=weight,
        defines=kind,
        version=version,
        invalid_labels=tuple(invalid_labels),
        dropped_fields=tuple(dropped_fields),
        repeated_keys=tuple(repeated_keys),
        has_owner=has_owner,
    )
