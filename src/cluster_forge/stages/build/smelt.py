"""smelt: `working/` from the description, the lock, the store and `input/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.ports.progress import Reporter
from cluster_forge.record import RECORD, Record
from cluster_forge.stack import variant
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import edits, finding_policy, smelt_diff, working_tree, written_files
from cluster_forge.stages.build.component_sources import ComponentSources, has_sources, sourced_folder
from cluster_forge.stages.build.edits import DiscardedEdits
from cluster_forge.stages.build.input_fingerprint import fingerprint
from cluster_forge.stages.build.smelt_diff import Changes
from cluster_forge.stages.build.way_out import CommandLine, WayOut, is_current, plain_command
from cluster_forge.stages.build.working_tree import WorkingState
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.stages.build.rendered_component import RenderedComponent

STAGE = "smelt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltRequest:
    """The stack and its locked sources.

    ``rendered`` are the components if mine rendered them in this run, ``input_digests`` the digests of
    the own files as they were before (`input_fingerprint.own_files`). ``allow`` names codes of error findings that count
    as warnings. ``discard_edits`` overwrites hand edits in `working/`, ``ignore_cache`` renders although `working/` is
    current. ``verb`` and ``command`` are for messages (`WayOut`).
    """

    stack: Stack
    sources: Mapping[ComponentName, ComponentSources]
    lock: Lock
    notices: Sequence[Finding] = ()
    rendered: Mapping[ComponentName, RenderedComponent] | None = None
    input_digests: Mapping[str, str] | None = None
    allow: frozenset[str] = frozenset()
    discard_edits: bool = False
    ignore_cache: bool = False
    verb: str = "smelt"
    command: CommandLine = plain_command


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltResult:
    """The content of `working/`, made with ``lock``, and the hand edits that were there before.

    ``tree`` is None if the folder had it already: then the files were not read, and the parts of the record have no
    documents. ``reused`` names the components whose sources were not rendered.
    """

    record: Record
    lock: Lock
    tree: FileTree | None
    findings: tuple[Finding, ...]
    changes: Changes
    reused: frozenset[ComponentName] = frozenset()
    discarded: tuple[DiscardedEdits, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether `working/` had the content already."""
        return self.tree is None

    @property
    def is_written(self) -> bool:
        """Whether `working/` has the content; a finding of severity error leaves the folder as it was."""
        return not self.record.findings.error

    @property
    def objects(self) -> int:
        """The number of objects of all parts."""
        return self.record.objects


def smelt(request: SmeltRequest, toolbox: Toolbox, reporter: Reporter) -> SmeltResult:
    """Write `working/`, unless it is current.

    Raises:
        LockError: for a source that is not locked or not in the store.
        RenderError, ArchiveError, ManifestError, OrderError: see `render` and `assemble`; several in an ExceptionGroup.
        EditedError: if `working/` has hand edits and ``discard_edits`` is not set.
    """
    inputs = fingerprint(request.stack, request.sources, request.lock, toolbox, request.input_digests)
    present = _present(request, inputs, toolbox)
    reporter.stage_started(STAGE, 0)
    current = None if request.ignore_cache else _current(request, present, inputs)
    smelted = current or _render(request, present, inputs, toolbox, reporter)
    for finding in smelted.findings:
        reporter.finding_reported(finding)
    if smelted.is_written:
        if smelted.tree is not None:
            smelted = _write(smelted, smelted.tree, present, toolbox, reporter)
        reporter.stage_finished(
            STAGE,
            f"{counted(smelted.objects, 'object')} of {counted(smelted.record.components, 'component')} "
            f"in {working_tree.FOLDER}/",
        )
    return smelted


def _write(
    smelted: SmeltResult, tree: FileTree, present: WorkingState | None, toolbox: Toolbox, reporter: Reporter
) -> SmeltResult:
    """Write the folder, after a copy of the hand edits in it. The result with these, and with their finding."""
    lost = working_tree.lost_edits(present, tree, toolbox.files) if present else ()
    discarded = edits.keep(lost, toolbox.kept_edits)
    record = RECORD.removeprefix(f"{working_tree.FOLDER}/")
    toolbox.files.replace_trees({working_tree.FOLDER: FileTree({**tree.files, record: smelted.record.to_json()})})
    if not discarded:
        return smelted
    finding = discarded.finding(f"{working_tree.FOLDER}/", discarded.restoring)
    reporter.finding_reported(finding)
    return replace(smelted, discarded=(discarded,), findings=(*smelted.findings, finding))


