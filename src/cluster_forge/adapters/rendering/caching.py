"""What was made before is not made again: a wrapper around another renderer."""

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
    """`ports.Maker` that keeps what ``renderer`` made.

    The key covers everything that decides the result: the chart's or the texts' bytes, the values, the release, the
    namespace, the target, the API versions, this build of Cluster-Forge and the engine's version. Never a time stamp.
    """

    def __init__(self, renderer: Renderer, cache: Cache) -> None:
        self._renderer = renderer
        self._cache = cache

    @property
    def version(self) -> str:
        return self._renderer.version

    def render(self, job: RenderJob) -> RenderedBatch:
        key = self._key(job)
        kept = self._cache.get(_OBJECTS, key)
        if kept is not None:
            return RenderedBatch(content=kept, is_kept=True)
        made = self._renderer.render(job)
        self._cache.put(_OBJECTS, key, made.content)
        return made

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        key = build.key(_ASKS, chart)
        kept = self._cache.get(_ASKS, key)
        if kept is not None:
            found = orjson.loads(kept)
            return None if found is None else frozenset(found)
        asked = self._renderer.required_apis(chart)
        self._cache.put(_ASKS, key, orjson.dumps(None if asked is None else sorted(asked)))
        return asked

    def _key(self, job: RenderJob) -> Digest:
        parts: dict[str, Any] = {}
        if job.chart:
            parts |= {
                "engine": self.version,
                "chart": hashlib.sha256(job.chart.chart).hexdigest(),
                "values": job.chart.values,
                "release": job.chart.release,
                "namespace": job.chart.namespace,
                "kubernetes": str(job.chart.kubernetes),
                "api versions": list(job.chart.api_versions),
                "skip schema": job.chart.skip_schema,
            }
        parts["texts"] = [(origin, hashlib.sha256(content).hexdigest()) for origin, content in job.texts]
        return build.key(_OBJECTS, orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
