"""`ineffective-value` and `unknown-value`: the values of the description that change nothing in what a chart renders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from cluster_forge.catalog import value_probes
from cluster_forge.foundation import build
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.ports.storage import Cache
from cluster_forge.stack import merge
from cluster_forge.stack.component import Component, Values
from cluster_forge.stages.check.rendering.chart_knowledge import ChartKnowledge
from cluster_forge.stages.check.rendering.probing import ProbedChart
from cluster_forge.stages.check.rendering.rendered_objects import RenderedObjects
from cluster_forge.stages.check.rendering.value_effects import Keys, ValueEffects, leaves

_CACHE: Final = "packed"
_SWITCHES: Final = ("enabled", "create", "enable")

Places = Mapping[Keys, str]
"""The ``file:line`` of each value of the description, by its path."""


def findings(probed: ProbedChart, places: Places, reader: YamlReader, cache: Cache) -> Iterator[Finding]:
    """The values at ``places`` that change nothing. A value that is the chart's default is not one: it may be there to stay.

    Raises:
        ArchiveError, ManifestError: if the chart cannot be read.
    """
    given = [keys for keys, _ in leaves(probed.component.values) if keys and _place(keys, places)]
    if not given:
        return
    knowledge = ChartKnowledge.of(probed.request.chart, reader)
    known = dict(leaves(probed.component.values))
    own = [keys for keys in given if knowledge.default(keys) != (True, known[keys])]
    inert = _cached(probed, own, cache)
    unknown = {keys: part for keys in inert if (part := _unknown(knowledge, keys, given, inert))}
    everything = merge.values(knowledge.defaults, probed.component.values)
    for part, _ in groupby(sorted(unknown.values())):
        yield _unknown_value(probed.component, part, knowledge, places)
    for keys in inert:
        if keys not in unknown:
            yield _ineffective_value(probed.component, keys, everything, places)


def _unknown(knowledge: ChartKnowledge, keys: Keys, given: Iterable[Keys], inert: Sequence[Keys]) -> Keys | None:
    """The part of the path that the chart does not know, if nothing below it has an effect."""
    part = knowledge.unknown(keys)
    if part is None or part[0].startswith("x-"):
        return None
    below = (other for other in given if other[: len(part)] == part)
    return part if all(other in inert for other in below) else None


def _cached(probed: ProbedChart, paths: Sequence[Keys], cache: Cache) -> list[Keys]:
    """Those of the paths whose values have no effect."""
    request = probed.request
    parts = {
        "chart": hashlib.sha256(request.chart).hexdigest(),
        "request": [request.release, request.namespace, str(request.kubernetes), list(request.api_versions)],
        "values": request.values,
        "paths": paths,
        "base": hashlib.sha256(b"\0".join(sorted(content for _, content in probed.base.contents))).hexdigest(),
    }
    key = build.key("values without effect", orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
    content = cache.get(_CACHE, key)
    if content is not None:
        return [tuple(keys) for keys in orjson.loads(content)]
    search = ValueEffects(
        values=request.values, base=probed.base, random=probed.random, render=probed.rendered, text=_text
    )
    inert = sorted(search.without_effect(paths))
    cache.put(_CACHE, key, orjson.dumps(inert))
    return inert


def _text(objects: RenderedObjects) -> str:
    return value_probes.texts([manifest.body for manifest in objects.objects.values()])


def _place(keys: Keys, places: Places) -> str:
    """Where a value is written in the description: an empty text if it is the catalog's."""
    where = places.get(keys, "")
    return where if where.startswith("input/") else ""


def _shown(keys: Keys) -> str:
    return f"`{field_path.text(('values', *keys))}`"


def _unknown_value(component: Component, part: Keys, knowledge: ChartKnowledge, places: Places) -> Finding:
    near = knowledge.nearest(part)
    return _finding(
        component,
        "unknown-value",
        f"the chart does not know {_shown(part)}: without it, or with another value, it renders the same",
        f"write {_shown(near)}" if near else "remove it, or look the value up in the chart's values.yaml",
        _below(part, places),
    )


def _below(part: Keys, places: Places) -> str:
    """Where a part of the values begins."""
    return _place(part, places) or next(
        (where for keys, where in places.items() if keys[: len(part)] == part and where.startswith("input/")), ""
    )


def _ineffective_value(component: Component, keys: Keys, everything: Values, places: Places) -> Finding:
    switch = _switch(keys, everything)
    return _finding(
        component,
        "ineffective-value",
        f"{_shown(keys)} changes nothing: without it, or with another value, the chart renders the same",
        f"set {_shown(switch)}, which is false, or remove the value"
        if switch
        else "remove it, or look up in the chart's values.yaml and templates what it depends on",
        _place(keys, places),
    )


def _switch(keys: Keys, everything: Any) -> Keys | None:
    """The nearest value above that switches off what the value is part of."""
    for length in range(len(keys) - 1, 0, -1):
        table = everything
        for key in keys[:length]:
            table = table.get(key) if isinstance(table, Mapping) else None
        for name in _SWITCHES:
            if isinstance(table, Mapping) and table.get(name) is False and keys != (*keys[:length], name):
                return (*keys[:length], name)
    return None


def _finding(component: Component, code: str, message: str, fix: str, where: str) -> Finding:
    return Finding(
        code=code, severity=Severity.WARNING, component=component.name, where=where, message=message, fix=fix
    )


def unread(component: Component, error: ForgeError) -> Finding:
    """The finding for a chart whose values could not be looked at."""
    return Finding(
        code="check-failed",
        severity=Severity.WARNING,
        component=component.name,
        where=component.where,
        message=f"its values were not checked: {error.message}",
        fix=error.fix or "",
    )
