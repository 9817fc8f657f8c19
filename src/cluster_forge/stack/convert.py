"""A description as one native file: what `convert` writes for a list in the legacy format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.stack.model import Format
from cluster_forge.stack.parse import ParsedDescription
from cluster_forge.yaml import document_writer

_NOTES: Final = {
    "components": "What is in the stack.",
    "define": "Components that are in the stack only where something above names them.",
    "collections": "Names for several: usable wherever a component's name is.",
}


def native(parsed: ParsedDescription) -> str:
    """The merged description as one file in the native format; reading it gives an equal stack."""
    return "".join(f"{line}\n" for line in _lines(parsed))


def _lines(parsed: ParsedDescription) -> Iterator[str]:
    described = parsed.effective
    if parsed.format is Format.LIST:
        yield "# Written by `cluster-forge convert` from a list in the legacy format. Paths are relative to this file's folder."
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
    """A blank line before each component that is a mapping; none between names."""
    for index, item in enumerate(items):
        if index and isinstance(item, Mapping):
            yield ""
        yield from document_writer.sequence([item])
