"""A renderer that renders every job once: a wrapper around another renderer."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob
from cluster_forge.ports.storage import Cache

_OBJECTS, _REQUIRED_APIS = "objects", "apis"


class CachingRenderer:
    """`ports.Renderer` that keeps the results of ``renderer`` in ``cache``.

    The key covers everything that decides the result: the bytes of the chart or the texts, values, release, namespace,
    target, API versions, this build of Cluster-Forge and the engine's version. Never a time stamp.
    """

    def __init__(self, renderer: Renderer, cache: Cache) -> None:
        self._renderer = renderer
        self._cache = cache

    @property
    def version(self) -> str:
        return self._renderer.version

    def render(self, job: RenderJob) -> RenderedBatch:
        key = self._key(job)
        content = self._cache.get(_OBJECTS, key)
        if content is not None:
            return RenderedBatch(content=content, is_cached=True)
        batch = self._renderer.render(job)
        self._cache.put(_OBJECTS, key, batch.content)
        return batch

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        key = build.key(_REQUIRED_APIS, self.version.encode(), chart)
        content = self._cache.get(_REQUIRED_APIS, key)
        if content is not None:
            names = orjson.loads(content)
            return None if names is None else frozenset(names)
        apis = self._renderer.required_apis(chart)
        self._cache.put(_REQUIRED_APIS, key, orjson.dumps(None if apis is None else sorted(apis)))
        return apis

    def release(self) -> None:
        self._renderer.release()

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
                "draw": job.chart.draw,
            }
        parts["texts"] = [(origin, hashlib.sha256(content).hexdigest()) for origin, content in job.texts]
        return build.key(_OBJECTS, orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