def _present(request: SmeltRequest, inputs: Digest, toolbox: Toolbox) -> WorkingState | None:
    """`working/` as it is, without hand edits unless they may be lost."""
    if request.discard_edits:
        return working_tree.state_if_damaged(toolbox)
    working = working_tree.state(toolbox)
    way_out = WayOut(
        verb=request.verb, folder=variant.folder(request.stack), inputs=lambda: inputs, command=request.command
    )
    working_tree.refuse_edits(working, way_out)
    return working


def _current(request: SmeltRequest, present: WorkingState | None, inputs: Digest) -> SmeltResult | None:
    """`working/` as the result, if smelt wrote it from these inputs and no file was edited."""
    if present is None or present.edited or present.hidden:
        return None
    record = present.record
    if not is_current(record, variant.folder(request.stack), inputs):
        return None
    findings = finding_policy.apply((*request.notices, *record.own_findings), request.stack.ignores, request.allow)
    return SmeltResult(
        record=replace(record, findings=finding_policy.count(findings)),
        lock=request.lock,
        tree=None,
        findings=findings,
        changes=Changes(),
        reused=frozenset(part.name for part in record.parts),
    )


def _render(
    request: SmeltRequest, present: WorkingState | None, inputs: Digest, toolbox: Toolbox, reporter: Reporter
) -> SmeltResult:
    from cluster_forge.stages.build.assemble import assemble  # noqa: PLC0415 - 0.05 s, and mostly `working/` is current
    from cluster_forge.stages.build.layout import lay_out  # noqa: PLC0415 - the same
    from cluster_forge.stages.build.render import render  # noqa: PLC0415 - the same

    stack = request.stack
    rendered = request.rendered
    if rendered is None:
        rendered = render(stack, request.sources, request.lock, toolbox, reporter)
    assembly = assemble(stack, rendered, request.sources)
    own_findings = (*assembly.findings, *_ignored_edits(rendered, toolbox))
    findings = finding_policy.apply((*request.notices, *own_findings), stack.ignores, request.allow)
    tree, revision = lay_out(stack, assembly)
    digests = {part_object.path: part_object.digest for part in assembly.parts for part_object in part.objects}
    record = Record(
        tool=build.identity(),
        stack=stack.name,
        folder=variant.folder(stack),
        inputs=inputs,
        revision=revision,
        findings=finding_policy.count(findings),
        own_findings=own_findings,
        parts=assembly.parts,
        files={path: digests.get(path) or Digest.of(content) for path, content in tree.files.items()},
    )
    return SmeltResult(
        record=record,
        lock=request.lock,
        tree=tree,
        findings=findings,
        changes=smelt_diff.between(present.record if present and present.is_smelted else None, record),
        reused=frozenset(name for name, result in rendered.items() if result.is_reused),
    )


def _ignored_edits(rendered: Mapping[ComponentName, RenderedComponent], toolbox: Toolbox) -> Iterator[Finding]:
    """A warning for each sourced tree that was edited by hand: its component was rendered from its sources instead."""
    for name, result in rendered.items():
        folder = f"input/{sourced_folder(result.component)}"
        if result.reused_tree is None and has_sources(result.component):
            edited = [str(edit) for edit in written_files.edits(folder, toolbox.files)]
            if edited:
                yield Finding(
                    code="hand-edited",
                    severity=Severity.WARNING,
                    component=name,
                    where=f"{folder}/",
                    message=f"has hand edits, which do not count: {working_tree.first_few(edited)}; rendered from the sources",
                    fix=f"change values, `exclude` objects, or edit working/; `cluster-forge mine {name}` writes this folder "
                    "again, and keeps a copy of the edits",
                )
