"""The labels that selectors in objects use: other values of these select other objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cluster_forge.manifests.manifest import Manifest

_HINT = b"elector"
"""In ``selector``, ``labelSelector``, ``podSelector``, ``serviceMonitorSelector``, …"""


def keys(manifests: Iterable[Manifest]) -> frozenset[str]:
    """The keys of all labels that some selector of the objects uses; node selectors are about nodes."""
    return frozenset(
        key
        for manifest in manifests
        if manifest.facts.defines is None and _HINT in manifest.document.json
        for key in _in(manifest.body)
    )


def _in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in ("selector", "matchLabels") or (name.endswith("elector") and name != "nodeSelector"):
                yield from _selected(inner)
            if name == "matchExpressions" and isinstance(inner, list):
                yield from (str(entry["key"]) for entry in inner if isinstance(entry, Mapping) and "key" in entry)
            yield from _in(inner)
    elif isinstance(value, list):
        for entry in value:
            yield from _in(entry)


def _selected(selector: Any) -> Iterator[str]:
    """The keys of a selector that is a mapping of labels to values, as a Service has it."""
    if isinstance(selector, Mapping):
        yield from (str(key) for key, value in selector.items() if isinstance(value, str))
