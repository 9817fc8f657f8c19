"""smelt: `working/` from the description, the lock, the store and `input/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.progress import Reporter
from cluster_forge.record import RECORD, Record
from cluster_forge.stack import variant
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import finding_policy, smelt_diff, working_tree
from cluster_forge.stages.build.component_sources import ComponentSources
from cluster_forge.stages.build.input_fingerprint import fingerprint
from cluster_forge.stages.build.smelt_diff import Changes
from cluster_forge.stages.build.working_tree import WorkingTree
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
    current.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltResult:
    """The content of `working/`.

    ``is_current``: the folder had it already, and the parts of the record have no documents. ``reused`` names the
    components whose sources were not rendered.
    """

    record: Record
    tree: FileTree
    findings: tuple[Finding, ...]
    changes: Changes
    reused: frozenset[ComponentName] = frozenset()
    is_current: bool = False

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
    present = _present(request, toolbox)
    inputs = fingerprint(request.stack, request.sources, request.lock, toolbox, request.input_digests)
    reporter.stage_started(STAGE, 0)
    current = None if request.ignore_cache else _current(request, present, inputs)
    smelted = current or _render(request, present, inputs, toolbox, reporter)
    for finding in smelted.findings:
        reporter.finding_reported(finding)
    if smelted.is_written:
        if not smelted.is_current:
            _write(smelted, toolbox)
        reporter.stage_finished(
            STAGE,
            f"{counted(smelted.objects, 'object')} of {counted(len(smelted.record.parts), 'component')} "
            f"in {working_tree.FOLDER}/",
        )
    return smelted


def _write(smelted: SmeltResult, toolbox: Toolbox) -> None:
    record = RECORD.removeprefix(f"{working_tree.FOLDER}/")
    tree = FileTree({**smelted.tree.files, record: smelted.record.to_json()})
    toolbox.files.replace_trees({working_tree.FOLDER: tree})


def _present(request: SmeltRequest, toolbox: Toolbox) -> WorkingTree | None:
    """`working/` as it is, without hand edits unless they may be lost."""
    if request.discard_edits:
        try:
            return working_tree.load(toolbox.files)
        except StaleError:
            return None
    working = working_tree.load(toolbox.files)
    working_tree.refuse_edits(working)
    return working


def _current(request: SmeltRequest, present: WorkingTree | None, inputs: Digest) -> SmeltResult | None:
    """`working/` as the result, if smelt wrote it from these inputs and no file was edited; time stamps do not count."""
    if present is None or present.edited:
        return None
    record = present.record
    if (record.inputs, record.stack, record.tool) != (inputs, request.stack.name, build.identity()):
        return None
    findings = finding_policy.apply((*request.notices, *record.own_findings), request.stack.ignores, request.allow)
    return SmeltResult(
        record=replace(record, findings=finding_policy.count(findings)),
        tree=present.tree,
        findings=findings,
        changes=Changes(),
        reused=frozenset(part.name for part in record.parts),
        is_current=True,
    )


def _render(
    request: SmeltRequest, present: WorkingTree | None, inputs: Digest, toolbox: Toolbox, reporter: Reporter
) -> SmeltResult:
    from cluster_forge.stages.build.assemble import assemble  # noqa: PLC0415 - 0.05 s, and mostly `working/` is current
    from cluster_forge.stages.build.layout import lay_out  # noqa: PLC0415 - the same
    from cluster_forge.stages.build.render import render  # noqa: PLC0415 - the same

    stack = request.stack
    rendered = request.rendered
    if rendered is None:
        rendered = render(stack, request.sources, request.lock, toolbox, reporter)
    assembly = assemble(stack, rendered, request.sources)
    findings = finding_policy.apply((*request.notices, *assembly.findings), stack.ignores, request.allow)
    tree, revision = lay_out(stack, assembly)
    digests = {part_object.path: part_object.digest for part in assembly.parts for part_object in part.objects}
    record = Record(
        tool=build.identity(),
        stack=stack.name,
        folder=variant.folder(stack),
        inputs=inputs,
        revision=revision,
        findings=finding_policy.count(findings),
        own_findings=assembly.findings,
        parts=assembly.parts,
        files={path: digests.get(path) or Digest.of(content) for path, content in tree.files.items()},
    )
    return SmeltResult(
        record=record,
        tree=tree,
        findings=findings,
        changes=smelt_diff.between(present.record if present else None, record),
        reused=frozenset(name for name, result in rendered.items() if result.is_reused),
    )
