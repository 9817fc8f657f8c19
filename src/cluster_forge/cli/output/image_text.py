"""Where images are: as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.stages.explain.explain_image import ImagePlace


def lines(places: Sequence[ImagePlace]) -> Iterator[str]:
    """Each image with the fields that have it."""
    for image, its in groupby(places, key=lambda place: place.image):
        yield one_line(image)
        for place in its:
            yield f"  {place.component}, wave {place.wave}: {place.object}"
            yield f"    {one_line(place.field)} ({one_line(place.template)})"
            for value in place.values:
                yield f"    set by {one_line(value.path)} ({one_line(value.where) or 'default of the chart'})"


def json(places: Sequence[ImagePlace]) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "places": [
            {
                "image": place.image,
                "component": place.component,
                "wave": place.wave,
                "object": str(place.object),
                "field": place.field,
                "template": place.template,
                "values": [{"path": value.path, "where": value.where} for value in place.values],
            }
            for place in places
        ]
    }
