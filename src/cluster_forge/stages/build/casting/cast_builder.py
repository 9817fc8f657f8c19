"""The files of a cast stack, built: repository, image, bootstrap, deploy script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.foundation.names import counted
from cluster_forge.gitops import bootstrap, deploy_script, git_server, planning
from cluster_forge.gitops.argocd import component
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests import images
from cluster_forge.manifests.part import Part
from cluster_forge.oci import image, image_content, index, layer
from cluster_forge.ports.git import Repositories, Repository
from cluster_forge.ports.progress import Reporter
from cluster_forge.record import Record
from cluster_forge.stack import variant
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import RepositorySource, Stack
from cluster_forge.stages.build.casting import base_image
from cluster_forge.stages.build.casting.cast_files import (
    BOOTSTRAP,
    DEPLOY_SCRIPT,
    IMAGE,
    IMAGES_TEXT,
    REPOSITORY,
    STAGE,
    CastFacts,
    CastFiles,
)
from cluster_forge.stages.build.casting.stack_json import STACK_JSON, stack_json
from cluster_forge.stages.build.working_tree import WorkingTree
from cluster_forge.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class CastSource:
    """What is cast; ``time`` (seconds since 1970) dates everything, ``base`` is the locked base of the image, if any."""

    stack: Stack
    working: WorkingTree
    time: int
    base: LockedSource | None = None


def build(source: CastSource, toolbox: Toolbox, repositories: Repositories, reporter: Reporter) -> CastFiles:
    """Build everything.

    Raises:
        RepositoryError, ImageError, ManifestError, ExceptionGroup: if that is not possible.
    """
    stack, record = source.stack, source.working.record
    repository = _repository(source, repositories, reporter)
    layout = _image(source, repository, toolbox, reporter)
    plan, started = _bootstrap(source, repository, layout.digest, reporter)
    facts = CastFacts(
        commit=repository.commit,
        image=layout.digest,
        platforms=tuple(layout.platforms),
        delivery=plan.delivery,
        images=_images(component.delivered(stack, record.parts), started, toolbox),
    )
    files = {
        STACK_JSON: stack_json(record, stack, plan.delivery, layout, repository.commit),
        IMAGES_TEXT: "".join(f"{reference}\n" for reference in facts.images).encode(),
        DEPLOY_SCRIPT: deploy_script.script(plan, started).encode(),
    }
    top = FileTree(files, frozenset({DEPLOY_SCRIPT}))
    tree = join(top, layout.files.under(IMAGE), repository.files.under(REPOSITORY), started)
    return CastFiles(tree=tree, facts=facts)


def _repository(source: CastSource, repositories: Repositories, reporter: Reporter) -> Repository:
    reporter.item_started(STAGE, REPOSITORY)
    tree, record = source.working.tree, source.working.record
    repository = repositories.bare(tree, message=_message(record), time=source.time, tag=record.revision)
    reporter.item_finished(STAGE, REPOSITORY, f"commit {repository.commit}", bytes=repository.files.size)
    return repository


def _message(record: Record) -> str:
    lines = [f"{part.name} {part.version}".rstrip() for part in record.parts]
    return f"{record.stack} {record.revision}\n\n" + "".join(f"{line}\n" for line in lines)


def _image(source: CastSource, repository: Repository, toolbox: Toolbox, reporter: Reporter) -> index.Layout:
    reporter.item_started(STAGE, IMAGE)
    stack, working = source.stack, source.working
    packed = layer.build(
        image_content.of(working.tree, repository.skeleton),
        stack.image.compression,
        mtime=source.time,
        run=toolbox.workers.map,
        keep=layer.reusing(repository.streams, toolbox.cached),
    )
    about = image.ImageMetadata(
        title=stack.name,
        version=working.record.revision,
        created=source.time,
        revision=repository.commit,
        description=", ".join(filter(None, (_components_text(source), variant.about(stack)))),
    )
    base = source.base
    bases = base_image.load(base, stack, toolbox.store) if base else {}
    architectures = [architecture.value for architecture in stack.target.architectures]
    built = [image.build(packed, architecture, about, bases.get(architecture)) for architecture in architectures]
    upon = image.base_annotations(base.address, Digest.parse(base.version)) if base else {}
    layout = index.build(built, replace(about, more=upon))
    reporter.item_finished(STAGE, IMAGE, str(layout.digest), digest=str(layout.digest), bytes=layout.size)
    return layout


def _components_text(source: CastSource) -> str:
    return f"{counted(source.working.record.components, 'component')} for Kubernetes {source.stack.target.kubernetes}"


def _bootstrap(
    source: CastSource, repository: Repository, digest: Digest, reporter: Reporter
) -> tuple[DeployPlan, FileTree]:
    reporter.item_started(STAGE, BOOTSTRAP)
    record = source.working.record
    served = digest if source.stack.gitops.source is RepositorySource.IMAGE else repository.files
    plan = planning.of(source.stack, record.parts, served, repository.commit, record.revision)
    tree = bootstrap.tree(plan)
    reporter.item_finished(STAGE, BOOTSTRAP, counted(len(tree), "file"), bytes=tree.size)
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
