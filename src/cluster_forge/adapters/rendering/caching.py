"""What was made before is not made again: a wrapper around another maker."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob
from cluster_forge.ports.storage import Cache

_OBJECTS, _ASKS = "objects", "asks"


class CachingRenderer:
    """`ports.Maker` that keeps what ``maker`` made.

    The key covers everything that decides the result: the chart's or the texts' bytes, the values, the release, the
    namespace, the target, the API versions, this build of Cluster-Forge and the engine's version. Never a time stamp.
    """

    def __init__(self, maker: Renderer, cache: Cache) -> None:
        self._maker = maker
        self._cache = cache

    @property
    def version(self) -> str:
        return self._maker.version

    def make(self, order: RenderJob) -> RenderedBatch:
        key = self._key(order)
        kept = self._cache.get(_OBJECTS, key)
        if kept is not None:
            return RenderedBatch(content=kept, is_kept=True)
        made = self._maker.make(order)
        self._cache.put(_OBJECTS, key, made.content)
        return made

    def asks(self, chart: bytes) -> frozenset[str] | None:
        key = build.key(_ASKS, chart)
        kept = self._cache.get(_ASKS, key)
        if kept is not None:
            found = orjson.loads(kept)
            return None if found is None else frozenset(found)
        asked = self._maker.asks(chart)
        self._cache.put(_ASKS, key, orjson.dumps(None if asked is None else sorted(asked)))
        return asked

    def _key(self, order: RenderJob) -> Digest:
        parts: dict[str, Any] = {}
        if order.chart:
            parts |= {
                "engine": self.version,
                "chart": hashlib.sha256(order.chart.chart).hexdigest(),
                "values": order.chart.values,
                "release": order.chart.release,
                "namespace": order.chart.namespace,
                "kubernetes": str(order.chart.kubernetes),
                "api versions": list(order.chart.api_versions),
                "skip schema": order.chart.skip_schema,
            }
        parts["texts"] = [(origin, hashlib.sha256(content).hexdigest()) for origin, content in order.texts]
        return build.key(_OBJECTS, orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
