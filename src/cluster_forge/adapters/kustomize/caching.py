"""An engine that builds every kustomization once: a wrapper around another engine."""

from __future__ import annotations

import orjson

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.manifests.remark import Remark
from cluster_forge.ports.kustomize import BuiltKustomization, Kustomize, KustomizeRequest
from cluster_forge.ports.storage import Cache

_KIND = "kustomized"


class CachingKustomize:
    """`ports.Kustomize` that keeps the results of ``engine`` in ``cache``, by everything in the request and the engine's version."""

    def __init__(self, engine: Kustomize, cache: Cache) -> None:
        self._engine = engine
        self._cache = cache

    @property
    def version(self) -> str:
        return self._engine.version

    def build(self, request: KustomizeRequest) -> BuiltKustomization:
        fetched = orjson.dumps([(url, str(Digest.of(content))) for url, content in sorted(request.fetched.items())])
        key = build.key(_KIND, self.version.encode(), request.folder.encode(), fetched, request.archive)
        content = self._cache.get(_KIND, key)
        if content is not None:
            remarks, _, text = content.partition(b"\n")
            return BuiltKustomization(text=text, remarks=tuple(map(Remark.parse, orjson.loads(remarks))))
        built = self._engine.build(request)
        remarks = orjson.dumps([str(remark) for remark in built.remarks])
        self._cache.put(_KIND, key, remarks + b"\n" + built.text)
        return built
