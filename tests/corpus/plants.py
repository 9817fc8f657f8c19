"""What is planted in real objects, and what should be said of it: changes of objects of `stacks/everything`, ten for each code."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

LEAST: Final = 10
"""Objects that each change is planted in, if there are as many."""
MOST: Final = 15
Change = Callable[[dict[str, Any]], object]
"""Changes an object's body in place."""


def planted(manifest: Manifest, change: Change) -> Manifest:
    """The object with a change, of the same component and file."""
    body = copy.deepcopy(dict(manifest.body))
    change(body)
    return Manifest.of(body, manifest.provenance)


def of_kinds(manifests: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    """Objects of these kinds, of as many components as there are: one of each in turn."""
    by_component: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        if manifest.id.kind in kinds:
            by_component.setdefault(manifest.provenance.component, []).append(manifest)
    longest = max(map(len, by_component.values()), default=0)
    return [of[number] for number in range(longest) for of in by_component.values() if number < len(of)]


def pod(body: dict[str, Any]) -> dict[str, Any]:
    """The Pod's spec in a workload."""
    spec = body["spec"]["jobTemplate"]["spec"] if body["kind"] == "CronJob" else body["spec"]
    result: dict[str, Any] = spec["template"]["spec"]
    return result


def first(body: dict[str, Any]) -> dict[str, Any]:
    """The first container of a workload."""
    container: dict[str, Any] = pod(body)["containers"][0]
    return container


def at(body: Any, *steps: str | int) -> Any:
    """What stands there in an object."""
    for step in steps:
        body = body[step]
    return body


def put(*steps: str | int, value: object) -> Change:
    """A change that sets a field, with the mappings above it."""

    def change(body: Any) -> None:
        for step in steps[:-1]:
            body = body[step] if isinstance(step, int) else body.setdefault(step, {})
        body[steps[-1]] = value

    return change


def drop(*steps: str | int) -> Change:
    """A change that removes a field, where it is there."""

    def change(body: Any) -> None:
        for step in steps[:-1]:
            body = body[step] if isinstance(step, int) else body.get(step, {})
        body.pop(steps[-1], None)

    return change


def missed(
    manifests: Sequence[Manifest], change: Change, code: str, check: Callable[[Manifest], Iterable[Finding]]
) -> list[str]:
    """Of the first objects that have no finding, those that have not exactly the finding ``code`` with a change."""
    wrong = []
    sound = [manifest for manifest in manifests if not _codes(check(manifest))][:MOST]
    for manifest in sound:
        codes = _codes(check(planted(manifest, change)))
        if set(codes) != ({code} if code else set()):
            wrong.append(f"{manifest.id}: {dict(codes)}")
    if len(sound) < LEAST:
        wrong.append(f"{len(sound)} objects only")
    return wrong


def _codes(findings: Iterable[Finding]) -> Counter[str]:
    return Counter(finding.code for finding in findings)


def new_codes(before: Iterable[Finding], after: Iterable[Finding]) -> Counter[str]:
    """The codes of what is found now and was not before."""
    known = Counter((finding.code, finding.object, finding.message) for finding in before)
    added = Counter((finding.code, finding.object, finding.message) for finding in after) - known
    return Counter(code for code, _, _ in added.elements())


def places_of(schema: Any, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    """The schemas in a schema, below properties, items and additionalProperties, that are as ``wanted``."""
    if not isinstance(schema, dict):
        return
    if wanted(schema):
        yield schema
    for inner in (schema.get("properties") or {}).values():
        yield from places_of(inner, wanted)
    yield from places_of(schema.get("items"), wanted)
    yield from places_of(schema.get("additionalProperties"), wanted)
