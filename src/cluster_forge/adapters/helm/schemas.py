"""The ``values.schema.json`` files of a chart: they may refer to themselves only.

Helm's validator loads what a schema refers to, from the network and from files of this machine.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

import orjson

from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.chart_archives import DEEPEST, LARGEST, UNREADABLE, ChartArchive
from cluster_forge.foundation.errors import RenderError

FILE: Final = "values.schema.json"
_BASE: Final = "file:///values.schema.json"
"""What Helm calls a schema, so that relative references are files below the root of this machine."""
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef", "$schema")
_BUILT_IN: Final = "json-schema.org"
"""The validator has the drafts of JSON Schema itself."""
_FIX: Final = "use a version of the chart with a complete schema, or set `helm.skipSchemaValidation: true`"


def refuse_foreign(chart: ChartArchive) -> None:
    """Refuse schemas that refer to anything outside of themselves: only `mine` fetches, and only what is described.

    Raises:
        RenderError: with the schema and what it refers to; also if an archive is too deep or too large to be searched.
    """
    for name, content in _schemas(chart, DEEPEST):
        try:
            schema = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError as error:
            raise RenderError(f"{name} is not JSON: {error}", fix=_FIX) from error
        for target in _foreign(schema):
            raise RenderError(f"{name} refers to {without_credentials(target)[:200]}, which is not fetched", fix=_FIX)


def _schemas(chart: ChartArchive, depth: int) -> Iterator[tuple[str, bytes]]:
    """The schemas of a chart and of its packed dependencies, by their paths."""
    for name, file in chart.files():
        is_schema = name.endswith(f"/{FILE}")
        is_packed = chart_archives.is_packed(name)
        if not depth and (is_schema or is_packed):
            raise RenderError(f"has archives in archives, nesting too deep (limit {DEEPEST})", fix=_FIX)
        if is_schema and (content := chart.read(file)).strip():
            yield name, content
        elif is_packed:
            try:
                yield from ((f"{name}: {inner}", schema) for inner, schema in _packed(chart.read(file), depth - 1))
            except UNREADABLE:
                continue  # Helm says what is wrong with it


def _packed(archive: bytes, depth: int) -> list[tuple[str, bytes]]:
    try:
        chart = ChartArchive.unpacked(archive)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        raise RenderError(f"has an archive that unpacks to more than {LARGEST >> 20} MiB", fix=_FIX) from error
    return list(_schemas(chart, depth))


def _foreign(schema: Any) -> Iterator[str]:
    """What a schema refers to that is neither in itself nor built in."""
    key = "id" if isinstance(schema, dict) and "draft-04" in str(schema.get("$schema")) else "$id"
    own = {_BASE, *_resources(schema, key)}
    waiting: list[tuple[Any, str]] = [(schema, _BASE)]
    while waiting:
        value, base = waiting.pop()
        if isinstance(value, list):
            waiting.extend((item, base) for item in value)
        elif isinstance(value, dict):
            inner = _joined(base, value[key]) if isinstance(value.get(key), str) else base
            texts = [text for name in _REFERENCES if isinstance(text := value.get(name), str)]
            # Whether an `$id` beside a `$ref` counts depends on the draft: both readings must stay inside.
            targets = (_joined(start, text) for text in texts if not text.startswith("#") for start in {base, inner})
            yield from (target for target in targets if target not in own and not _is_built_in(target))
            waiting.extend((item, inner) for item in value.values())


def _resources(schema: Any, key: str) -> Iterator[str]:
    """The addresses of a schema and of those in its definitions, where every validator sees them."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return
    root = _joined(_BASE, schema[key]) if isinstance(schema.get(key), str) else _BASE
    yield root
    for section in ("$defs", "definitions"):
        definitions = schema.get(section)
        for inner in definitions.values() if isinstance(definitions, dict) else ():
            is_resource = isinstance(inner, dict) and "$ref" not in inner and isinstance(inner.get(key), str)
            if is_resource and inner.get("$schema", schema.get("$schema")) == schema.get("$schema"):
                yield _joined(root, inner[key])


def _joined(base: str, reference: str) -> str:
    """An absolute address without its fragment."""
    try:
        return urldefrag(urljoin(base, reference)).url
    except ValueError:  # not an address
        return reference


def _is_built_in(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == _BUILT_IN
