"""Plug-ins and functions that change objects: the stack's, then those of each component, each on what the one before gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import ManifestError, PluginError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import normalize
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Document, Manifest, Provenance
from cluster_forge.manifests.scope import Scopes
from cluster_forge.ports.plugins import Transformed, TransformTask
from cluster_forge.ports.progress import Reporter
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.build.assembly import collection, plugin_checks
from cluster_forge.stages.build.assembly.plugin_inputs import context_of, files_of
from cluster_forge.stages.toolbox import Toolbox

STAGE = "smelt"

Objects = Mapping[ComponentName, Sequence[Manifest]]
"""The objects of each component, each once and in its namespace."""

OnStep = Callable[[PluginUse, Objects], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformedObjects:
    """The objects of each component after all transformers, and what these found."""

    objects: Objects
    findings: tuple[Finding, ...] = ()


def transformed(  # noqa: PLR0913 - what a stage has, and who looks on
    stack: Stack,
    objects: Objects,
    scopes: Scopes,
    toolbox: Toolbox,
    reporter: Reporter,
    *,
    on_step: OnStep = lambda _use, _objects: None,
) -> TransformedObjects:
    """Run the transformers of a stack. The result is the same for any number of workers.

    ``on_step`` gets what each transformer gave, for the components that it ran on; those of a component come in their order.

    Raises:
        PluginError, ExceptionGroup: for each that is missing, not allowed, or fails. What comes after it does not run.
    """
    transforming = _Transforming(stack, scopes, toolbox, reporter, on_step)
    findings: list[Finding] = []
    for use in stack.transformers:
        result = transforming.of_components(use, stack.components, objects)
        objects = {**objects, **result.objects}
        findings += result.findings
    own = [component for component in stack.components if component.transformers]
    for result in toolbox.workers.map(partial(transforming.of_component, objects=objects), own):
        objects = {**objects, **result.objects}
        findings += result.findings
    return TransformedObjects(objects=objects, findings=tuple(findings))


@dataclass(frozen=True, slots=True)
class _Transforming:
    stack: Stack
    scopes: Scopes
    toolbox: Toolbox
    reporter: Reporter
    on_step: OnStep

    def of_component(self, component: Component, objects: Objects) -> TransformedObjects:
        """The component's objects after its own transformers."""
        findings: list[Finding] = []
        result = {component.name: objects[component.name]}
        for use in component.transformers:
            one = self.of_components(use, [component], result)
            result = {**one.objects}
            findings += one.findings
        return TransformedObjects(objects=result, findings=tuple(findings))

    def of_components(self, use: PluginUse, components: Sequence[Component], objects: Objects) -> TransformedObjects:
        """The objects of components after one transformer."""
        tasks = [_task(self.stack, component, objects[component.name]) for component in components]
        self.reporter.item_started(STAGE, str(use))
        answers = self._run(use, tasks)
        self.reporter.item_finished(STAGE, str(use))
        results = gathered(
            partial(self._read, use, component, objects[component.name], answer)
            for component, answer in zip(components, answers, strict=True)
        )
        given = {component.name: manifests for component, manifests in zip(components, results, strict=True)}
        self.on_step(use, given)
        return TransformedObjects(
            objects=given,
            findings=tuple(
                plugin_checks.located(finding, use, component.name, manifests)
                for component, manifests, answer in zip(components, results, answers, strict=True)
                for finding in answer.findings
            ),
        )

    def _run(self, use: PluginUse, tasks: Sequence[TransformTask]) -> Sequence[Transformed]:
        if use.is_function:
            program = _program(use, self.toolbox)
            return self.toolbox.workers.map(partial(self.toolbox.functions.run, use, program), tasks)
        return self.toolbox.plugins.transform(use, files_of(use, self.toolbox), tasks)

    def _read(
        self, use: PluginUse, component: Component, before: Sequence[Manifest], answer: Transformed
    ) -> Sequence[Manifest]:
        """The objects that a transformer gave: the same ones where it changed nothing."""
        known = {manifest.id: manifest for manifest in before}
        namespace = collection.namespace(component)
        given: dict[ObjectId, Manifest] = {}
        for value in answer.objects:
            for manifest in _objects(value, use, component):
                placed = normalize.placed(manifest, namespace, self.scopes)
                if placed.id in given:
                    raise _wrong(use, component, f"it gave {placed.id} twice")
                given[placed.id] = _as_before(placed, known.get(placed.id))
        return tuple(given.values())


def _task(stack: Stack, component: Component, manifests: Sequence[Manifest]) -> TransformTask:
    bodies = [manifest.document.passing_body() for manifest in manifests]
    return TransformTask(context=context_of(stack, component), objects=bodies)


def _program(use: PluginUse, toolbox: Toolbox) -> bytes:
    """The function's file, if it is the one that the description means."""
    content = toolbox.files.read(use.program)
    if content is None:
        raise PluginError(
            f"{use.program} does not exist", where=use.where, fix="create it, or correct the path (relative to input/)"
        )
    if Digest.of(content) != use.digest:
        raise PluginError(
            f"{use.program} has the digest {Digest.of(content)}, and the description has {use.digest}",
            where=use.where,
            fix=f"look at what has changed in the function; if that is meant, write `digest: {Digest.of(content)}`",
        )
    return content


def _objects(value: object, use: PluginUse, component: Component) -> Iterable[Manifest]:
    origin = f"{use} ({use.where})" if use.where else str(use)
    try:
        return list(normalize.objects(value, Provenance(component=component.name, origin=origin)))
    except ManifestError as error:
        raise _wrong(use, component, error.message.partition(": ")[2] or error.message) from error


def _as_before(manifest: Manifest, before: Manifest | None) -> Manifest:
    """The manifest as it was before if it is the same; a changed one keeps where it comes from."""
    content = orjson.dumps(manifest.document.body, option=orjson.OPT_SORT_KEYS)
    if before is None:
        return replace(manifest, document=Document(json=content))
    if content == before.document.json:
        return before
    return replace(manifest, document=Document(json=content), provenance=before.provenance)


def _wrong(use: PluginUse, component: Component, message: str) -> PluginError:
    fix = (
        "correct the function" if use.is_function else "change its settings, or report it to the authors of the plug-in"
    )
    return PluginError(f"{use}: component {component.name}: {message}", where=use.where, fix=fix)
