"""From locked sources and own files to the objects of every component: what `mine` and `smelt` have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from cluster_forge.foundation.error_groups import gathered, leaves, raise_all
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import scope
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workers import Queue
from cluster_forge.stack.component import Component
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.rendering import render_jobs, sourced_tree
from cluster_forge.stages.build.rendering.component_renderer import STAGE, ComponentRenderer
from cluster_forge.stages.build.rendering.component_sources import ComponentSources, has_sources, is_url
from cluster_forge.stages.build.rendering.render_jobs import ObjectGroup
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.toolbox import Toolbox

_MAX_ROUNDS = 7
"""Chains of charts whose CRDs change the next chart are followed this far."""

OwnObjects = Mapping[ComponentName, Sequence[ObjectGroup]]
"""The objects of each component's own entries."""

Begin = Callable[[Sequence[Component], frozenset[str]], Sequence[Callable[[], RenderedComponent]]]
"""Begins to render components with the visible API versions; each result, or error, can be waited for."""


def render(  # noqa: PLR0913 - what a stage has, and which one it is
    stack: Stack,
    sources: Mapping[ComponentName, ComponentSources],
    lock: Lock,
    toolbox: Toolbox,
    reporter: Reporter,
    *,
    regenerates: bool = False,
) -> dict[ComponentName, RenderedComponent]:
    """The objects of every component, in the order of the stack. ``regenerates``: see `ComponentRenderer`.

    Raises:
        ForgeError, ExceptionGroup: the errors of all components: RenderError, ArchiveError, ManifestError, and LockError
            also for a component whose result differs from the lock's although nothing changed that decides it.
    """
    with rendering(stack, lock, toolbox, reporter, regenerates=regenerates) as begun:
        for component in stack.components:
            begun.add_sources(component, sources.get(component.name, ComponentSources()))
        return begun.finish()


@contextmanager
def rendering(
    stack: Stack, lock: Lock, toolbox: Toolbox, reporter: Reporter, *, regenerates: bool = False
) -> Iterator[Rendering]:
    """A `Rendering` for as long as the context lasts. ``regenerates``: see `ComponentRenderer`."""
    with toolbox.workers.queue() as queue:
        yield Rendering(stack, lock, toolbox, reporter, queue, regenerates=regenerates)


class Rendering:
    """Renders a stack while its sources are still being fetched.

    What depends on nothing else starts at once: the entries in ``input/``, and charts that were never mined and ask for no
    API versions but Kubernetes' own, each as soon as its sources are known. Everything else waits for `finish`, and so do
    all errors: they are the same whatever was rendered when.
    """

    def __init__(  # noqa: PLR0913 - what a stage has, and where it renders
        self, stack: Stack, lock: Lock, toolbox: Toolbox, reporter: Reporter, queue: Queue, *, regenerates: bool
    ) -> None:
        self._stack = stack
        self._sources: dict[ComponentName, ComponentSources] = {}
        self._renderer = ComponentRenderer(stack, self._sources, lock, toolbox, reporter, regenerates=regenerates)
        self._toolbox = toolbox
        self._queue = queue
        self._reporter = reporter
        self._sourced = [component for component in stack.components if has_sources(component)]
        self._entries = _own_entries(stack)
        reporter.stage_started(STAGE, len(self._entries) + len(self._sourced))
        self._own = queue.add(lambda pair: self._renderer.render_entry(*pair), self._entries)
        self._trees = queue.add(self._renderer.load_sourced_tree, self._sourced)
        self._begun: dict[ComponentName, Callable[[], RenderedComponent]] = {}

    def add_sources(self, component: Component, sources: ComponentSources) -> None:
        """Render the component as soon as that is possible. To be called for each one with sources, from any thread."""
        self._sources[component.name] = sources
        if not has_sources(component) or self._renderer.was_mined(component):
            return
        if self._renderer.requires_only_built_in(component):
            render = partial(self._renderer.render, visible_apis=())
            (self._begun[component.name],) = self._queue.add(render, [component], weight=self._renderer.weight)

    def finish(self) -> dict[ComponentName, RenderedComponent]:
        """The objects of every component, in the order of the stack.

        Raises:
            ForgeError, ExceptionGroup: see `render`.
        """
        own: dict[ComponentName, tuple[ObjectGroup, ...]] = {component.name: () for component in self._stack.components}
        for (component, _), group in zip(self._entries, gathered(self._own), strict=True):
            own[component.name] += (group,)
        trees = {tree.name: tree for tree in gathered(self._trees) if tree}
        to_render = [component for component in self._sourced if component.name not in trees]
        # In parallel: `_FixedPoint` asks for them one after the other.
        self._toolbox.workers.map(self._renderer.required_apis, to_render)
        rendered = _FixedPoint(self._stack, own, trees, self._renderer, self._begin).rendered()
        self._toolbox.workers.map(self._renderer.check_result, rendered.values())
        self._toolbox.renderer.release()  # the rest of the stage and the next ones need the memory of its processes
        self._reporter.stage_finished(STAGE, self._renderer.summary)
        return {
            component.name: replace(
                rendered.get(component.name, RenderedComponent(component=component)), own=own[component.name]
            )
            for component in self._stack.components
        }

    def _begin(
        self, components: Sequence[Component], visible_apis: frozenset[str]
    ) -> list[Callable[[], RenderedComponent]]:
        """Begin to render the components, except for those that have begun already."""
        due = [component for component in components if component.name not in self._begun]
        render = partial(self._renderer.render, visible_apis=visible_apis)
        for component, call in zip(due, self._queue.add(render, due, weight=self._renderer.weight), strict=True):
            self._begun[component.name] = call
        return [self._begun.pop(component.name) for component in components]


