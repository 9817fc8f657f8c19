"""What scanners found in the images of a stack, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster_forge.checks.vulnerabilities.joined import AffectedImage, JoinedReports
from cluster_forge.checks.vulnerabilities.stack_images import ImageUse
from cluster_forge.checks.vulnerabilities.vulnerability import Degree, Vulnerability
from cluster_forge.cli.output.columns import notes
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.names import counted
from cluster_forge.stages.build import image_values
from cluster_forge.stages.build.image_values import ImagePaths

_SHOWN = 5
Values = Mapping[str, ImagePaths]
"""The paths of the values that set images, by component."""


def lines(result: JoinedReports, values: Values, *, is_long: bool) -> Iterator[str]:
    """A paragraph for each image, with ``is_long`` all of its vulnerabilities; then what has no report, and what is not here."""
    for image in result.affected:
        yield one_line(f"{image.image}: {_counts(image)}{_reach(image)}")
        yield from notes(dict.fromkeys(_place(use, image.image, values) for use in image.uses))
        more = 0 if is_long else len(image.vulnerabilities) - _SHOWN
        for one in image.vulnerabilities if is_long else image.vulnerabilities[:_SHOWN]:
            yield "  " + one_line(_sentence(one))
        if more > 0:
            yield f"  and {more} more: -v shows them"
    if result.unscanned:
        yield f"Without a report: {counted(len(result.unscanned), 'image')}"
        yield from notes(result.unscanned)
    if result.others:
        yield f"Not in the stack: {counted(len(result.others), 'image')} of the reports"
        yield from notes(result.others)
    total = sum(len(image.vulnerabilities) for image in result.affected)
    number = f"{total} vulnerabilities" if total != 1 else "1 vulnerability"
    yield f"{number} in {counted(len(result.affected), 'scanned image')}"
    if result.unscanned:
        whole = counted(len(result.affected) + len(result.unscanned), "image")
        yield f"not scanned: {len(result.unscanned):,} of {whole} of the stack, which may have any vulnerability"


def _counts(image: AffectedImage) -> str:
    counts = ", ".join(f"{image.degrees[degree]} {degree}" for degree in Degree if image.degrees.get(degree))
    harmless = f", {image.harmless} harmless by OpenVEX" if image.harmless else ""
    return f"{counts or 'no vulnerability'}{harmless}"


def _reach(image: AffectedImage) -> str:
    reach = [text for text, holds in (("reaches the node", image.reaches_node), ("exposed", image.is_exposed)) if holds]
    return f" ({', '.join(reach)})" if reach else ""


def _place(use: ImageUse, image: str, values: Values) -> str:
    path = _value(use, image, values)
    setting = f", set by {path}" if path else ""
    return f"{use.manifest.provenance.component}: {use.manifest.id} ({use.manifest.provenance.origin}){setting}"


def _value(use: ImageUse, image: str, values: Values) -> str:
    """The value of the component that sets the image; empty if no value names its repository."""
    return image_values.path_of(image, values.get(str(use.manifest.provenance.component), {}))


def _sentence(one: Vulnerability) -> str:
    fix = f"fixed in {one.fixed}" if one.fixed else "no fix yet"
    return f"{one.degree} {one.id} in {one.package} {one.installed} ({fix})"


def json(result: JoinedReports, values: Values) -> dict[str, Any]:
    """All of it, in the order of the text."""
    return {
        "images": [
            {
                "image": image.image,
                "counts": {degree.value: image.degrees.get(degree, 0) for degree in Degree},
                "harmless": image.harmless,
                "reaches_node": image.reaches_node,
                "exposed": image.is_exposed,
                "uses": [
                    {
                        "component": str(use.manifest.provenance.component),
                        "object": str(use.manifest.id),
                        "field": use.field,
                        "where": use.manifest.provenance.origin,
                        "value": _value(use, image.image, values) or None,
                    }
                    for use in image.uses
                ],
                "vulnerabilities": [
                    {
                        "id": one.id,
                        "severity": one.degree.value,
                        "package": one.package,
                        "installed": one.installed,
                        "fixed": one.fixed or None,
                        "title": one.title,
                    }
                    for one in image.vulnerabilities
                ],
            }
            for image in result.affected
        ],
        "unscanned": list(result.unscanned),
        "not_in_stack": list(result.others),
    }
