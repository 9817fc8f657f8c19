"""Two states of an object without the values of Secrets, as ``kubectl diff`` shows them.

A value becomes ``***``; where it differs ``*** (before)`` and ``*** (after)``, so that one sees that it changes. Masked
are all values of a Secret, also where its annotations repeat them (tools keep there what they have applied), and those of
ConfigMaps and variables whose names say that they are passwords or keys.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson

from cluster_forge.manifests.manifest import Body

MASK: Final = "***"
_WORDS: Final = r"passw(?:or)?d|passphrase|(?:(?:secret|api|private|encryption)[_-]?(?:access[_-]?)?key|token|(?:client|[_-])secret)"
_SECRET_NAME: Final = re.compile(rf"{_WORDS}$", re.I)
_MAY_NAME_SECRET: Final = re.compile(rb'"name":"(?:[^"\\]|\\.)*?(?i:' + _WORDS.encode() + rb")", re.S)
"""What an object has as JSON if a variable in it is called so: a CRD, of which others ask only this, may have megabytes."""
_NO_SECRET: Final = re.compile(r"_(?:file|path|mode|name)$|allow_empty", re.I)
"""Variables that say where a password is, or how it is used."""

_SHORT: Final = 4

Place = tuple[str | int, ...]
"""The members on the way to a value; entries of lists by their names where they have some."""
Visit = Callable[[Place, Any], Any]
"""What becomes of a secret value at a place."""


def names_secret(name: str) -> bool:
    """Whether a variable of this name holds a password or a key."""
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET.search(name)


def masked(before: Body | None, after: Body | None) -> tuple[Body | None, Body | None]:
    """Both states, masked; None where the object is not."""
    old, new = _values(before), _values(after)
    differing = {place for place in old.keys() & new.keys() if old[place] != new[place]}

    hidden = [value for body in (before, after) if body and body.get("kind") == "Secret" for value in values(body)]

    def marked(body: Body | None, name: str) -> Body | None:
        if body is None:
            return None
        shown = _visited(body, lambda place, _: f"{MASK} ({name})" if place in differing else MASK)
        return _with_masked_annotations(shown, hidden) if hidden else shown

    return marked(before, "before") if old else before, marked(after, "after") if new else after


def values(body: Body) -> tuple[str, ...]:
    """Every text that is a secret value of an object, in a Secret also as it is decoded and encoded; the longest first."""
    texts = {value for value in _values(body).values() if isinstance(value, str)}
    other = {form(text) for text in texts for form in (_decoded, _encoded)} if body.get("kind") == "Secret" else set()
    return tuple(sorted((texts | other) - {""}, key=lambda text: (-len(text), text)))


def without(text: str, values: Iterable[str]) -> str:
    """The text with ``***`` for each of the values; for a short one, which may be part of any word, where it is in quotes."""
    for value in values:
        for shown in {value, json.dumps(value)[1:-1]}:
            text = text.replace(shown, MASK) if len(shown) >= _SHORT else text.replace(f'"{shown}"', f'"{MASK}"')
    return text


def _with_masked_annotations(body: Body, hidden: Iterable[str]) -> Body:
    """A Secret without the values that its annotations repeat, as applied (in base64) or as written (``stringData``)."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(annotations, Mapping):
        return body
    masked = {key: without(text, hidden) if isinstance(text, str) else text for key, text in annotations.items()}
    return {**body, "metadata": {**metadata, "annotations": masked}}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode(errors="surrogatepass")).decode()


def _values(body: Body | None) -> dict[Place, Any]:
    """Every secret value by its place."""
    values: dict[Place, Any] = {}
    if body is not None and _may_hold_secrets(body):
        _visited(body, values.__setitem__)
    return values


def _may_hold_secrets(body: Body) -> bool:
    if body.get("kind") in ("Secret", "ConfigMap"):
        return True
    try:
        return bool(_MAY_NAME_SECRET.search(orjson.dumps(body)))
    except TypeError:  # an integer of more than 64 bits
        return True


def _visited(body: Body, visit: Visit) -> Body:
    """The object with what ``visit`` makes of each secret value."""
    match body.get("apiVersion"), body.get("kind"):
        case "v1", "Secret":
            return _with_data(body, ("data", "stringData"), lambda _: True, visit)
        case "v1", "ConfigMap":
            return _with_data(body, ("data",), names_secret, visit)
        case _:
            return {key: _visited_value(value, (key,), visit) for key, value in body.items()}


def _with_data(body: Body, parts: tuple[str, ...], is_secret: Callable[[str], bool], visit: Visit) -> Body:
    def part_of(part: str, value: Any) -> Any:
        if part not in parts or value is None:
            return value
        if not isinstance(value, Mapping):
            return visit((part,), value)
        return {key: visit((part, key), member) if is_secret(key) else member for key, member in value.items()}

    return {part: part_of(part, value) for part, value in body.items()}


def _visited_value(value: Any, place: Place, visit: Visit) -> Any:
    """Where a mapping has ``name`` and ``value``, as a variable of a container, that is a secret by its name."""
    if isinstance(value, Mapping):
        name = value.get("name")
        is_secret = isinstance(name, str) and names_secret(name) and value.get("value")
        return {
            key: visit((*place, key), member)
            if key == "value" and is_secret
            else _visited_value(member, (*place, key), visit)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_visited_value(item, (*place, _entry(number, item)), visit) for number, item in enumerate(value)]
    return value


def _entry(number: int, item: Any) -> str | int:
    name = item.get("name") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) else number
