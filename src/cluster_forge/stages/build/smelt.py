"""smelt: `working/` from the description, the lock, the store and `input/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.progress import Reporter
from cluster_forge.record import RECORD, Record
from cluster_forge.stack import variant
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import edits, finding_policy, smelt_diff, working_tree
from cluster_forge.stages.build.edits import DiscardedEdits, Edit, FileEdit
from cluster_forge.stages.build.hand_edits import bases
from cluster_forge.stages.build.hand_edits.edit_merge import MergedEdits
from cluster_forge.stages.build.hand_edits.file_merge import Decide, FileMerge, undecided
from cluster_forge.stages.build.input_fingerprint import fingerprint
from cluster_forge.stages.build.rendering.component_sources import ComponentSources
from cluster_forge.stages.build.smelt_diff import Changes
from cluster_forge.stages.build.way_out import CommandLine, WayOut, is_current, plain_command
from cluster_forge.stages.build.working_tree import WorkingState
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.stages.build.fresh import Fresh
    from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent

STAGE = "smelt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltRequest:
    """The stack and its locked sources.

    ``rendered`` are the components if mine rendered them in this run, ``input_digests`` the digests of
    the own files as they were before (`input_fingerprint.own_files`). ``allow`` names codes of error findings that count
    as warnings. ``discard_edits`` overwrites hand edits in `working/`, ``decide`` decides conflicts between them and the
    new rendering, ``ignore_cache`` renders although `working/` is current. ``verb`` and ``command`` are for messages
    (`WayOut`).
    """

    stack: Stack
    sources: Mapping[ComponentName, ComponentSources]
    lock: Lock
    notices: Sequence[Finding] = ()
    rendered: Mapping[ComponentName, RenderedComponent] | None = None
    input_digests: Mapping[str, str] | None = None
    allow: frozenset[str] = frozenset()
    discard_edits: bool = False
    decide: Decide = undecided
    ignore_cache: bool = False
    verb: str = "smelt"
    command: CommandLine = plain_command


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltResult:
    """The content of `working/`, made with ``lock``, and the hand edits that were there before.

    ``tree`` is None if the folder had it already: then the files were not read, and the parts of the record have no
    documents. It has the hand edits that are left (``edited``), the record does not; ``merged`` is what became of each file
    that was edited, ``fresh`` the tree without edits. ``reused`` names the components whose sources were not rendered.
    """

    record: Record
    lock: Lock
    tree: FileTree | None
    fresh: FileTree | None = None
    findings: tuple[Finding, ...]
    changes: Changes
    reused: frozenset[ComponentName] = frozenset()
    edited: tuple[FileEdit, ...] = ()
    merged: Mapping[str, FileMerge] = field(default_factory=dict)
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

    def loses(self, edit: Edit) -> bool:
        """Whether ``tree`` does not have everything of an edit."""
        merge = self.merged.get(edit.path.removeprefix(f"{working_tree.FOLDER}/"))
        return merge is None or merge.is_lost


def smelt(request: SmeltRequest, toolbox: Toolbox, reporter: Reporter) -> SmeltResult:
    """Write `working/`, unless it is current.

    Raises:
        LockError: for a source that is not locked or not in the store.
        RenderError, ArchiveError, ManifestError, OrderError: see `render` and `assemble`; several in an ExceptionGroup.
        EditedError: if `working/` has what cannot be merged (`working_tree.refuse_loss`), unless ``discard_edits`` is set.
    """
    inputs = fingerprint(request.stack, request.sources, request.lock, toolbox, request.input_digests)
    present = _present(request, toolbox)
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
    """Write the folder, after a copy of the hand edits that it loses. The result with these, and with their finding."""
    assert smelted.fresh is not None
    bases.keep(smelted.fresh.files, smelted.record, toolbox.bases)
    lost: Iterable[Edit] = working_tree.lost_edits(present, tree, toolbox.files) if present else ()
    if smelted.merged:
        lost = (edit for edit in lost if smelted.loses(edit))
    discarded = edits.keep(lost, toolbox.kept_edits)
    record = RECORD.removeprefix(f"{working_tree.FOLDER}/")
    toolbox.files.replace_trees({working_tree.FOLDER: FileTree({**tree.files, record: smelted.record.to_json()})})
    if not discarded:
        return smelted
    finding = discarded.finding(f"{working_tree.FOLDER}/", discarded.restoring)
    reporter.finding_reported(finding)
    return replace(smelted, discarded=(discarded,), findings=(*smelted.findings, finding))


def _present(request: SmeltRequest, toolbox: Toolbox) -> WorkingState | None:
    """`working/` as it is."""
    if request.discard_edits:
        return working_tree.state_if_damaged(toolbox)
    working = working_tree.state(toolbox)
    way_out = WayOut(verb=request.verb, folder=variant.folder(request.stack), command=request.command)
    working_tree.refuse_loss(working, way_out)
    return working


def _current(request: SmeltRequest, present: WorkingState | None, inputs: Digest) -> SmeltResult | None:
    """`working/` as the result, if smelt wrote it from these inputs; with its hand edits, unless they are to be discarded."""
    if present is None or present.hidden or (present.edited and request.discard_edits):
        return None
    record = present.record
    if not is_current(record, variant.folder(request.stack), inputs):
        return None
    findings = finding_policy.apply(
        (*request.notices, *record.own_findings), request.stack.finding_policy, request.allow
    )
    return SmeltResult(
        record=replace(record, findings=finding_policy.count(findings)),
        lock=request.lock,
        tree=None,
        findings=findings,
        changes=Changes(),
        reused=frozenset(part.name for part in record.parts),
        edited=present.edited,
    )


def _render(
    request: SmeltRequest, present: WorkingState | None, inputs: Digest, toolbox: Toolbox, reporter: Reporter
) -> SmeltResult:
    from cluster_forge.stages.build.fresh import make  # noqa: PLC0415 - 0.05 s, and mostly `working/` is current

    stack = request.stack
    fresh = make(stack, request.sources, request.lock, toolbox, reporter, inputs=inputs, rendered=request.rendered)
    merged, about_edits = _with_edits(request, present, fresh, toolbox)
    findings = finding_policy.apply(
        (*request.notices, *fresh.record.own_findings, *about_edits), stack.finding_policy, request.allow
    )
    return SmeltResult(
        record=replace(fresh.record, findings=finding_policy.count(findings)),
        lock=request.lock,
        tree=merged.tree,
        fresh=fresh.tree,
        findings=findings,
        edited=merged.edited,
        merged=merged.files,
        changes=smelt_diff.between(present.record if present and present.is_smelted else None, fresh.record),
        reused=fresh.reused,
    )


def _with_edits(
    request: SmeltRequest, present: WorkingState | None, fresh: Fresh, toolbox: Toolbox
) -> tuple[MergedEdits, tuple[Finding, ...]]:
    """What is made now with the hand edits that are there, unless they are to be discarded; and the findings about them."""
    if present is None or not present.edited or request.discard_edits:
        return MergedEdits(tree=fresh.tree), ()
    from cluster_forge.stages.build.hand_edits import kept_edits  # noqa: PLC0415 - 0.1 s, and mostly there are no edits

    def command(options: str, selection: Sequence[str] | None = None, /) -> str:
        return request.command(f"{request.verb} {options}", selection)

    return kept_edits.merged(present, fresh, request.decide, toolbox, command)
