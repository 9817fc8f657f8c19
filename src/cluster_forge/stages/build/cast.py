"""cast: `stacks/<name>/` from `working/`: repository, image, bootstrap, deploy script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.part import Part
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workspace import Workspace
from cluster_forge.record import RECORD, Record
from cluster_forge.stack import variant
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import GitOps, Stack
from cluster_forge.stages.build import edits, working_tree, written_files
from cluster_forge.stages.build.casting import cast_changes, cast_files, cast_input, stack_json
from cluster_forge.stages.build.casting.cast_changes import Cast, CastChanges
from cluster_forge.stages.build.casting.cast_files import DEPLOY_SCRIPT, IMAGES_TEXT, ITEMS, STAGE, CastFiles
from cluster_forge.stages.build.casting.cast_input import Kind
from cluster_forge.stages.build.casting.stack_json import SCHEMA, STACK_JSON
from cluster_forge.stages.build.edits import DiscardedEdits
from cluster_forge.stages.build.way_out import CommandLine, plain_command
from cluster_forge.stages.build.working_tree import WorkingState, WorkingTree
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.stages.build.smelt import SmeltResult

STACKS = "stacks"


@dataclass(frozen=True, slots=True, kw_only=True)
class CastRequest:
    """The stack, the fingerprint of its present inputs, and the time (seconds since 1970) that dates what is cast.

    ``base`` is the base of the image as locked, if it has one.

    ``smelted`` is the result of smelt in this run, so that `working/` need not be read. ``allow_stale`` casts a
    `working/` of other inputs. ``command`` is for messages.
    """

    stack: Stack
    inputs: Digest
    time: int
    base: LockedSource | None = None
    smelted: SmeltResult | None = None
    allow_stale: bool = False
    command: CommandLine = plain_command


@dataclass(frozen=True, slots=True, kw_only=True)
class CastResult:
    """What was cast (``about``: which environment and selection), what changed, and the warnings.

    ``sizes`` are the bytes of ``repo.git``, ``image`` and ``bootstrap``.
    """

    stack: str
    folder: str
    about: str
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    revision: str
    commit: str
    image: Digest
    platforms: tuple[str, ...]
    delivery: Delivery
    gitops: GitOps
    images: tuple[str, ...]
    sizes: Mapping[str, int]
    changes: CastChanges
    discarded: tuple[DiscardedEdits, ...] = ()

    @property
    def objects(self) -> int:
        """The number of objects of all parts."""
        return sum(len(part.objects) for part in self.parts)

    @property
    def components(self) -> int:
        """The number of components that have something to apply, as `deploy.sh` counts them."""
        return sum(bool(part.objects) for part in self.parts)


def cast(request: CastRequest, toolbox: Toolbox, repositories: Repositories, reporter: Reporter) -> CastResult:
    """Write the stack's folder, as if from scratch.

    Raises:
        StaleError: if `working/` does not exist or is out of date.
        EditedError: if the folder has files that cast did not write.
        ManifestError, ExceptionGroup: for files in `working/` that were edited and do not hold one object any more.
        RepositoryError, ImageError, WorkspaceError: if the result cannot be built or written.
    """
    stack = request.stack
    folder = f"{STACKS}/{variant.folder(stack)}"
    _refuse_others(folder, toolbox.files)
    reporter.stage_started(STAGE, len(ITEMS))
    compiled = _as_before(request, folder, toolbox, reporter)
    if compiled is None:
        compiled = _built(request, folder, toolbox, repositories, reporter)
    tree, findings = compiled.files.tree, compiled.findings
    reporter.item_started(STAGE, folder)
    discarded = edits.keep(written_files.lost_edits(folder, tree, toolbox.files), toolbox.kept_edits)
    toolbox.files.replace_trees({folder: written_files.recorded(tree)})
    if discarded:
        findings = (*findings, discarded.finding(f"{folder}/", "cast overwrites this folder"))
    for finding in findings:
        reporter.finding_reported(finding)
    reporter.stage_finished(STAGE, f"{counted(len(tree), 'file')} in {folder}")
    result = _result(stack, folder, replace(compiled, findings=findings))
    return replace(result, discarded=(discarded,)) if discarded else result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """The files of a cast, the record that they were made from, what changed since the last one, and the warnings."""

    files: CastFiles
    record: Record
    changes: CastChanges
    findings: tuple[Finding, ...]


def _as_before(request: CastRequest, folder: str, toolbox: Toolbox, reporter: Reporter) -> _Compiled | None:
    """What the folder holds, if it was cast from the same stack and `working/`, whose files are not read then."""
    if not _is_of_same_revision(folder, toolbox.files):
        return None
    working, warnings = _working(request, lambda: working_tree.state(toolbox))
    if working.edited:
        return None
    files = cast_files.present(_key(request, working), folder, toolbox)
    if files is None:
        return None
    cast_files.report(files, reporter)
    return _Compiled(files=files, record=working.record, changes=cast_changes.NO_CHANGES, findings=warnings)


def _is_of_same_revision(folder: str, files: Workspace) -> bool:
    """Whether the record of `working/` has the revision of the folder; otherwise they need not be compared."""
    revision = stack_json.version(files.read(f"{folder}/{STACK_JSON}") or b"")
    return bool(revision) and revision.encode() in (files.read(RECORD) or b"")


def _built(
    request: CastRequest, folder: str, toolbox: Toolbox, repositories: Repositories, reporter: Reporter
) -> _Compiled:
    """New files, and what changes with them."""
    from cluster_forge.stages.build.casting import cast_builder, left_behind, lost_versions  # noqa: PLC0415 - 0.1 s

    read, warnings = _working(request, lambda: working_tree.load(toolbox.files))
    working = cast_input.complete(read, request.stack, toolbox)
    source = cast_builder.CastSource(stack=request.stack, working=working, time=request.time, base=request.base)
    files = cast_builder.build(source, toolbox, repositories, reporter)
    if not working.edited:
        cast_files.keep(_key(request, working), files, toolbox.cache)
    now = Cast(record=working.record, working=working.tree, top=_at_the_top(files.tree), images=files.facts.images)
    changes = cast_changes.since_last(folder, now, toolbox.files, repositories, toolbox.reader.read)
    findings = (
        *warnings,
        *left_behind.findings(folder, files.tree, toolbox.files),
        *lost_versions.findings(folder, files.tree, working.record.parts, toolbox.files),
    )
    return _Compiled(files=files, record=working.record, changes=changes, findings=findings)


def _key(request: CastRequest, working: WorkingTree | WorkingState) -> Digest:
    return cast_files.key(request.stack, working, request.time, request.base)


def _working(request: CastRequest, read: Callable[[], Kind | None]) -> tuple[Kind | WorkingTree, tuple[Finding, ...]]:
    """What smelt wrote in this run, or else `working/` as ``read`` gives it; and the warnings about it."""
    smelted = request.smelted
    if smelted and smelted.tree is not None:
        just_smelted = WorkingTree(tree=smelted.tree, record=smelted.record, edited=smelted.edited)
        return just_smelted, cast_input.edited(just_smelted)
    working, warnings = cast_input.check(
        read(), request.stack, request.inputs, allow_stale=request.allow_stale, command=request.command
    )
    if smelted:  # with other findings than when the folder was written
        working = replace(working, record=replace(working.record, findings=smelted.record.findings))
    return working, warnings


def _result(stack: Stack, folder: str, compiled: _Compiled) -> CastResult:
    record, facts = compiled.record, compiled.files.facts
    return CastResult(
        stack=record.stack,
        folder=folder,
        about=variant.about(stack),
        parts=record.parts,
        findings=compiled.findings,
        revision=record.revision,
        commit=facts.commit,
        image=facts.image,
        platforms=facts.platforms,
        delivery=facts.delivery,
        gitops=stack.gitops,
        images=facts.images,
        sizes=compiled.files.sizes,
        changes=compiled.changes,
    )


def _at_the_top(tree: FileTree) -> Mapping[str, bytes]:
    """``stack.json`` and the other files that are not in folders: together they have the digest of everything else."""
    return {path: content for path, content in tree.files.items() if "/" not in path}


def _refuse_others(folder: str, files: Workspace) -> None:
    """Check that only what cast wrote is replaced.

    Raises:
        EditedError: if the folder has other files.
    """

    def is_former(path: str) -> bool:
        top = path.partition("/")[0]
        is_cast = SCHEMA.encode() in (files.read(f"{folder}/{STACK_JSON}") or b"")
        return is_cast and top in (STACK_JSON, IMAGES_TEXT, DEPLOY_SCRIPT, *ITEMS)

    fix = f"move what is yours to another place (or remove {folder}/): cast replaces this folder as a whole"
    written_files.refuse_others(folder, files, is_former, fix)
