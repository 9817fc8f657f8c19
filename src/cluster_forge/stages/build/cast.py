"""cast: `stacks/<name>/` from `working/`: repository, image, bootstrap, deploy script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.foundation.names import counted
from cluster_forge.gitops import bootstrap, deploy_script, git_server
from cluster_forge.gitops import plan as deploy_plan
from cluster_forge.gitops.argocd import component
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests import images
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.part import Part
from cluster_forge.oci import image, image_content, index, layer
from cluster_forge.ports.git import Repositories, Repository
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workspace import Workspace
from cluster_forge.record import Record
from cluster_forge.stack import variant
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import cast_changes, cast_input, edits, left_behind, written_files
from cluster_forge.stages.build.cast_changes import Cast, CastChanges
from cluster_forge.stages.build.edits import DiscardedEdits
from cluster_forge.stages.build.smelt import SmeltResult
from cluster_forge.stages.build.stack_json import SCHEMA, STACK_JSON, stack_json
from cluster_forge.stages.build.way_out import CommandLine, plain_command
from cluster_forge.stages.build.working_tree import WorkingTree
from cluster_forge.stages.toolbox import Toolbox

STACKS = "stacks"
_STAGE, _SCRIPT = "cast", "deploy.sh"
_REPOSITORY, _IMAGE, _BOOTSTRAP = "repo.git", "image", "bootstrap"
_IMAGES_TEXT = "images.txt"


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
    """Write the stack's folder from scratch.

    Raises:
        StaleError: if `working/` does not exist or is out of date.
        EditedError: if the folder has files that cast did not write.
        ManifestError, ExceptionGroup: for files in `working/` that were edited and do not hold one object any more.
        RepositoryError, ImageError, WorkspaceError: if the result cannot be built or written.
    """
    stack = request.stack
    folder = f"{STACKS}/{variant.folder(stack)}"
    _refuse_others(folder, toolbox.files)
    reporter.stage_started(_STAGE, len((_REPOSITORY, _IMAGE, _BOOTSTRAP)))
    working, findings = _input(request, toolbox)
    repository = _repository(request, working, repositories, reporter)
    image_layout = _image(request, working, repository, toolbox, reporter)
    plan, started = _bootstrap(stack, working.record, repository, reporter)
    outputs = _Outputs(
        stack=stack,
        record=working.record,
        repository=repository,
        image=image_layout,
        plan=plan,
        bootstrap=started,
        images=_images(component.delivered(stack, working.record.parts), started, toolbox),
    )
    tree = outputs.tree()
    now = Cast(record=working.record, top=_at_the_top(tree), images=outputs.images)
    changes = cast_changes.since_last(folder, now, toolbox.files, repositories, toolbox.reader.read)
    findings = (*findings, *left_behind.findings(folder, tree, toolbox.files))
    reporter.item_started(_STAGE, folder)
    discarded = edits.keep(written_files.lost_edits(folder, tree, toolbox.files), toolbox.kept_edits)
    toolbox.files.replace_trees({folder: written_files.recorded(tree)})
    if discarded:
        findings = (*findings, discarded.finding(f"{folder}/", "cast overwrites this folder"))
    for finding in findings:
        reporter.finding_reported(finding)
    reporter.stage_finished(_STAGE, f"{counted(len(tree), 'file')} in {folder}")
    result = outputs.result(folder, findings, changes)
    return replace(result, discarded=(discarded,)) if discarded else result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outputs:
    """Everything that a cast builds; ``images`` are the references of all images that the stack runs."""

    stack: Stack
    record: Record
    repository: Repository
    image: index.Layout
    plan: DeployPlan
    bootstrap: FileTree
    images: tuple[str, ...]

    def tree(self) -> FileTree:
        """The stack's folder."""
        files = {
            STACK_JSON: stack_json(self.record, self.stack, self.plan.delivery, self.image, self.repository.commit),
            _IMAGES_TEXT: "".join(f"{reference}\n" for reference in self.images).encode(),
            _SCRIPT: deploy_script.script(self.plan, self.bootstrap).encode(),
        }
        top = FileTree(files, frozenset({_SCRIPT}))
        return join(top, self.image.files.under(_IMAGE), self.repository.files.under(_REPOSITORY), self.bootstrap)

    def result(self, folder: str, findings: tuple[Finding, ...], changes: CastChanges) -> CastResult:
        return CastResult(
            stack=self.record.stack,
            folder=folder,
            about=variant.about(self.stack),
            parts=self.record.parts,
            findings=findings,
            revision=self.record.revision,
            commit=self.repository.commit,
            image=self.image.digest,
            platforms=tuple(self.image.platforms),
            delivery=self.plan.delivery,
            images=self.images,
            sizes={
                _REPOSITORY: self.repository.files.size,
                _IMAGE: self.image.size,
                _BOOTSTRAP: self.bootstrap.size,
            },
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
        return is_cast and top in (STACK_JSON, _IMAGES_TEXT, _SCRIPT, _REPOSITORY, _IMAGE, _BOOTSTRAP)

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


def _repository(
    request: CastRequest, working: WorkingTree, repositories: Repositories, reporter: Reporter
) -> Repository:
    reporter.item_started(_STAGE, _REPOSITORY)
    record = working.record
    repository = repositories.bare(working.tree, message=_message(record), time=request.time, tag=record.revision)
    reporter.item_finished(_STAGE, _REPOSITORY, f"commit {repository.commit}", bytes=repository.files.size)
    return repository


def _message(record: Record) -> str:
    lines = [f"{part.name} {part.version}".rstrip() for part in record.parts]
    return f"{record.stack} {record.revision}\n\n" + "".join(f"{line}\n" for line in lines)


def _image(
    request: CastRequest, working: WorkingTree, repository: Repository, toolbox: Toolbox, reporter: Reporter
) -> index.Layout:
    reporter.item_started(_STAGE, _IMAGE)
    stack = request.stack
    packed = layer.build(
        image_content.of(working.tree, repository.skeleton),
        stack.image.compression,
        mtime=request.time,
        run=toolbox.workers.map,
        keep=toolbox.cached,
    )
    about = image.ImageMetadata(
        title=stack.name,
        version=working.record.revision,
        created=request.time,
        revision=repository.commit,
        description=", ".join(filter(None, (_components_text(stack, working), variant.about(stack)))),
    )
    built = [image.build(packed, architecture.value, about) for architecture in stack.target.architectures]
    layout = index.build(built, about)
    reporter.item_finished(_STAGE, _IMAGE, str(layout.digest), digest=str(layout.digest), bytes=layout.size)
    return layout


def _components_text(stack: Stack, working: WorkingTree) -> str:
    return f"{counted(working.record.components, 'component')} for Kubernetes {stack.target.kubernetes}"


def _bootstrap(stack: Stack, record: Record, repository: Repository, reporter: Reporter) -> tuple[DeployPlan, FileTree]:
    reporter.item_started(_STAGE, _BOOTSTRAP)
    plan = deploy_plan.of(stack, record.parts, repository.files, repository.commit, record.revision)
    tree = bootstrap.tree(plan)
    reporter.item_finished(_STAGE, _BOOTSTRAP, counted(len(tree), "file"), bytes=tree.size)
    return plan, tree


def _images(delivered: Sequence[Part], started: FileTree, toolbox: Toolbox) -> tuple[str, ...]:
    """Every image that the stack runs: those of the delivered objects, and those of the bootstrap's own workloads.

    The image that `deploy.sh` looks up in the cluster is already there, and its name is not known here.
    """
    used = {reference for part in delivered for part_object in part.objects for reference in part_object.images}
    for path, text in started.files.items():
        if path.endswith("git-server-deployment.yaml"):
            used.update(use.image for use in images.of(toolbox.reader.read(text.decode())))
    return tuple(sorted(used - {git_server.NO_IMAGE}))
