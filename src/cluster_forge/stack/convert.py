"""A description as a native file: what `convert` writes for a list of the first implementation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.stack.model import Format
from cluster_forge.stack.parse import Loaded
from cluster_forge.yaml import document_writer

_NOTES: Final = {
    "components": "What is in the stack.",
    "define": "Components that are in the stack only where something above names them.",
    "collections": "Names for several: usable wherever a component's name is.",
}


def native(loaded: Loaded) -> str:
    """The whole description, merged, as one file in the native format; reading it gives an equal stack."""
    return "".join(f"{line}\n" for line in _lines(loaded))


def _lines(loaded: Loaded) -> Iterator[str]:
    described = loaded.effective
    if loaded.format is Format.LIST:
        yield "# Written by `cluster-forge convert` from a list of the first format. Paths are relative to this file's folder."
    for section, value in described.items():
        if section in _NOTES:
            yield ""
            yield f"# {_NOTES[section]}"
        elif isinstance(value, Mapping | list):
            yield ""
        if section in ("components", "define") and value:
            yield f"{section}:"
            yield from _components(value)
        else:
            yield from document_writer.mapping({section: value})


def _components(items: Sequence[Any]) -> Iterator[str]:
    """Each component apart from the one before it; names close together."""
    for index, item in enumerate(items):
        if index and isinstance(item, Mapping):
            yield ""
        yield from document_writer.sequence([item])
