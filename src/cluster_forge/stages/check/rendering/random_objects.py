"""`random-render`: the objects that differ each time the stack is rendered, and the value that ends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from cluster_forge.catalog import value_paths, value_probes
from cluster_forge.checks import report
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.progress import UNREPORTED
from cluster_forge.stack import merge
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import transforming
from cluster_forge.stages.build.assembly.assemble import assemble
from cluster_forge.stages.build.rendering.component_sources import ComponentSources
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.check.rendering.chart_knowledge import ChartKnowledge
from cluster_forge.stages.check.rendering.probing import ProbedChart
from cluster_forge.stages.check.rendering.rendered_objects import RenderedObjects
from cluster_forge.stages.toolbox import Toolbox

_NAME: Final = "cluster-forge-probe"
_MOST: Final = 12
"""Values that may take an existing Secret and are tried."""
_FEW: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomObjects:
    """The components of a stack that were ``rendered``, and those whose charts were ``probed``."""

    stack: Stack
    sources: Mapping[ComponentName, ComponentSources]
    rendered: Mapping[ComponentName, RenderedComponent]
    probed: Sequence[ProbedChart]
    toolbox: Toolbox

    def findings(self) -> Iterator[Finding]:
        """A finding for each object of the stack that differs: patches, `exclude` and plug-ins minded.

        Raises:
            ForgeError, ExceptionGroup: what `assemble` and plug-ins raise.
        """
        random = {chart.component.name: chart for chart in self.probed if chart.random}
        if not random:
            return
        first = self._assembled({name: chart.first.manifests for name, chart in random.items()})
        second = self._assembled({name: chart.second.manifests for name, chart in random.items()})
        differing = RenderedObjects.of(first).differing(RenderedObjects.of(second))
        present = {manifest.id: manifest for manifest in (*second, *first)}
        once = {manifest.id for manifest in first} ^ {manifest.id for manifest in second}
        by_component: dict[ComponentName, list[ObjectId]] = {}
        for identity in differing:
            by_component.setdefault(present[identity].provenance.component, []).append(identity)
        for name, identities in by_component.items():
            fix = _fix(random[name], self.toolbox) if name in random else _PATCH
            for identity in identities:
                what = _ITSELF if identity in once else _listed(differing[identity])
                yield self._finding(present[identity], what, sorted(differing[identity]), fix)

    def _finding(self, manifest: Manifest, what: str, paths: Sequence[str], fix: str) -> Finding:
        component = manifest.provenance.component
        is_frozen = self.rendered[component].reused_tree is not None if component in self.rendered else False
        when = f"`mine --update {component}`" if is_frozen else "`smelt` without a cache"
        return report.finding(
            manifest,
            Severity.NOTICE if is_frozen else Severity.WARNING,
            "random-render",
            f"{what} each time the chart is rendered: every {when} changes it",
            fix=fix,
            field=paths[0] if paths else "",
        )

    def _assembled(self, charts: Mapping[ComponentName, Sequence[Manifest]]) -> list[Manifest]:
        """The objects of the stack where charts rendered to these."""
        rendered = {
            name: _with_chart(result, charts[name]) if name in charts else result
            for name, result in self.rendered.items()
        }
        transform = partial(transforming.transformed, self.stack, toolbox=self.toolbox, reporter=UNREPORTED)
        return list(assemble(self.stack, rendered, self.sources, transform).manifests.values())


_ITSELF: Final = "is another object, or is not there,"
_PATCH: Final = "set the value that the template reads, or the field with a patch of the description"


def _with_chart(result: RenderedComponent, manifests: Sequence[Manifest]) -> RenderedComponent:
    """The component with these objects instead of those of its chart, which are the first of its sources."""
    own = replace(result.sourced[0], manifests=tuple(manifests))
    others = () if result.reused_tree is not None else result.sourced[1:]
    return replace(result, sourced=(own, *others))


def _listed(paths: frozenset[str]) -> str:
    shown = [f"`{path}`" for path in sorted(paths)]
    more = f" and {len(shown) - _FEW} more" if len(shown) > _FEW else ""
    return f"{', '.join(shown[:_FEW])}{more} {'differs' if len(shown) == 1 else 'differ'}"


def _fix(chart: ProbedChart, toolbox: Toolbox) -> str:
    """How to end it: with the value that takes an existing Secret, if that is tried with success."""
    secrets = {identity for identity in chart.random if identity.kind == "Secret" and not identity.group}
    if not secrets:
        return _PATCH
    try:
        defaults = ChartKnowledge.of(chart.request.chart, toolbox.reader).defaults
    except ForgeError:
        return _PATCH
    paths = value_probes.existing_secrets(merge.values(defaults, chart.request.values))[:_MOST]
    ending = [
        path
        for path, ends in zip(paths, toolbox.workers.map(partial(_ends, chart, secrets), paths), strict=True)
        if ends
    ]
    if not ending:
        return _PATCH
    shown = " and ".join(f"`{field_path.text(('values', *path))}`" for path in ending[:_FEW])
    return f"create the Secret yourself, and name it in {shown}"


def _ends(chart: ProbedChart, secrets: set[ObjectId], path: tuple[str, ...]) -> bool:
    """Whether one of the random Secrets is no longer rendered, or always the same, if the value names a Secret."""
    values = merge.values(chart.request.values, value_paths.nested(path, _NAME))
    first = chart.rendered(values)
    if first is None:
        return False
    if secrets - first.objects.keys():
        return True
    second = chart.rendered_later(values)
    return second is not None and bool(secrets - first.differing(second).keys())
