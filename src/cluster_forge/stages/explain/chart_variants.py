"""An object as its chart has it with other values than those of the description."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.stack.component import Values
from cluster_forge.stages.build.rendering.component_renderer import ComponentRenderer
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.explain import value_reach
from cluster_forge.stages.explain.value_reach import Reach

_NO_REACH: Final = Reach(fields={})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartVariants:
    """The object ``id`` of a component that was ``rendered`` in its stack."""

    renderer: ComponentRenderer
    rendered: RenderedComponent
    id: ObjectId

    def object_with(self, values: Values) -> Manifest | None:
        """The object with these values; None without a chart, and if the chart does not have it then.

        Raises:
            RenderError: if the chart refuses the values.
        """
        component = self.rendered.component
        if component.helm is None:
            return None
        # A value may be required by the chart's schema, and still say nothing in its templates.
        helm = replace(component.helm, skip_schema=True)
        variant = replace(component, helm=helm, values=values, manifests=())
        result = self.renderer.render(variant, self.rendered.visible_apis)
        return matching((one for group in result.sourced for one in group.manifests), self.id)

    def reach(self) -> Reach:
        """Which values of the component reach the object: none without a chart, or if it is not the chart's."""
        values = self.rendered.component.values
        present = self.object_with(values) if values else None
        return value_reach.of(values, present.body, self._body_with) if present else _NO_REACH

    def _body_with(self, values: Values) -> Body | None:
        manifest = self.object_with(values)
        return manifest.body if manifest else None


def matching(manifests: Iterable[Manifest], identity: ObjectId) -> Manifest | None:
    """The object before its namespace was filled in; None if it is not among ``manifests``."""
    return next(
        (
            manifest
            for manifest in manifests
            if (manifest.id.group, manifest.id.kind, manifest.id.name) == (identity.group, identity.kind, identity.name)
            and manifest.id.namespace in ("", identity.namespace)
        ),
        None,
    )
