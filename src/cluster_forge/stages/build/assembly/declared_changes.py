"""The changes that a description declares, applied to the objects of a stack: in its order, each with what came of it.

First what the whole stack declares, then what the component does: labels, annotations, images, replicas, resources and Pod
templates, and after these the patches in the same order. Objects that nothing changes stay the same values, with their text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ForgeError, PatchError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests import retention
from cluster_forge.manifests.field_schema import FieldSchema
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.merge_keys import MergeKeys
from cluster_forge.patches import declared_patches, selected_labels, transformers
from cluster_forge.patches.declared_change import DeclaredChange
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import after_changes, change_findings, data_hooks
from cluster_forge.stages.build.assembly.change_findings import Use

Objects = Mapping[ComponentName, Sequence[Manifest]]
"""The objects of each component, each in its namespace."""
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What one change made of one object; ``after`` is None where it was taken out of the stack."""

    change: DeclaredChange
    before: Manifest
    after: Manifest | None


class DeclaredChanges:
    """The changes of ``stack`` to ``objects``, which are those of all its components before any change."""

    def __init__(
        self, stack: Stack, objects: Objects, on_change: Callable[[Applied], None] = lambda _applied: None
    ) -> None:
        self._stack = stack
        self._objects = objects
        self._on_change = on_change
        self._schemas = _Schemas(stack.target.kubernetes.minor, objects)
        self._retention = after_changes.retention_annotation(stack)
        self._errors: list[ForgeError] = []
        self._of_stack = self._uses(None)
        self._of_components = {component.name: self._uses(component) for component in stack.components}

    def applied(self) -> dict[ComponentName, tuple[Manifest, ...]]:
        """The objects of each component with the changes.

        Raises:
            PatchError, ExceptionGroup: for each patch that does not fit an object.
        """
        changed = {name: tuple(self._changed(name, manifests)) for name, manifests in self._objects.items()}
        self._errors += (_several(use) for use in self._every_use() if use.change.is_single and len(use.concerned) > 1)
        raise_all(self._errors)
        self._keep_needed_hooks(changed)
        return changed

    def _keep_needed_hooks(self, changed: Mapping[ComponentName, tuple[Manifest, ...]]) -> None:
        """Leave out of each use's ``unhooked`` what stays a hook, since other hooks need it."""
        uses = [use for use in self._every_use() if use.unhooked]
        if uses:
            settled = {name: data_hooks.settled(manifests) for name, manifests in changed.items()}
            pairs = chain(*(zip(changed[name], settled[name], strict=True) for name in changed))
            ordinary = {before.id for before, after in pairs if after is not before}
            for use in uses:
                use.unhooked = [identity for identity in use.unhooked if identity in ordinary]

    def applied_to(self, manifests: Iterable[Manifest]) -> list[Manifest]:
        """Objects of no component with the changes of the whole stack: the namespaces that it creates itself.

        Raises:
            PatchError, ExceptionGroup: for each patch that does not fit an object.
        """
        uses = [*chain(*self._of_stack)]
        changed = [one for manifest in manifests if (one := self._through(uses, manifest)) is not None]
        raise_all(self._errors)
        return changed

    def findings(self) -> Iterator[Finding]:
        """What came of changes that changed nothing, once they were applied.

        A narrowed stack may lack what a change of the whole stack is for.
        """
        for use in self._every_use():
            if use.component or use.concerned or not self._stack.is_narrowed:
                manifests = self._objects[use.component] if use.component else list(chain(*self._objects.values()))
                yield from change_findings.of(use, manifests, self._elsewhere(use))

    def _elsewhere(self, use: Use) -> str:
        """The other component that has what a component's change is for; empty if none has."""
        if use.concerned or use.component is None:
            return ""
        return next((name for name, others in self._objects.items() if any(map(use.change.concerns, others))), "")

    def _every_use(self) -> Iterator[Use]:
        yield from chain(*self._of_stack, *chain(*self._of_components.values()))

    def _uses(self, component: Component | None) -> tuple[list[Use], list[Use]]:
        """The changes that set fields, and the patches."""
        changes = component.changes if component else self._stack.changes
        name = component.name if component else None
        setting = transformers.of(changes, self._selected_labels if changes.labels else frozenset())
        patching = declared_patches.of(changes.patches, self._schemas.of)
        settings, patches = ([Use(change=change, component=name) for change in kind] for kind in (setting, patching))
        return settings, patches

    @cached_property
    def _selected_labels(self) -> frozenset[str]:
        return selected_labels.keys(chain(*self._objects.values()))

    def _changed(self, component: ComponentName, manifests: Iterable[Manifest]) -> Iterator[Manifest]:
        settings, patches = zip(self._of_stack, self._of_components[component], strict=True)
        uses = [*chain(*settings), *chain(*patches)]
        for manifest in manifests:
            if (changed := self._through(uses, manifest)) is not None:
                yield changed

    def _through(self, uses: Sequence[Use], manifest: Manifest) -> Manifest | None:
        manifest = retention.retained(manifest, self._retention)  # a patch changes what is in working/ without it
        for use in uses:
            try:
                outcome = use.change.apply(manifest)
            except PatchError as error:
                use.concerned.append(manifest.id)
                self._errors.append(_placed(error, use, manifest))
                continue
            if outcome is None:
                continue
            use.concerned.append(manifest.id)
            use.refused += outcome.refused or ([str(manifest.id)] if outcome.is_refused else [])
            if outcome.manifest is manifest:
                continue
            use.has_changed = True
            if outcome.manifest and retention.is_restored(manifest, outcome.manifest, self._retention):
                use.restored.append(str(manifest.id))
            if outcome.manifest and after_changes.is_unhooked(manifest, outcome.manifest):
                use.unhooked.append(manifest.id)
            self._on_change(Applied(change=use.change, before=manifest, after=outcome.manifest))
            if outcome.manifest is None:
                return None
            manifest = outcome.manifest
        return manifest


class _Schemas:
    """The schemas of the objects of a stack, each looked up when it is needed: a large stack has hundreds of CRDs."""

    def __init__(self, minor: int, objects: Objects) -> None:
        self._minor = minor
        self._objects = objects
        self._known: dict[tuple[str, str, str], FieldSchema | None] = {}

    def of(self, manifest: Manifest) -> FieldSchema | None:
        kind = manifest.id.group, manifest.facts.version, manifest.id.kind
        if kind not in self._known:
            definition = self._definitions.get((manifest.id.group, manifest.id.kind))
            bodies = [definition.document.passing_body()] if definition else []
            self._known[kind] = MergeKeys.of(self._minor, bodies).schema(*kind)
        return self._known[kind]

    @cached_property
    def _definitions(self) -> Mapping[tuple[str, str], Manifest]:
        return {
            (manifest.facts.defines.group, manifest.facts.defines.kind): manifest
            for manifest in chain(*self._objects.values())
            if manifest.facts.defines
        }


def _placed(error: PatchError, use: Use, manifest: Manifest) -> PatchError:
    place = f" at {error.where}" if error.where else ""
    return PatchError(
        f"component {manifest.provenance.component}: `{use.change}` does not fit {manifest.id}{place}: {error.message}",
        where=use.change.where,
        fix=error.fix or "look at the object with `cluster-forge explain OBJECT`, and correct the patch",
    )


def _several(use: Use) -> PatchError:
    objects = ", ".join(map(str, use.concerned[:_SHOWN]))
    return PatchError(
        f"the patch names one object, and fits {counted(len(use.concerned), 'object')}: {objects}",
        where=use.change.where,
        fix="write `metadata.namespace` into it; or, if all are meant, a `target`",
    )