def _own_entries(stack: Stack) -> list[tuple[Component, str]]:
    """The entries of ``manifests`` in ``input/``, each with its component; an empty one for what the description has."""
    return [
        (component, entry)
        for component in stack.components
        for entry in (
            *(entry for entry in component.manifests if not is_url(entry)),
            *([""] if render_jobs.has_description_objects(component) else []),
        )
    ]


class _FixedPoint:
    """Renders charts as a cluster that holds the whole stack would have them rendered.

    A chart may ask which API versions the cluster has (Helm, "Built-in Objects", ``Capabilities.APIVersions``) and
    render other objects, CRDs among them, depending on the answer. So sources are rendered in rounds until no component
    would change. These invariants hold in every round:

    - *Visible* are the API versions that CRDs among the objects rendered so far define, excluded objects left out,
      without the *withdrawn* ones.
    - An API version that was defined and, after it became visible, is defined no longer is withdrawn for good: a chart
      that defines a CRD only where the cluster lacks it is rendered as if the cluster lacked it. So a component is not
      rendered in turns with and without its own CRD.
    - All components of a round see the same API versions, those at its start: neither the order of components nor the
      number of workers matters. A chart that asks for built-in ones only may have been rendered before the first round.
    - A component is rendered with the visible ones among its *required* API versions, and again only if those changed.
      One that is reused (its sourced tree) counts as rendered as long as its fingerprint holds for them: a chart that
      generates passwords generates them once.
    - A chart that may ask for more than Kubernetes' own API versions waits until the others are rendered; one that may
      ask for any waits longest. So most charts are rendered once.

    The rounds end when every component is current, or after `_MAX_ROUNDS`; a longer chain of charts keeps the result of
    the last round.
    """

    def __init__(
        self,
        stack: Stack,
        own: OwnObjects,
        trees: Mapping[ComponentName, RenderedComponent],
        renderer: ComponentRenderer,
        begin: Begin,
    ) -> None:
        self._components = stack.components
        self._sourced = [component for component in stack.components if has_sources(component)]
        self._own = own
        self._rendered = dict(trees)
        self._renderer = renderer
        self._begin = begin

    def rendered(self) -> dict[ComponentName, RenderedComponent]:
        """The objects of every component's sources, reused or rendered.

        Raises:
            ForgeError, ExceptionGroup: the errors of all components that cannot be rendered.
        """
        due, *waiting = self._tiers([component for component in self._sourced if component.name not in self._rendered])
        defined = visible = self._defined_apis()
        withdrawn: frozenset[str] = frozenset()
        for _ in range(_MAX_ROUNDS):
            self._render(due, waiting, visible)
            before, defined = defined, self._defined_apis()
            withdrawn |= before - defined
            visible = defined - withdrawn
            due = (waiting.pop(0) if waiting else []) + self._outdated(visible)
            if not due and not any(waiting):
                break
        return self._rendered

    def _tiers(self, components: Sequence[Component]) -> list[list[Component]]:
        """The components that ask for nothing but built-in API versions, for some others, and for any."""
        tiers: list[list[Component]] = [[], [], []]
        for component in components:
            if self._renderer.requires_only_built_in(component):
                tiers[0].append(component)
            else:
                tiers[2 if self._renderer.required_apis(component) is None else 1].append(component)
        return tiers

    def _outdated(self, visible_apis: frozenset[str]) -> list[Component]:
        return [
            component
            for component in self._sourced
            if component.name in self._rendered
            and not self._renderer.is_current(component, self._rendered[component.name], visible_apis)
        ]

    def _render(
        self, due: Sequence[Component], waiting: Sequence[Sequence[Component]], visible_apis: frozenset[str]
    ) -> None:
        """Render the components that are due; if one fails, the waiting ones too, to report all errors together."""
        errors: list[ForgeError] = []
        for tier in (due, *waiting):
            try:
                rendered = gathered(self._begin(tier, visible_apis))
            except (ForgeError, ExceptionGroup) as error:
                errors += [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
            else:
                self._rendered |= {result.name: result for result in rendered}
            if not errors:
                break
        raise_all(errors)

    def _defined_apis(self) -> frozenset[str]:
        """The API versions that the CRDs among all objects add to a cluster."""
        manifests = (
            manifest
            for component in self._components
            for group in (*self._own[component.name], *self._groups(component))
            for manifest in group.manifests
            if manifest.facts.defines and not sourced_tree.is_excluded(manifest, component)
        )
        return frozenset(api for kind in scope.custom_kinds(manifests) for api in kind.api_versions)

    def _groups(self, component: Component) -> tuple[ObjectGroup, ...]:
        rendered = self._rendered.get(component.name)
        return rendered.sourced if rendered else ()
