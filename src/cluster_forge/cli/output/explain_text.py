"""Where an object comes from: as text and as JSON."""

from __future__ import annotations

import json as json_library
from collections.abc import Iterator
from typing import Any, Final

from cluster_forge.cli.output import order_text
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.stack.changes import PRECEDENCE
from cluster_forge.stages.explain.explanation import Explanation, FieldHistory, FieldStep, Origin, ValuePlace

_LONGEST: Final = 60
"""Characters of a value in a line."""


def lines(explanation: Explanation) -> Iterator[str]:
    """The object, its fields with what changed them, and remarks."""
    yield str(explanation.id)
    for name, value in _facts(explanation):
        yield f"  {name:<10} {one_line(value)}"
    for history in explanation.fields:
        yield ""
        yield from _field(history)
    if explanation.fields:
        yield ""
        yield f"  precedence, lowest first: {'; '.join(PRECEDENCE)}"
    else:
        yield "  every field is as its source has it"
    yield from _neighbors(explanation)
    yield from _remarks(explanation)


def json(explanation: Explanation) -> dict[str, Any]:
    """Everything as JSON; values of Secrets are masked."""
    return {
        "object": str(explanation.id),
        "component": explanation.component,
        "wave": explanation.wave,
        "source": explanation.source,
        "template": explanation.origin,
        "file": explanation.file,
        "removedBy": explanation.removed_by,
        "fields": [
            {"path": history.path, "steps": [_step_json(step) for step in history.steps]}
            for history in explanation.fields
        ],
        "dependsOn": [order_text.edge_json(edge) for edge in explanation.depends_on],
        "usedBy": [order_text.edge_json(edge) for edge in explanation.used_by],
        "notInStack": [
            {"kind": one.kind, "group": one.group, "namespace": one.namespace, "name": one.name, "field": one.field}
            for one in explanation.missing
        ],
        "neededValues": [_place_json(place) for place in explanation.needed],
        "requiredValues": [_place_json(place) for place in explanation.required],
        "random": list(explanation.random),
        "complete": explanation.is_complete,
        "stale": explanation.is_stale,
    }


def _facts(explanation: Explanation) -> Iterator[tuple[str, str]]:
    wave = f", wave {explanation.wave}" if explanation.wave is not None else ""
    yield "component", f"{explanation.component}{wave}"
    if explanation.source:
        yield "source", explanation.source
    yield "template", explanation.origin
    if explanation.removed_by:
        yield "file", f"none: taken out of the stack by the patch at {explanation.removed_by}"
    else:
        yield "file", explanation.file
    if explanation.needed:
        yield "there by", _values(explanation.needed)


def _neighbors(explanation: Explanation) -> Iterator[str]:
    """What the object depends on, and what depends on it, with the template or file that says so."""
    if explanation.depends_on or explanation.missing:
        yield ""
        yield "  depends on"
    for edge in explanation.depends_on:
        yield f"    {edge.target.id}: {edge.phrase}{_at(edge.field)}"
    for one in explanation.missing:
        kind = f"{one.kind}.{one.group}" if one.group else one.kind
        place = f"{one.namespace}/{one.name}" if one.namespace else one.name
        yield f"    {kind}/{place}: names it{_at(one.field)}; not in the stack"
    if explanation.used_by:
        yield ""
        yield "  used by"
    for edge in explanation.used_by:
        origin = edge.source.provenance
        yield f"    {edge.source.id}: {edge.phrase}{_at(edge.field)} ({one_line(str(origin))})"


def _at(field: str) -> str:
    return f", {one_line(field)}" if field else ""


def _field(history: FieldHistory) -> Iterator[str]:
    yield f"  {one_line(history.path)}"
    shown = [_value(step.value) for step in history.steps]
    width = min(max(map(len, shown)), _LONGEST)
    for step, value in zip(history.steps, shown, strict=True):
        yield f"    {value:<{width}}  {one_line(_origin(step))}"


def _origin(step: FieldStep) -> str:
    place = f" ({step.where})" if step.where else ""
    if step.origin is Origin.VALUES:
        return f"values: {_values(step.values)}" if step.values else "values: several together"
    if step.what:
        return f"{step.what}{place}"
    if step.origin is Origin.BUILD:
        return "cluster-forge"
    return f"{step.origin}{place}"


def _values(places: tuple[ValuePlace, ...]) -> str:
    return ", ".join(f"{place} ({place.where})" if place.where else str(place) for place in places)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    text = one_line(value if isinstance(value, str) else json_library.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _remarks(explanation: Explanation) -> Iterator[str]:
    remarks = []
    if explanation.random:
        remarks.append(f"differs from render to render: {', '.join(explanation.random)}")
    if explanation.required:
        remarks.append(f"the chart does not render without: {_values(explanation.required)}")
    if not explanation.is_complete:
        remarks.append("there are too many values to try each: some fields have a section of values")
    if explanation.is_stale:
        remarks.append("working/ is not of this description: hand edits are not shown; run cluster-forge smelt")
    if remarks:
        yield ""
    yield from (f"  {one_line(remark)}" for remark in remarks)


def _step_json(step: FieldStep) -> dict[str, Any]:
    return {
        "origin": step.origin,
        "value": step.value,
        "what": step.what,
        "where": step.where,
        "values": [_place_json(place) for place in step.values],
    }


def _place_json(place: ValuePlace) -> dict[str, Any]:
    return {"keys": list(place.keys), "where": place.where}
