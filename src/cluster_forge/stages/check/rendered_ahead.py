"""Charts are rendered for all minors of Kubernetes, one chart after the other, before the stack of each minor is looked at.

A chart mostly gives the same documents on each minor. Reading them takes longer than rendering, and the process that has just
read them knows them still. The results are in the cache, where rendering the stack finds them. A chart that sees other API
versions there than here is rendered again; the errors of one that cannot be rendered are those of its stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.facts import CRD
from cluster_forge.ports.progress import UNREPORTED, Reporter
from cluster_forge.record import Record
from cluster_forge.stack.component import Component
from cluster_forge.stages.build.rendering.component_renderer import STAGE, ComponentRenderer
from cluster_forge.stages.check.check_request import CheckRequest
from cluster_forge.stages.toolbox import Toolbox


def render(requests: Sequence[CheckRequest], visible: Record, toolbox: Toolbox, reporter: Reporter) -> None:
    """Render the charts of stacks that differ in the minor alone, with the API versions that the CRDs in ``visible`` define."""
    apis = _custom_apis(visible)
    charts = [component for component in requests[0].stack.components if component.helm]

    def for_each_minor(component: Component) -> None:
        reporter.item_started(STAGE, component.name)
        for one in requests:
            renderer = ComponentRenderer(one.stack, one.sources, one.lock, toolbox, UNREPORTED)
            with suppress(ForgeError, ExceptionGroup):
                renderer.render(component, apis)
        reporter.item_finished(STAGE, component.name, f"for {counted(len(requests), 'version')} of Kubernetes")

    reporter.stage_started(STAGE, len(charts))
    toolbox.workers.map(for_each_minor, charts)
    toolbox.renderer.release()
    reporter.stage_finished(
        STAGE, f"{counted(len(charts), 'chart')} for {counted(len(requests), 'version')} of Kubernetes"
    )


def _custom_apis(record: Record) -> frozenset[str]:
    return frozenset(
        api
        for part in record.parts
        for known in part.objects
        if known.kind == CRD and known.document and (kind := known.document.facts.defines)
        for api in kind.api_versions
    )
