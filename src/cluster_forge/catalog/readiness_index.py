"""The rules of the packaged catalog for custom resources, read without pydantic: a deployment needs nothing else of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from cluster_forge.manifests.readiness_rule import ReadinessRule
from cluster_forge.yaml import positioned_reader

_BLOCK: Final = re.compile(rb"^readiness:\n(?:[ -].*\n)+", re.MULTILINE)
"""The rules of a component, which are read without the rest of its file."""

Rules = Mapping[tuple[str, str], ReadinessRule]
"""By group and kind."""


@cache
def packaged() -> Rules:
    """When objects are ready that controllers of the packaged catalog's components answer."""
    return merged(_packaged())


def merged(entries: Iterator[tuple[str, Mapping[str, Any]]]) -> Rules:
    """The rules of components, each entry with the component's name. Components that answer the same kind say the same of
    it: the first one's rule is taken.
    """
    rules: dict[tuple[str, str], ReadinessRule] = {}
    for component, entry in entries:
        kind = (entry["group"], entry["kind"])
        rules[kind] = (rules.get(kind) or _rule(entry)).and_by(component)
    return rules


def _packaged() -> Iterator[tuple[str, Mapping[str, Any]]]:
    folder = files("cluster_forge.catalog") / "data" / "components"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if block := _BLOCK.search(file.read_bytes()):
            entries = positioned_reader.read(block[0], f"catalog:{file.name}").value["readiness"]
            yield from ((file.name.removesuffix(".yaml"), entry) for entry in entries)


def _rule(entry: Mapping[str, Any]) -> ReadinessRule:
    return ReadinessRule(
        group=entry["group"],
        kind=entry["kind"],
        conditions=tuple(entry.get("conditions", ())),
        field=entry.get("field", ""),
        ready=tuple(entry.get("ready", ())),
        failed=tuple(entry.get("failed", ())),
    )
