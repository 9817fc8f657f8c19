"""Differences between two smelts, and between working/ and the last cast: as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.cli.output.terminal_text import styled
from cluster_forge.foundation.names import counted
from cluster_forge.stages.build.smelt_diff import Changes, ComponentObject

if TYPE_CHECKING:
    from cluster_forge.stages.build.cast_diff import Difference
    from cluster_forge.stages.build.casting.cast_changes import CastChanges

_SHOWN: Final = 12
_DELIVERY: Final = "no object changed, only how they are delivered"


def summary(changes: Changes, *, has_discarded: bool = False) -> str:
    """One line: ``1 component added, 2 changed; 3 objects added, 1 removed``. ``has_discarded``: hand edits are lost, too."""
    if changes.is_first:
        return "first smelt"
    if not changes:
        if changes.is_delivery_changed:
            return f"since the last smelt: {_DELIVERY}"
        return f"nothing {'else ' if has_discarded else ''}changed since the last smelt"
    return f"since the last smelt: {_parts(changes)}"


def of_cast(changes: CastChanges, *, is_whole: bool = False, has_discarded: bool = False) -> Iterator[str]:
    """What changed since the last cast: a line with the counts, and one for each object and image, the first few or all.

    ``has_discarded``: hand edits were overwritten in this run.
    """
    if changes.components.is_first:
        yield "the first cast of this stack"
    elif changes.is_unknown:
        yield "what changed since the last cast is not known: its files are damaged"
    elif changes.is_same:
        yield f"nothing changed since the last cast{', which did not have the discarded edits' if has_discarded else ''}"
    elif not changes:
        yield f"since the last cast: {_DELIVERY}"
    else:
        images = counts("image", changes.added_images, (), changes.removed_images)
        yield f"since the last cast: {'; '.join(filter(None, (_parts(changes.components), images)))}"
        yield from lines(changes.components, is_whole=is_whole)
        every = [
            *(f"  + image {image}" for image in changes.added_images),
            *(f"  - image {image}" for image in changes.removed_images),
        ]
        yield from _first(every, "image", is_whole=is_whole)


def _parts(changes: Changes) -> str:
    components = counts("component", changes.added_components, changes.changed_components, changes.removed_components)
    objects = counts("object", changes.added, changes.changed, changes.removed)
    return "; ".join(filter(None, (components, objects)))


def lines(changes: Changes, *, is_whole: bool = False) -> Iterator[str]:
    """A line for each object: ``+`` added, ``~`` changed, ``-`` removed; the first few, or all of them."""
    every = [
        f"  {sign} {component}: {manifest.id}"
        for sign, objects in (("+", changes.added), ("~", changes.changed), ("-", changes.removed))
        for component, manifest in objects
    ]
    yield from _first(every, "object", is_whole=is_whole)


def _first(every: Sequence[str], noun: str, *, is_whole: bool) -> Iterator[str]:
    shown = every if is_whole else every[:_SHOWN]
    yield from shown
    if len(every) > len(shown):
        yield f"  … and {counted(len(every) - len(shown), noun)} more (-v shows all)"


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


def of_cast_json(changes: CastChanges) -> dict[str, Any]:
    """The same as JSON; ``same``: every file is as before, ``unknown``: what was cast before cannot be read."""
    images = {"added": list(changes.added_images), "removed": list(changes.removed_images)}
    return {
        "first": changes.components.is_first,
        "same": changes.is_same,
        "unknown": changes.is_unknown,
        **json(changes.components),
        "images": images,
    }


def file_lines(difference: Difference) -> Iterator[str]:
    """A file that differs, as ``diff -u`` prints it."""
    if not difference.lines:
        yield styled(f"{difference.change}: {difference.path} (too long to be shown)")
    yield from map(colored, difference.lines)


def colored(line: str) -> str:
    """A line of a unified diff."""
    color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return styled((line, {"fg": color}) if color and not line.startswith(("+++ ", "--- ")) else line)


def file_json(difference: Difference) -> dict[str, Any]:
    return {"file": difference.path, "change": difference.change, "diff": "\n".join(difference.lines)}


def counts(noun: str, added: Sequence[object], changed: Sequence[object], removed: Sequence[object]) -> str:
    """``1 object added, 2 changed``: how many there are of each, but for zero."""
    numbers = [(len(added), "added"), (len(changed), "changed"), (len(removed), "removed")]
    above_zero = [(number, what) for number, what in numbers if number]
    return ", ".join(
        f"{number} {what}" if index else f"{counted(number, noun)} {what}"
        for index, (number, what) in enumerate(above_zero)
    )


def _named(objects: Sequence[ComponentObject]) -> list[dict[str, str]]:
    return [
        {"component": component, "object": str(manifest.id), "file": manifest.path} for component, manifest in objects
    ]
