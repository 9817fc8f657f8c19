"""explain OBJECT: component, chart, template and file of an object, and where each of its changed fields comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.patches.declared_change import DeclaredChange
from cluster_forge.ports.progress import UNREPORTED, Reporter
from cluster_forge.ports.rendering import RenderJob
from cluster_forge.stack import variant
from cluster_forge.stack.component import Component
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.assembly import collection, stack_namespaces, transforming
from cluster_forge.stages.build.assembly.assemble import Assembly, assemble
from cluster_forge.stages.build.assembly.declared_changes import Applied, DeclaredChanges, Objects
from cluster_forge.stages.build.input_fingerprint import fingerprint
from cluster_forge.stages.build.rendering import render_jobs
from cluster_forge.stages.build.rendering.component_renderer import ComponentRenderer
from cluster_forge.stages.build.rendering.component_sources import ComponentSources
from cluster_forge.stages.build.rendering.render import render
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.explain import chart_variants, field_histories, object_names
from cluster_forge.stages.explain.chart_variants import ChartVariants
from cluster_forge.stages.explain.explanation import Explanation, Origin, ValuePlace
from cluster_forge.stages.explain.field_histories import State
from cluster_forge.stages.explain.value_reach import Keys
from cluster_forge.stages.toolbox import Toolbox

STAGE: Final = "explain"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest:
    """The stack with its locked sources, and the object as the user names it (`object_names`).

    ``value_places`` gives the ``file:line`` of each value of a component, by the keys that lead to it.
    """

    stack: Stack
    sources: Mapping[ComponentName, ComponentSources]
    lock: Lock
    object: str
    value_places: Callable[[ComponentName], Mapping[Keys, str]]


def explain_object(request: ExplainRequest, toolbox: Toolbox, reporter: Reporter) -> Explanation:
    """Where the object comes from.

    Raises:
        UnknownNameError: if the stack has no such object, with the nearest; or several.
        ForgeError, ExceptionGroup: whatever keeps the stack from being rendered and assembled.
    """
    rendered = render(request.stack, request.sources, request.lock, toolbox, reporter)
    scopes = collection.scopes(request.stack, rendered)
    collected = {one.name: collection.of(one, rendered[one.name], scopes).manifests for one in request.stack.components}
    steps: list[tuple[PluginUse, Objects]] = []
    transformed = transforming.transformed(
        request.stack, collected, scopes, toolbox, reporter, on_step=lambda use, objects: steps.append((use, objects))
    )
    explained = _Explained(
        request=request,
        toolbox=toolbox,
        rendered=rendered,
        collected=collected,
        steps=steps,
        transformed=transformed.objects,
        assembly=assemble(request.stack, rendered, request.sources, lambda _objects, _scopes: transformed),
        renderer=ComponentRenderer(request.stack, request.sources, request.lock, toolbox, UNREPORTED),
        is_stale=_is_stale(request, toolbox),
    )
    return explained.explanation()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explained:
    """The stack in its states: as rendered, with namespaces, after plug-ins, and as it is delivered."""

    request: ExplainRequest
    toolbox: Toolbox
    rendered: Mapping[ComponentName, RenderedComponent]
    collected: Objects
    steps: Sequence[tuple[PluginUse, Objects]]
    transformed: Objects
    assembly: Assembly
    renderer: ComponentRenderer
    is_stale: bool

    def explanation(self) -> Explanation:
        collected = {**_by_id(self.transformed), **_by_id(self.collected)}
        delivered = dict(_delivered(self.assembly))
        identity = object_names.named(self.request.object, collected.keys() | delivered.keys())
        part, item = delivered.get(identity, (None, None))
        manifest = collected.get(identity)
        if manifest is None:
            return self._made_by_build(identity, part, item)
        component = self.request.stack.component(manifest.provenance.component)
        variants = ChartVariants(renderer=self.renderer, rendered=self.rendered[component.name], id=identity)
        from_chart = variants.object_with(component.values)
        reach = variants.reach()
        places = self.request.value_places(component.name) if component.values else {}
        states, removed_by = self._states(manifest, component, item)
        first, *later = states
        return Explanation(
            id=identity,
            component=component.name,
            wave=part.wave if part else None,
            source=self._source(component),
            origin=(from_chart or manifest).provenance.origin,
            file=f"{working_tree.FOLDER}/{item.path}" if item else "",
            fields=field_histories.of(reach.fields, first.body, later, places),
            needed=_places(reach.needed, places),
            required=_places(reach.required, places),
            random=tuple(sorted(reach.random)),
            depends_on=tuple(self.assembly.graph.outgoing.get(identity, ())),
            used_by=tuple(self.assembly.graph.incoming.get(identity, ())),
            missing=self.assembly.graph.unresolved(identity),
            removed_by=removed_by,
            is_complete=reach.is_complete,
            is_stale=self.is_stale,
        )

    def _made_by_build(self, identity: ObjectId, part: Part | None, item: PartObject | None) -> Explanation:
        """The explanation of a namespace that no component brings."""
        assert part is not None
        assert item is not None
        applied = self._applied(identity)
        changed = [_state(one.change, one.after) for one in applied if one.after]
        first = applied[0].before.body if applied else item.body
        return Explanation(
            id=identity,
            component=part.name,
            wave=part.wave,
            source="",
            origin="written by cluster-forge: the stack uses it, and no component brings it",
            file=f"{working_tree.FOLDER}/{item.path}",
            fields=field_histories.of({}, first, [*changed, *self._delivered(item)], {}),
            is_stale=self.is_stale,
        )

    def _source(self, component: Component) -> str:
        sources = self.request.sources.get(component.name, ComponentSources())
        single = sources.chart or sources.kustomization
        return f"{single.address} {single.version}".strip() if single else ""

    def _states(self, manifest: Manifest, component: Component, item: PartObject | None) -> tuple[list[State], str]:
        """What the object went through since its source, and the ``file:line`` of the patch that took it out."""
        source = self._in_source(component, manifest.id)
        states = [State(body=(source or manifest).body, origin=Origin.SOURCE)]
        states.append(State(body=manifest.body, origin=Origin.BUILD))
        for use, after in self._transformed(component.name, manifest.id):
            if after is None:
                return states, use.where
            states.append(State(body=after.body, origin=Origin.TRANSFORMER, what=str(use), where=use.where))
        for applied in self._applied(manifest.id):
            if applied.after is None:
                return states, applied.change.where
            states.append(_state(applied.change, applied.after))
        return states + self._delivered(item), ""

    def _delivered(self, item: PartObject | None) -> list[State]:
        """The object as it is written, and as it was edited."""
        return [State(body=item.body, origin=Origin.BUILD), *self._hand_edit(item)] if item else []

    def _transformed(self, component: ComponentName, identity: ObjectId) -> Iterator[tuple[PluginUse, Manifest | None]]:
        """What each transformer made of the object, from the one on that made it, if it is of none of its sources."""
        is_there = identity in _by_id(self.collected)
        for use, objects in self.steps:
            if component in objects:
                after = _by_id({component: objects[component]}).get(identity)
                is_there = is_there or after is not None
                if is_there:
                    yield use, after

    def _in_source(self, component: Component, identity: ObjectId) -> Manifest | None:
        """The object as it was rendered."""
        groups = self.rendered[component.name].groups
        return chart_variants.matching((manifest for group in groups for manifest in group.manifests), identity)

    def _applied(self, identity: ObjectId) -> list[Applied]:
        if not self.request.stack.has_changes:
            return []
        changes: list[Applied] = []

        def note(applied: Applied) -> None:
            if applied.before.id == identity:
                changes.append(applied)

        declared = DeclaredChanges(self.request.stack, self.transformed, note)
        declared.applied_to(stack_namespaces.undefined(self.request.stack, declared.applied()))
        return changes

    def _hand_edit(self, item: PartObject) -> Iterator[State]:
        """The object as its file has it now, if smelt wrote it otherwise."""
        path = f"{working_tree.FOLDER}/{item.path}"
        content = self.toolbox.files.read(path)
        if content is None or content == item.content or self.is_stale:
            return
        job = RenderJob(component=ComponentName(item.path.partition("/")[0]), texts=[(path, content)])
        manifests = render_jobs.run(job, self.toolbox.renderer).manifests
        if len(manifests) != 1:
            message = f"holds {counted(len(manifests), 'object')}"
            raise ManifestError(message, where=path, fix="write one object to a file")
        yield State(body=manifests[0].body, origin=Origin.HAND_EDIT, where=path)


def _is_stale(request: ExplainRequest, toolbox: Toolbox) -> bool:
    """Whether `working/` is of another description, lock or selection, so that its files cannot be compared."""
    working = working_tree.state_if_damaged(toolbox)
    if working is None or not working.is_smelted:
        return True
    inputs = fingerprint(request.stack, request.sources, request.lock, toolbox)
    return working.record.inputs != inputs or working.record.holds != variant.folder(request.stack)


def _state(change: DeclaredChange, after: Manifest) -> State:
    kind = Origin.PATCH if change.key == "patches" else Origin.CHANGE
    return State(body=after.body, origin=kind, what=str(change), where=change.where, place=change.place)


def _by_id(objects: Objects) -> dict[ObjectId, Manifest]:
    return {manifest.id: manifest for manifest in chain.from_iterable(objects.values())}


def _delivered(assembly: Assembly) -> Iterator[tuple[ObjectId, tuple[Part | None, PartObject]]]:
    for part in assembly.parts:
        yield from ((item.id, (part, item)) for item in part.objects)
    yield from ((item.id, (None, item)) for item in assembly.later_hooks)


def _places(reached: Iterable[Keys], places: Mapping[Keys, str]) -> tuple[ValuePlace, ...]:
    return tuple(ValuePlace(keys=keys, where=places.get(keys, "")) for keys in reached)
