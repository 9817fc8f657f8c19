"""Functions that run once for the same objects: a wrapper around other `ports.Functions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from cluster_forge.foundation import build, json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.ports.plugins import Functions, PluginFinding, Transformed, TransformTask
from cluster_forge.ports.storage import Cache
from cluster_forge.stack.plugin_uses import PluginUse

_KIND: Final = "functions"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    findings: tuple[PluginFinding, ...]


class CachingFunctions:
    """Keeps the results of ``functions`` in ``cache``, by all that a function gets: its program, its settings and the objects.

    What is not plain JSON, such as an integer of more than 64 bits, is not kept.
    """

    def __init__(self, functions: Functions, cache: Cache) -> None:
        self._functions = functions
        self._cache = cache

    def run(self, use: PluginUse, program: bytes, task: TransformTask) -> Transformed:
        key = _key(use, program, task)
        kept = self._cache.get(_KIND, key) if key else None
        if kept is not None:
            objects, _, findings = kept.partition(b"\n")
            return Transformed(objects=orjson.loads(objects), findings=json_codec.load(_Findings, findings).findings)
        result = self._functions.run(use, program, task)
        if key and (content := _json(list(result.objects))) is not None:
            findings = json_codec.dump(_Findings(findings=tuple(result.findings)))
            self._cache.put(_KIND, key, content + b"\n" + findings)
        return result


def _key(use: PluginUse, program: bytes, task: TransformTask) -> Digest | None:
    given = _json([use.name, use.settings, list(task.objects)])
    return None if given is None else build.key(_KIND, program, given)


def _json(value: object) -> bytes | None:
    try:
        return orjson.dumps(value)
    except TypeError:
        return None
