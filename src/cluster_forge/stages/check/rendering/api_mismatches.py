"""`api-mismatch`: charts that are rendered for other APIs than the cluster has when their component is applied.

A chart that asks which APIs there are is rendered as a cluster that holds the whole stack would have it rendered. Where an
object of such an API follows, the order minds it (`graph.component_order`). Here is the rest: a field, or another object, that
is there because of an API of a later wave; and what is not there because the cluster alone has the API.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.check.rendering.probing import ProbedChart
from cluster_forge.stages.check.rendering.rendered_objects import RenderedObjects

_CODE = "api-mismatch"

Variant = tuple[Sequence[str], RenderedObjects | None]
"""Some versions of groups, and the objects without them; None if the chart does not render then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringer:
    """The component of a CRD, and the wave in which the CRD is applied."""

    component: ComponentName
    wave: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StackApis:
    """``bringers`` are those of each API version that a CRD of the stack defines (``example.com/v1``, ``example.com/v1/Kind``),
    ``waves`` the components', ``capabilities`` what the cluster has or gets besides (`Stack.capabilities`).
    """

    bringers: Mapping[str, Bringer]
    waves: Mapping[ComponentName, int]
    capabilities: Collection[str]

    @classmethod
    def of(cls, stack: Stack, rendered: Iterable[RenderedComponent], parts: Iterable[Part]) -> Self:
        """Of what was rendered, and of the parts in which it is applied."""
        parts = list(parts)
        applied = {one.id.name: part.wave for part in parts for one in part.objects if one.kind == CRD}
        bringers: dict[str, Bringer] = {}
        for manifest in _definitions(rendered):
            kind, wave = manifest.facts.defines, applied.get(manifest.id.name)
            if kind and wave is not None:
                bringer = Bringer(component=manifest.provenance.component, wave=wave)
                bringers.update(dict.fromkeys(kind.api_versions, bringer))
        waves = {part.name: part.wave for part in parts}
        return cls(bringers=bringers, waves=waves, capabilities=stack.capabilities)


def _definitions(rendered: Iterable[RenderedComponent]) -> Iterator[Manifest]:
    for result in rendered:
        for group in result.groups:
            yield from (manifest for manifest in group.manifests if manifest.facts.defines)


def findings(chart: ProbedChart, required_apis: frozenset[str] | None, apis: StackApis) -> Iterator[Finding]:
    """What the chart renders because of an API that is not there yet, or does not render although it is there."""
    yield from _late(chart, apis)
    yield from _provided(chart, required_apis or frozenset(), apis)


def _late(chart: ProbedChart, apis: StackApis) -> Iterator[Finding]:
    wave = apis.waves.get(chart.component.name)
    if wave is None:
        return
    later = {
        _version(api): apis.bringers[api]
        for api in chart.request.api_versions
        if api in apis.bringers and apis.bringers[api].wave > wave
    }
    # Objects of these come after their CRD, or a wave that is set is a finding already.
    candidates = sorted(later.keys() - {_version_of(manifest) for manifest in chart.base.objects.values()})
    for versions, without in _deciding(chart, candidates):
        bringers = {later[version].component: later[version].wave for version in versions}
        shown = ", ".join(f"{name} in wave {bringers[name]}" for name in sorted(bringers))
        yield _finding(
            chart,
            f"is rendered with {' and '.join(versions)}, brought later, by {shown}, and the component is in wave {wave}: "
            f"without it, {_difference(chart.base, without)}",
            f"{_without_wave(chart)}write `needs: [{', '.join(sorted(bringers))}]`, or decide by a value of the chart",
        )


def _deciding(chart: ProbedChart, versions: Sequence[str]) -> list[Variant]:
    """Which of the versions change what the chart renders; several that do so only together are one variant."""
    if not versions:
        return []
    without = chart.rendered_for([api for api in chart.request.api_versions if _version(api) not in versions])
    if without is not None and chart.base.is_like(without, chart.random):
        return []
    half = len(versions) // 2
    alone = [*_deciding(chart, versions[:half]), *_deciding(chart, versions[half:])] if half else []
    return alone or [(versions, without)]


def _provided(chart: ProbedChart, required_apis: Collection[str], apis: StackApis) -> Iterator[Finding]:
    """APIs of a group that the cluster has, or gets from a component, without a CRD in the stack."""
    defined = {_group(api) for api in apis.bringers}
    for version in sorted({_version(api) for api in required_apis}):
        group = _group(version)
        if group not in apis.capabilities or group in defined or kubernetes_apis.is_built_in(group):
            continue
        added = {version, *(api for api in required_apis if _version(api) == version)}
        with_it = chart.rendered_for((*chart.request.api_versions, *sorted(added)))
        if with_it is None or not chart.base.is_like(with_it, chart.random):
            yield _finding(
                chart,
                f"is rendered without {version}, whose group the cluster has (`target.provides`, or a component), and no CRD of "
                f"the stack defines: with it, {_difference(chart.base, with_it)}",
                "add a component with its CRDs, or decide by a value of the chart",
            )


def _difference(base: RenderedObjects, other: RenderedObjects | None) -> str:
    """What is different first, for a message."""
    if other is None:
        return "the chart does not render"
    for identity, paths in base.differing(other).items():
        if identity not in other.objects:
            return f"{identity} is not there"
        if identity not in base.objects:
            return f"{identity} is there"
        if paths:
            return f"{identity} has another `{min(paths)}`"
    return "the objects differ"


def _without_wave(chart: ProbedChart) -> str:
    component = chart.component
    return "" if component.wave is None or not component.has_own_wave else f"remove `wave: {component.wave}` and "


def _version_of(manifest: Manifest) -> str:
    return f"{manifest.id.group}/{manifest.facts.version}"


def _version(api: str) -> str:
    """``example.com/v1`` of ``example.com/v1/Kind``."""
    return "/".join(api.split("/")[:2])


def _group(api: str) -> str:
    return api.partition("/")[0]


def _finding(chart: ProbedChart, message: str, fix: str) -> Finding:
    return Finding(
        code=_CODE,
        severity=Severity.WARNING,
        component=chart.component.name,
        where=chart.component.where,
        message=message,
        fix=fix,
    )
