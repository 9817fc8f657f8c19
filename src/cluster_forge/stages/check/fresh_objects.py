"""The findings about what smelt would write now, with the hand edits that `working/` has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.digest import Digest
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Body, Manifest, Provenance
from cluster_forge.ports.progress import Reporter
from cluster_forge.record import Record
from cluster_forge.stages.build import fresh, working_tree
from cluster_forge.stages.build.fresh import Fresh
from cluster_forge.stages.build.hand_edits import edited_objects, kept_edits, placing
from cluster_forge.stages.build.hand_edits.edit_merge import MergedEdits
from cluster_forge.stages.build.hand_edits.file_merge import undecided
from cluster_forge.stages.build.working_tree import WorkingState, WorkingTree
from cluster_forge.stages.check.check_request import CheckRequest
from cluster_forge.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edited:
    """The record of the stack with the hand edits taken in, the objects by their file, and the findings about the edits; the
    graph of the objects where it is known.
    """

    record: Record
    manifests: Mapping[str, Manifest]
    findings: tuple[Finding, ...] = ()
    graph: ObjectGraph | None = None


def checked(
    request: CheckRequest, inputs: Digest, present: WorkingState | None, toolbox: Toolbox, reporter: Reporter
) -> tuple[tuple[Finding, ...], Record]:
    """The findings before ``checks.ignore``, and the record of what they are about. ``present`` is `working/` of this stack.

    Raises:
        ForgeError, ExceptionGroup: what `fresh.make`, `object_checks` and hand edits that hold no object raise.
    """
    build, edited = _edited(request, inputs, present, toolbox, reporter)
    from cluster_forge.stages.build.assembly import object_checks  # noqa: PLC0415 - as in `fresh.make`

    about_objects = object_checks.findings(
        request.stack, edited.record.parts, edited.manifests, toolbox, reporter, graph=edited.graph
    )
    return (*build.record.own_findings, *about_objects, *edited.findings), edited.record


def objects(
    request: CheckRequest, inputs: Digest, present: WorkingState | None, toolbox: Toolbox, reporter: Reporter
) -> CheckedStack:
    """The objects that `checked` looks at, without looking at them.

    Raises:
        ForgeError, ExceptionGroup: as for `checked`.
    """
    _, edited = _edited(request, inputs, present, toolbox, reporter)
    return CheckedStack.of(request.stack, edited.record.parts, edited.manifests, edited.graph)


def _edited(
    request: CheckRequest, inputs: Digest, present: WorkingState | None, toolbox: Toolbox, reporter: Reporter
) -> tuple[Fresh, _Edited]:
    """What smelt would write, and the same with the hand edits."""
    build = fresh.make(request.stack, request.sources, request.lock, toolbox, reporter, inputs=inputs, is_checked=False)
    if present is not None and present.edited:
        return build, _with_edits(request, present, build, toolbox)
    return build, _Edited(record=build.record, manifests=build.manifests, graph=build.graph)


def _with_edits(request: CheckRequest, present: WorkingState, build: Fresh, toolbox: Toolbox) -> _Edited:
    def command(options: str, selection: Sequence[str] | None = None, /) -> str:
        return request.command(f"smelt {options}", selection)

    merged, findings = kept_edits.merged(present, build, undecided, toolbox, command)
    record = _record(request, merged, build, toolbox)
    return _Edited(record=record, manifests=dict(_manifests(record, build)), findings=findings)


def _record(request: CheckRequest, merged: MergedEdits, build: Fresh, toolbox: Toolbox) -> Record:
    def read(path: str) -> Body | None:
        content = merged.tree.files.get(path)
        return toolbox.reader.read(content.decode()) if content else None

    place = placing.of(lambda: request.stack, build.record, read)
    tree = WorkingTree(tree=merged.tree, record=build.record, edited=merged.edited)
    return edited_objects.with_edits(tree, toolbox.renderer, place).record


def _manifests(record: Record, build: Fresh) -> Iterator[tuple[str, Manifest]]:
    """The objects by their file; the origin of one that was edited is that file."""
    known_documents = {known.path: known.document for part in build.record.parts for known in part.objects}
    for part in record.parts:
        for known in part.objects:
            if known.document is known_documents.get(known.path) and known.path in build.manifests:
                yield known.path, build.manifests[known.path]
            else:
                assert known.document is not None
                origin = f"{working_tree.FOLDER}/{known.path}"
                provenance = Provenance(component=part.name, origin=origin)
                yield known.path, Manifest(id=known.id, document=known.document, provenance=provenance)
