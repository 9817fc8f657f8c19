"""cast: `stacks/<name>/` from `working/`: repository, image, bootstrap, deploy script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cluster_forge.record import CastImage, PartRecord, Record, stack_json
from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops.argocd import applications as argocd
from cluster_forge.gitops.argocd import component
from cluster_forge.gitops import bootstrap, deploy_script, delivery_mode, git_server
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import Part, PartObject
from cluster_forge.manifests import images
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Body
from cluster_forge.oci import image_content, image, index, layer
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.git import Repositories, Repository
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import applications, hand_edits, working_tree
from cluster_forge.stages.toolbox import Toolbox
from cluster_forge.stages.build.smelt import SmeltResult
from cluster_forge.stages.build.working_tree import Working

STACKS, SCRIPT = "stacks", "deploy.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class CastRequest:
    """The stack, the fingerprint of its present inputs, and the time (seconds since 1970) that everything is dated to.

    ``smelted`` is what smelt made in this run, so that nothing need be read. ``is_stale_fine`` casts a `working/` of
    other inputs.
    """

    stack: Stack
    inputs: Digest
    time: int
    smelted: SmeltResult | None = None
    is_stale_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CastResult:
    """What was cast, and what was noticed. ``sizes`` are the bytes of ``repo.git``, ``image`` and ``bootstrap``."""

    stack: str
    folder: str
    parts: tuple[PartRecord, ...]
    findings: tuple[Finding, ...]
    revision: str
    commit: str
    image: Digest
    platforms: tuple[str, ...]
    delivery: Delivery
    images: tuple[str, ...]
    sizes: Mapping[str, int]

    @property
    def objects(self) -> int:
        return sum(len(part.objects) for part in self.parts)


def cast(request: CastRequest, toolbox: Toolbox, repositories: Repositories, reporter: Reporter) -> CastResult:
    """Make the stack's folder anew.

    Raises:
        StaleError: if nothing was smelted, or from other inputs.
        ManifestError, ExceptionGroup: for files in `working/` that were edited into something else.
        RepositoryError, ImageError, WorkspaceError: if the result cannot be made or written.
    """
    stack = request.stack
    reporter.stage_started("cast", len(_STEPS))
    present, findings = _working(request, toolbox)
    for finding in findings:
        reporter.finding_reported(finding)
    found, parts = _delivered(request, present, toolbox)
    record = found.record
    reporter.item_started("cast", _STEPS[0])
    repository = repositories.bare(found.tree, message=_message(record), time=request.time, tag=record.revision)
    reporter.item_finished("cast", _STEPS[0], f"commit {repository.commit}", bytes=repository.files.size)
    reporter.item_started("cast", _STEPS[1])
    layout = _image(request, found, repository, toolbox)
    reporter.item_finished("cast", _STEPS[1], str(layout.digest), digest=str(layout.digest), bytes=layout.size)
    reporter.item_started("cast", _STEPS[2])
    started = bootstrap.tree(stack, parts, repository.files, repository.commit, record.revision)
    script = deploy_script.script(bootstrap.plan(stack, parts, repository.commit, record.revision))
    reporter.item_finished("cast", _STEPS[2], f"{len(started)} files", bytes=started.size)
    used = _images(record, component.delivered(stack, parts), started, toolbox)
    made = CastImage(digest=layout.digest, platforms=tuple(layout.platforms), size=layout.size)
    files = {
        "stack.json": stack_json(record, _target(stack), made, repository.commit),
        "images.txt": "".join(f"{each}\n" for each in used).encode(),
        SCRIPT: script.encode(),
    }
    tree = join(
        FileTree(files, frozenset({SCRIPT})),
        layout.files.under("image"),
        repository.files.under("repo.git"),
        started,
    )
    folder = f"{STACKS}/{stack.name}"
    reporter.item_started("cast", folder)
    toolbox.files.replace_trees({folder: tree})
    reporter.stage_finished("cast", f"{folder} holds {len(tree)} files")
    return CastResult(
        stack=stack.name,
        folder=folder,
        parts=record.parts,
        findings=findings,
        revision=record.revision,
        commit=repository.commit,
        image=layout.digest,
        platforms=tuple(layout.platforms),
        delivery=delivery_mode.delivery(stack, parts),
        images=used,
        sizes={"repo.git": repository.files.size, "image": layout.size, "bootstrap": started.size},
    )


_STEPS = ("repo.git", "image", "bootstrap")


def _working(request: CastRequest, toolbox: Toolbox) -> tuple[Working, tuple[Finding, ...]]:
    """What is to be cast: what was smelted just now, or `working/` as it is, with its hand edits; and a word on that."""
    if request.smelted:
        return Working(tree=request.smelted.tree, record=request.smelted.record), ()
    found = working_tree.look(toolbox.files)
    if found is None or found.record is working_tree.NO_RECORD:
        raise StaleError("there is no working/ that smelt made", fix="run `cluster-forge smelt` (or `forge`)")
    record, noticed = found.record, []
    if (record.inputs, record.stack, record.tool) != (request.inputs, request.stack.name, build.identity()):
        if not request.is_stale_fine:
            raise StaleError(
                "was smelted from another description, lock, input/ or selection of names than the present one",
                where="working/",
                fix="smelt again, or give the same names and --environment; --stale casts it as it is",
            )
        noticed.append(_notice("stale", "does not belong to the present description and lock, and is cast as it is"))
    if found.edited:
        what = "1 file was" if len(found.edited) == 1 else f"{len(found.edited)} files were"
        noticed.append(
            _notice("hand-edited", f"{what} edited by hand and cast as edited: {working_tree.shown(found.edited)}")
        )
    return hand_edits.with_edits(found, toolbox.renderer), tuple(noticed)


def _notice(code: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, where="working/", message=message)


def _delivered(request: CastRequest, found: Working, toolbox: Toolbox) -> tuple[Working, tuple[Part, ...]]:
    """The parts as GitOps takes them; after hand edits with Applications that are pinned to what there is now.

    Applications that were themselves edited stay as they are.
    """
    files = found.tree.files
    parts = applications.parts(found.record.parts, files, lambda each: _body(each, toolbox))
    start = f"{argocd.FOLDER}/"
    if not found.edited or any(path.lstrip("+- ").startswith(start) for path in found.edited):
        return found, parts
    manifests = {path: content for path, content in files.items() if not path.startswith(start)}
    tree, revision = applications.with_applications(request.stack, parts, manifests)
    return replace(found, tree=tree, record=replace(found.record, revision=revision)), parts


def _body(each: PartObject, toolbox: Toolbox) -> Body:
    body: Body = toolbox.reader.read(each.content.decode())
    return body


def _message(record: Record) -> str:
    lines = [f"{part.name} {part.version}".rstrip() for part in record.parts]
    return f"{record.stack} {record.revision}\n\n" + "".join(f"{line}\n" for line in lines)


def _image(request: CastRequest, found: Working, repository: Repository, toolbox: Toolbox) -> index.Layout:
    stack = request.stack
    packed = layer.build(
        image_content.of(found.tree, repository.skeleton),
        stack.image.compression,
        mtime=request.time,
        run=toolbox.workers.map,
        keep=toolbox.kept,
    )
    about = image.ImageMetadata(
        title=stack.name,
        version=found.record.revision,
        created=request.time,
        revision=repository.commit,
        description=f"{len(found.record.parts)} components for Kubernetes {stack.target.kubernetes}",
    )
    return index.build([image.build(packed, each.value, about) for each in stack.target.architectures], about)


def _images(record: Record, parts: Sequence[Part], started: FileTree, toolbox: Toolbox) -> tuple[str, ...]:
    """Every image that the stack runs: those of what is delivered, and those of the bootstrap's own workloads.

    An image that `deploy.sh` looks up in the cluster is there already, and has no name here.
    """
    delivered = {each.path for part in parts for each in part.objects}
    entries = (entry for part in record.parts for entry in part.objects if entry.path in delivered)
    found = {image for entry in entries for image in entry.images}
    for path, text in started.files.items():
        if path.endswith("git-server-deployment.yaml"):
            found.update(use.image for use in images.of(toolbox.reader.read(text.decode())))
    return tuple(sorted(found - {git_server.NO_IMAGE}))


def _target(stack: Stack) -> dict[str, object]:
    return {
        "kubernetes": str(stack.target.kubernetes),
        "size": stack.target.size.value,
        "architectures": [each.value for each in stack.target.architectures],
    }
