"""Values in the cache, as JSON."""

from __future__ import annotations

import contextlib
from typing import TypeVar

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.ports.storage import Cache

Kind = TypeVar("Kind")


def get(cache: Cache, what: str, key: Digest, kind: type[Kind]) -> Kind | None:
    """The value that was kept for the key; None if there is none. ``what`` is the kind of entries."""
    content = cache.get(what, key)
    return None if content is None else json_codec.load(kind, content)


def put(cache: Cache, what: str, key: Digest, value: object) -> None:
    """Keep a value, unless JSON cannot express all of it, like an infinite number."""
    with contextlib.suppress(TypeError, json_codec.DecodeError):
        content = json_codec.dump(value)
        if json_codec.load(type(value), content) == value:
            cache.put(what, key, content)
