"""What `check --deep` finds besides: random output, values that change nothing, and charts that are rendered for other APIs than
the cluster has. All of it takes rendering the charts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.scope import custom_kinds
from cluster_forge.ports.progress import UNREPORTED, Reporter
from cluster_forge.stages.build.rendering.component_renderer import ComponentRenderer
from cluster_forge.stages.build.rendering.render import render
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent, visible_to
from cluster_forge.stages.check.check_request import CheckRequest
from cluster_forge.stages.check.rendering import api_mismatches, value_findings
from cluster_forge.stages.check.rendering.api_mismatches import StackApis
from cluster_forge.stages.check.rendering.probing import ProbedChart
from cluster_forge.stages.check.rendering.random_objects import RandomObjects
from cluster_forge.stages.check.rendering.value_findings import Places
from cluster_forge.stages.toolbox import Toolbox

STAGE: Final = "probe"

ValuePlaces = Callable[[ComponentName], Places]
"""The ``file:line`` of each value of a component."""


def findings(
    request: CheckRequest, value_places: ValuePlaces, parts: Sequence[Part], toolbox: Toolbox, reporter: Reporter
) -> tuple[Finding, ...]:
    """The findings about all charts of the stack, in its order; ``parts`` have their waves.

    Raises:
        ForgeError, ExceptionGroup: what keeps the stack from being rendered and put together.
    """
    rendered = render(request.stack, request.sources, request.lock, toolbox, reporter)
    renderer = ComponentRenderer(request.stack, request.sources, request.lock, toolbox, UNREPORTED)
    apis = _defined_apis(rendered.values())
    stack_apis = StackApis.of(request.stack, rendered.values(), parts)
    charts = [result for result in rendered.values() if result.component.helm]
    reporter.stage_started(STAGE, len(charts))

    def probed(result: RenderedComponent) -> tuple[ProbedChart | None, tuple[Finding, ...]]:
        component = result.component
        reporter.item_started(STAGE, component.name)
        visible = visible_to(result.required_apis, apis) if result.reused_tree is not None else result.visible_apis
        try:
            chart = ProbedChart.of(component, renderer.chart_request(component, visible), toolbox.renderer)
            about_chart = (
                *value_findings.findings(chart, value_places(component.name), toolbox.reader, toolbox.cache),
                *api_mismatches.findings(chart, result.required_apis, stack_apis),
            )
        except (ForgeError, ExceptionGroup) as error:
            errors = [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
            if not errors:
                raise
            chart, about_chart = None, (value_findings.unread(component, errors[0]),)
        reporter.item_finished(STAGE, component.name)
        return chart, about_chart

    results = toolbox.workers.map(probed, charts)
    toolbox.renderer.release()
    random = RandomObjects(
        stack=request.stack,
        sources=request.sources,
        rendered=rendered,
        probed=[chart for chart, _ in results if chart],
        toolbox=toolbox,
    )
    everything = (*random.findings(), *(finding for _, some in results for finding in some))
    reporter.stage_finished(STAGE, f"{len(everything)} found")
    return everything


def _defined_apis(rendered: Iterable[RenderedComponent]) -> frozenset[str]:
    """The API versions that the CRDs of the stack define."""
    manifests = (
        manifest
        for result in rendered
        for group in result.groups
        for manifest in group.manifests
        if manifest.facts.defines
    )
    return frozenset(api for kind in custom_kinds(manifests) for api in kind.api_versions)
