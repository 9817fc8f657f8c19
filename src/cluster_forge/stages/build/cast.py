"""cast: `stacks/<name>/` from `working/`: repository, image, bootstrap, deploy script."""

from __future__ import annotations

from collections.abc import Mapping
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
from cluster_forge.stack import variant
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import cast_changes, cast_files, cast_input, edits, written_files
from cluster_forge.stages.build.cast_changes import Cast, CastChanges
from cluster_forge.stages.build.cast_files import DEPLOY_SCRIPT, IMAGES_TEXT, ITEMS, STAGE, CastFiles, CastSource
from cluster_forge.stages.build.edits import DiscardedEdits
from cluster_forge.stages.build.stack_json import SCHEMA, STACK_JSON
from cluster_forge.stages.build.way_out import CommandLine, plain_command
from cluster_forge.stages.build.working_tree import WorkingTree
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.stages.build.smelt import SmeltResult

STACKS = "stacks"


@dataclass(frozen=True, slots=True, kw_only=True)
class CastRequest:
    """The stack, the fingerprint of its present inputs, and the time (seconds since 1970) that dates what is cast.

    ``smelted`` is the result of smelt in this run, so that `working/` need not be read. ``allow_stale`` casts a
    `working/` of other inputs. ``command`` is for messages.
    """

    stack: Stack
    inputs: Digest
    time: int
    smelted: SmeltResult | None = None
    allow_stale: bool = False
    command: CommandLine = plain_command


@dataclass(frozen=True, slots=True, kw_only=True)
class CastResult:
    """What was cast (``about``: which environment and selection), what changed, and the warnings. ``sizes`` are the bytes of ``repo.git``, ``image`` and ``bootstrap``."""

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
    working, findings = _input(request, toolbox)
    source = CastSource(stack=stack, working=working, time=request.time)
    files, changes, left_behind = _compiled(source, folder, toolbox, repositories, reporter)
    tree = files.tree
    findings = (*findings, *left_behind)
    reporter.item_started(STAGE, folder)
    discarded = edits.keep(written_files.lost_edits(folder, tree, toolbox.files), toolbox.kept_edits)
    toolbox.files.replace_trees({folder: written_files.recorded(tree)})
    if discarded:
        findings = (*findings, discarded.finding(f"{folder}/", "cast overwrites this folder"))
    for finding in findings:
        reporter.finding_reported(finding)
    reporter.stage_finished(STAGE, f"{counted(len(tree), 'file')} in {folder}")
    result = _result(source, folder, files, findings, changes)
    return replace(result, discarded=(discarded,)) if discarded else result


def _compiled(
    source: CastSource, folder: str, toolbox: Toolbox, repositories: Repositories, reporter: Reporter
) -> tuple[CastFiles, CastChanges, tuple[Finding, ...]]:
    """The files, what changed since the last cast, and what stays in a cluster of that."""
    key = source.key
    present = cast_files.present(key, folder, toolbox)
    if present:
        cast_files.report(present, reporter)
        return present, cast_changes.NO_CHANGES, ()
    from cluster_forge.stages.build import cast_builder, left_behind  # noqa: PLC0415 - 0.1 s

    files = cast_builder.build(source, toolbox, repositories, reporter)
    cast_files.keep(key, files, toolbox.cache)
    now = Cast(record=source.working.record, top=_at_the_top(files.tree), images=files.facts.images)
    changes = cast_changes.since_last(folder, now, toolbox.files, repositories, toolbox.reader.read)
    return files, changes, tuple(left_behind.findings(folder, files.tree, toolbox.files))


def _result(
    source: CastSource, folder: str, files: CastFiles, findings: tuple[Finding, ...], changes: CastChanges
) -> CastResult:
    record, facts = source.working.record, files.facts
    return CastResult(
        stack=record.stack,
        folder=folder,
        about=variant.about(source.stack),
        parts=record.parts,
        findings=findings,
        revision=record.revision,
        commit=facts.commit,
        image=facts.image,
        platforms=facts.platforms,
        delivery=facts.delivery,
        images=facts.images,
        sizes=files.sizes,
        changes=changes,
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


def _input(request: CastRequest, toolbox: Toolbox) -> tuple[WorkingTree, tuple[Finding, ...]]:
    """What smelt wrote in this run, or else `working/` as it is; and the warnings about it."""
    smelted = request.smelted
    if smelted and smelted.tree is not None:
        return cast_input.with_documents(WorkingTree(tree=smelted.tree, record=smelted.record), toolbox), ()
    working, warnings = cast_input.load(
        request.stack, request.inputs, toolbox, allow_stale=request.allow_stale, command=request.command
    )
    if smelted:  # with other findings than when the folder was written
        working = replace(working, record=replace(working.record, findings=smelted.record.findings))
    return working, warnings
