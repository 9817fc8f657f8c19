"""What differs between two states of a stack: as a unified diff, as a summary, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.cli.output import changes_text
from cluster_forge.cli.output.terminal_text import one_line, styled
from cluster_forge.foundation.names import counted
from cluster_forge.manifests import emitter
from cluster_forge.manifests.comparison import text_lines
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.manifests.comparison.objects import Comparison, ComponentDifference, ObjectDifference
from cluster_forge.manifests.manifest import Body

SIGNS: Final = {Change.ADDED: "+", Change.CHANGED: "~", Change.REMOVED: "-"}
COLORS: Final = {Change.ADDED: "green", Change.CHANGED: "yellow", Change.REMOVED: "red"}
_MOST_FIELDS: Final = 50
"""Fields of an object that is too long for a unified diff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What the two states are called: ``cluster`` and ``stacks/platform``."""

    before: str
    after: str


def unified(comparison: Comparison, sides: Sides) -> Iterator[str]:
    """Every object that differs as ``diff -u`` prints it, and the `summary` of components and images."""
    for difference in comparison.objects:
        for line in object_lines(difference, sides):
            yield changes_text.colored(line)
    yield from _ending(comparison, sides)


def summary(comparison: Comparison, sides: Sides) -> Iterator[str]:
    """A line for each object, component and image that differs."""
    for difference in comparison.objects:
        text = f" {_title(difference)}{f' ({one_line(difference.remark)})' if difference.remark else ''}"
        yield styled((SIGNS[difference.change], {"fg": COLORS[difference.change]}), text)
    yield from _ending(comparison, sides)


def object_lines(difference: ObjectDifference, sides: Sides) -> Iterator[str]:
    """The lines of a unified diff; of an object that is too long for one, its fields."""
    names = tuple(f"{side}: {difference.id}" for side in (sides.before, sides.after))
    lines = text_lines.unified(_yaml(difference.before), _yaml(difference.after), (names[0], names[1]))
    if not lines:
        yield from (f"--- {names[0]}", f"+++ {names[1]}")
    yield from lines or ()
    if lines is None:
        yield from _fields(difference)
    if difference.remark:
        yield f"# {one_line(difference.remark)}"


def json(comparison: Comparison) -> dict[str, Any]:
    """Values of Secrets are masked; ``fields`` is empty for an object that was added or removed."""
    return {
        "components": [
            {"name": one.name, "change": one.change, "before": one.before, "after": one.after}
            for one in comparison.components
        ],
        "objects": [
            {
                "component": one.component,
                "object": str(one.id),
                "change": one.change,
                "remark": one.remark,
                "fields": [
                    {"path": field.path, "change": field.change, "before": field.before, "after": field.after}
                    for field in one.fields
                ],
            }
            for one in comparison.objects
        ],
        "images": {"added": list(comparison.added_images), "removed": list(comparison.removed_images)},
    }


def totals(comparison: Comparison) -> str:
    """``1 component added, 2 changed; 3 objects changed; 1 image added``; empty where nothing differs."""
    components = _by_change(comparison.components)
    objects = _by_change(comparison.objects)
    return "; ".join(
        filter(
            None,
            (
                changes_text.counts("component", *components),
                changes_text.counts("object", *objects),
                changes_text.counts("image", comparison.added_images, (), comparison.removed_images),
            ),
        )
    )


def versions(component: ComponentDifference) -> str:
    """``1.2.0 → 1.3.0``; one of the two where they are equal or only one is known."""
    known = dict.fromkeys(filter(None, (component.before, component.after)))
    return " → ".join(known)


def _ending(comparison: Comparison, sides: Sides) -> Iterator[str]:
    if not comparison:
        yield f"no differences between {sides.before} and {sides.after}"
        return
    for component in comparison.components:
        yield styled(
            (SIGNS[component.change], {"fg": COLORS[component.change]}),
            f" component {' '.join(filter(None, (component.name, one_line(versions(component)))))}",
        )
    for change, images in ((Change.ADDED, comparison.added_images), (Change.REMOVED, comparison.removed_images)):
        for image in images:
            yield styled((SIGNS[change], {"fg": COLORS[change]}), f" image {one_line(image)}")
    yield totals(comparison)


def _title(difference: ObjectDifference) -> str:
    return f"{difference.component}: {difference.id}" if difference.component else str(difference.id)


def _yaml(body: Body | None) -> str:
    return emitter.document(body) if body else ""


def _fields(difference: ObjectDifference) -> Iterator[str]:
    shown = difference.fields[:_MOST_FIELDS]
    yield f"# too long for a unified diff: {counted(len(difference.fields), 'field')} differ"
    yield from (f"{'+-'[field.change is Change.REMOVED]} {field.path}" for field in shown)
    if len(difference.fields) > len(shown):
        yield f"# … and {counted(len(difference.fields) - len(shown), 'field')} more (--format json has all)"


def _by_change(
    differences: Iterable[ComponentDifference | ObjectDifference],
) -> tuple[Sequence[object], Sequence[object], Sequence[object]]:
    listed = list(differences)
    added, changed, removed = ([one for one in listed if one.change is change] for change in Change)
    return added, changed, removed
