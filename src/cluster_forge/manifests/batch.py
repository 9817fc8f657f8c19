"""The objects rendered from one chart, file or folder as bytes: what workers return and the cache keeps.

::

    zstd( header length (8 bytes, little endian) · header (JSON) · JSON and YAML of each object, one after the other )

Both forms are kept: smelting a stack again needs the text, a check the tree, and neither is rendered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import zstandard

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.facts import CustomKind, Facts
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Document, Manifest, Provenance

_LEVEL = 1
_LENGTH = 8


def pack(manifests: Iterable[Manifest]) -> bytes:
    """The objects as bytes. They do not name the component: several may have the same objects."""
    pieces: list[bytes] = []
    entries = []
    for manifest in manifests:
        content, text = manifest.document.json, manifest.document.text
        pieces += (content, text)
        entries.append([*_id(manifest.id), manifest.provenance.origin, len(content), len(text), _facts(manifest.facts)])
    header = orjson.dumps(entries)
    packed = b"".join((len(header).to_bytes(_LENGTH, "little"), header, *pieces))
    return zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress(packed)


def unpack(packed: bytes, component: ComponentName) -> tuple[Manifest, ...]:
    """The objects that were packed, as objects of ``component``."""
    content = zstandard.ZstdDecompressor().decompress(packed)
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    return tuple(_manifests(orjson.loads(content[_LENGTH:start]), content, start, component))


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
    return [list(facts.images), facts.hook, facts.weight, defines]


def _facts_from(entry: list[Any]) -> Facts:
    images, hook, weight, defines = entry
    kind = None
    if defines:
        group, name, namespaced, versions = defines
        kind = CustomKind(group=group, kind=name, namespaced=namespaced, versions=tuple(versions))
    return Facts(images=tuple(images), hook=hook, weight=weight, defines=kind)
