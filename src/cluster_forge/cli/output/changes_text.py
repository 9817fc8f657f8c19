"""Differences between two smelts, and between working/ and the last cast: as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.cli.output.terminal_text import styled
from cluster_forge.foundation.names import counted
from cluster_forge.stages.build.smelt_diff import Changes, ComponentObject

if TYPE_CHECKING:
    from cluster_forge.stages.build.cast_diff import Difference

_SHOWN: Final = 12


def summary(changes: Changes) -> str:
    """One line: ``1 component added, 2 changed; 3 objects added, 1 removed``."""
    if changes.is_first:
        return "first smelt"
    if not changes:
        return "nothing changed since the last smelt"
    components = _counts("component", changes.added_components, changes.changed_components, changes.removed_components)
    objects = _counts("object", changes.added, changes.changed, changes.removed)
    return f"since the last smelt: {'; '.join(part for part in (components, objects) if part)}"


def lines(changes: Changes, *, is_whole: bool = False) -> Iterator[str]:
    """A line for each object: ``+`` added, ``~`` changed, ``-`` removed; the first few, or all of them."""
    every = [
        f"  {sign} {component}: {manifest.id}"
        for sign, objects in (("+", changes.added), ("~", changes.changed), ("-", changes.removed))
        for component, manifest in objects
    ]
    shown = every if is_whole else every[:_SHOWN]
    yield from shown
    if len(every) > len(shown):
        yield f"  … and {counted(len(every) - len(shown), 'object')} more (-v shows all)"


def json(changes: Changes) -> dict[str, Any]:
    """The same as JSON; all lists of a first smelt are empty."""
    return {
        "components": {
            "added": list(changes.added_components),
            "changed": list(changes.changed_components),
            "removed": list(changes.removed_components),
        },
        "objects": {
            "added": _named(changes.added),
            "changed": _named(changes.changed),
            "removed": _named(changes.removed),
        },
    }


def file_lines(difference: Difference) -> Iterator[str]:
    """A file that differs, as ``diff -u`` prints it."""
    if not difference.lines:
        yield styled(f"{difference.change}: {difference.path} (too long to be shown)")
    for line in difference.lines:
        color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        yield styled((line, {"fg": color}) if color and not line.startswith(("+++", "---")) else line)


def file_json(difference: Difference) -> dict[str, Any]:
    return {"file": difference.path, "change": difference.change, "diff": "\n".join(difference.lines)}


def _counts(noun: str, added: Sequence[object], changed: Sequence[object], removed: Sequence[object]) -> str:
    counts = [(len(added), "added"), (len(changed), "changed"), (len(removed), "removed")]
    above_zero = [(number, what) for number, what in counts if number]
    return ", ".join(
        f"{number} {what}" if index else f"{counted(number, noun)} {what}"
        for index, (number, what) in enumerate(above_zero)
    )


def _named(objects: Sequence[ComponentObject]) -> list[dict[str, str]]:
    return [
        {"component": component, "object": str(manifest.id), "file": manifest.path} for component, manifest in objects
    ]
