"""Which fields of an object a manager has applied, from ``metadata.managedFields``.

Source: KEP-555 and structured-merge-diff, ``fieldpath/serialize-pe.go``: ``f:`` is the key of a field, ``.`` the field itself;
``k:`` (keys of a list's item), ``v:`` (a value) and ``i:`` (an index) are below lists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from cluster_forge.manifests.manifest import Body

Path = tuple[str, ...]


def applied(body: Body, manager: str) -> Mapping[str, Any]:
    """The fields that ``manager`` has applied, as the API server writes them (``fieldsV1``); empty if there are none."""
    entry = _entry(body, manager)
    return entry.get("fieldsV1") or {}


def fingerprint(body: Body, manager: str) -> str:
    """Changes with every change of what ``manager`` has applied, by any manager.

    A manager that sets another value takes the field over, so it leaves ``fieldsV1``; other values of our own change
    ``time``. What controllers write beside that, such as the status, does not matter.
    """
    entry = _entry(body, manager)
    facts = [body["metadata"].get("uid"), entry.get("apiVersion"), entry.get("time"), entry.get("fieldsV1")]
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def abandoned(body: Body, manager: str, wanted: Body) -> Iterator[Path]:
    """The structures that ``manager`` has applied before, and that ``wanted`` has nothing of: the outermost ones.

    Lists are looked at as a whole: their items have other owners, or none.
    """
    yield from _abandoned(applied(body, manager), wanted, ())


def _abandoned(fields: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for key, inner in fields.items():
        if not key.startswith("f:"):
            continue
        name = key.removeprefix("f:")
        if name not in wanted:
            if inner:
                yield (*path, name)
        elif isinstance(wanted[name], Mapping) and isinstance(inner, Mapping):
            yield from _abandoned(inner, wanted[name], (*path, name))


def _entry(body: Body, manager: str) -> Mapping[str, Any]:
    entries = body["metadata"].get("managedFields") or ()
    return next((entry for entry in entries if entry.get("manager") == manager and _is_applied(entry)), {})


def _is_applied(entry: Mapping[str, Any]) -> bool:
    return entry.get("operation") == "Apply" and not entry.get("subresource")
