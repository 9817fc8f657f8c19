"""A component's chart, rendered twice: the second time by another clock and with other chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.ports.rendering import Renderer, RenderRequest
from cluster_forge.stack.component import Component, Values
from cluster_forge.stages.build.rendering import render_jobs
from cluster_forge.stages.build.rendering.render_jobs import ObjectGroup
from cluster_forge.stages.check.rendering import other_clock
from cluster_forge.stages.check.rendering.rendered_objects import Randomness, RenderedObjects


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedChart:
    """The chart of a component and its two renders; ``random`` is what differs between them."""

    component: Component
    request: RenderRequest
    renderer: Renderer
    first: ObjectGroup
    second: ObjectGroup
    base: RenderedObjects
    random: Randomness

    @classmethod
    def of(cls, component: Component, request: RenderRequest, renderer: Renderer) -> Self:
        """Render the chart twice.

        Raises:
            RenderError, ArchiveError, ManifestError, ExceptionGroup: if it does not render to objects.
        """
        first = _run(component, request, renderer)
        second = _run(component, other_clock.seen_by(request), renderer)
        base, again = RenderedObjects.of(first.manifests), RenderedObjects.of(second.manifests)
        return cls(
            component=component,
            request=request,
            renderer=renderer,
            first=first,
            second=second,
            base=base,
            random=base.differing(again),
        )

    def rendered(self, values: Values) -> RenderedObjects | None:
        """The objects with other values; None if the chart refuses them."""
        return self._rendered(values, lambda request: request)

    def rendered_later(self, values: Values) -> RenderedObjects | None:
        """The same by another clock."""
        return self._rendered(values, other_clock.seen_by)

    def rendered_for(self, api_versions: Sequence[str]) -> RenderedObjects | None:
        """The objects for a cluster with other API versions; None if the chart does not render for it."""
        return self._rendered(self.request.values, lambda request: replace(request, api_versions=tuple(api_versions)))

    def _rendered(self, values: Values, change: Callable[[RenderRequest], RenderRequest]) -> RenderedObjects | None:
        # A value may be required by the chart's schema, and still say nothing in its templates.
        request = replace(self.request, values=values, skip_schema=True)
        try:
            return RenderedObjects.of(_run(self.component, change(request), self.renderer).manifests)
        except (ForgeError, ExceptionGroup) as error:
            if isinstance(error, ExceptionGroup) and error.split(ForgeError)[1]:
                raise
            return None


def _run(component: Component, request: RenderRequest, renderer: Renderer) -> ObjectGroup:
    return render_jobs.run(render_jobs.of_chart(request, component), renderer)
