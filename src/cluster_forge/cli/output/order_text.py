"""The order of components: as text, as JSON, and as graphs for Graphviz (DOT) and Mermaid."""

from __future__ import annotations

import json as json_library
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.graph.edge import Edge
from cluster_forge.stages.explain.explain_order import OrderedComponent, OrderExplanation, Predecessor

_SHOWN: Final = 1
"""Reasons for each pair of components in the list of all."""


def lines(explanation: OrderExplanation) -> Iterator[str]:
    """All components by wave, each with what it comes after."""
    for wave, components in explanation.waves.items():
        yield f"wave {wave}"
        for component in components:
            yield f"  {component.name}"
            yield from _reasons(component.after, "    ", _SHOWN)
            yield from _dropped(component)


def tree(explanation: OrderExplanation, root: OrderedComponent) -> Iterator[str]:
    """One component, what it comes after with all reasons, and what that comes after in turn; each once."""
    yield f"{root.name}, wave {root.wave}: {root.why}"
    yield from _branches(explanation, root, "", {root.name})
    yield from _dropped(root, indent="")
    if root.before:
        yield f"comes before {', '.join(root.before)}"


def wave_lines(components: Sequence[OrderedComponent]) -> Iterator[str]:
    """The components of a wave, and why each is in it."""
    yield f"wave {components[0].wave}"
    for component in components:
        yield f"  {component.name}: {component.why}"
        latest = [one for one in component.after if one.wave == max(other.wave for other in component.after)]
        yield from _reasons(tuple(latest), "    ", _SHOWN)


def json(explanation: OrderExplanation, root: OrderedComponent | None = None) -> dict[str, Any]:
    """The components in their order; ``root`` and what it comes after, if it is given."""
    chosen = [*explanation.components.values()] if root is None else _reached(explanation, root)
    return {"components": [component_json(component) for component in chosen]}


def component_json(component: OrderedComponent) -> dict[str, Any]:
    """One component."""
    return {
        "name": component.name,
        "wave": component.wave,
        "why": component.why,
        "after": [_predecessor_json(one) for one in component.after],
        "before": list(component.before),
        "dropped": [_predecessor_json(one) for one in component.dropped],
    }


def edge_json(edge: Edge) -> dict[str, Any]:
    """What one object depends on, and why."""
    return {
        "object": str(edge.source.id),
        "dependsOn": str(edge.target.id),
        "reason": edge.sentence,
        "strength": edge.strength,
        "field": edge.field,
        "template": edge.source.provenance.origin,
    }


def dot(explanation: OrderExplanation, root: OrderedComponent | None = None) -> Iterator[str]:
    """For Graphviz: an arrow from each component to those that it comes after, dashed where it need not."""
    chosen = [*explanation.components.values()] if root is None else _reached(explanation, root)
    yield "digraph order {"
    yield "  rankdir=RL;"
    for component in chosen:
        yield f"  {_quoted(component.name)} [label={_quoted(f'{component.name} ({component.wave})')}];"
    for component in chosen:
        for one in component.after:
            style = "" if one.link.is_hard else " [style=dashed]"
            yield f"  {_quoted(component.name)} -> {_quoted(one.name)}{style};"
    yield "}"


def mermaid(explanation: OrderExplanation, root: OrderedComponent | None = None) -> Iterator[str]:
    """For Mermaid, likewise."""
    chosen = [*explanation.components.values()] if root is None else _reached(explanation, root)
    places = {component.name: f"c{number}" for number, component in enumerate(chosen)}
    yield "flowchart RL"
    for component in chosen:
        yield f'  {places[component.name]}["{component.name} ({component.wave})"]'
    for component in chosen:
        for one in component.after:
            yield f"  {places[component.name]} {'-->' if one.link.is_hard else '-.->'} {places[one.name]}"


def _branches(
    explanation: OrderExplanation, component: OrderedComponent, indent: str, shown: set[str]
) -> Iterator[str]:
    for number, one in enumerate(component.after):
        is_last = number == len(component.after) - 1
        yield f"{indent}{'└' if is_last else '├'}─ after {one.name}, wave {one.wave}{_remark(one)}"
        inner = indent + ("   " if is_last else "│  ")
        yield from (f"{inner}{one_line(reason)}" for reason in _sentences(one))
        if one.name not in shown:
            shown.add(one.name)
            yield from _branches(explanation, explanation.components[one.name], inner, shown)


def _reasons(after: tuple[Predecessor, ...], indent: str, most: int) -> Iterator[str]:
    for one in after:
        sentences = _sentences(one)
        more = f" (and {len(sentences) - most} more)" if len(sentences) > most else ""
        yield f"{indent}after {one.name}{_remark(one)}: {one_line('; '.join(sentences[:most]))}{more}"


def _dropped(component: OrderedComponent, indent: str = "    ") -> Iterator[str]:
    for one in component.dropped:
        yield f"{indent}not after {one.name}, which comes after it: {one_line(_sentences(one)[0])}"


def _remark(one: Predecessor) -> str:
    if one.is_split:
        return " (its CRDs alone, which come first)"
    return "" if one.link.is_hard else " (preferred)"


def _sentences(one: Predecessor) -> list[str]:
    edges = sorted(one.link.edges, key=lambda edge: not edge.is_hard)
    sentences = [f"{edge.sentence} ({edge.source.provenance.origin})" for edge in edges]
    return [*sentences, one.link.named_sentence] if one.link.is_named else sentences


def _predecessor_json(one: Predecessor) -> dict[str, Any]:
    return {
        "name": one.name,
        "wave": one.wave,
        "required": one.link.is_hard,
        "named": one.link.is_named,
        "crdsAlone": one.is_split,
        "reasons": [edge_json(edge) for edge in one.link.edges],
    }


def _reached(explanation: OrderExplanation, root: OrderedComponent) -> list[OrderedComponent]:
    """The component and all that it comes after, directly or not, in their order."""
    reached, waiting = {root.name}, [root]
    while waiting:
        for one in waiting.pop().after:
            if one.name not in reached:
                reached.add(one.name)
                waiting.append(explanation.components[one.name])
    return [component for name, component in explanation.components.items() if name in reached]


def _quoted(text: str) -> str:
    return json_library.dumps(text, ensure_ascii=False)
