"""push: a cast stack into an OCI registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli.options import RecordOptions
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, DESCRIBES, verb
from cluster_forge.service_options import FleetOptions

if TYPE_CHECKING:
    from cluster_forge.oci.reference import ImageReference
    from cluster_forge.stack.model import Stack
    from cluster_forge.stages.supply.push import PushRequest


@verb(*CONNECTS, RecordOptions, FleetOptions, *DESCRIBES)
@click.argument("stack", required=False)
@click.option(
    "--to",
    metavar="REPOSITORY",
    help="Where to: oci://HOST/PATH [default: `image.repository` of the description]; with --git a URL [default: "
    "`gitops.url`].",
)
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="Another tag beside the stack's version (repeatable)."
)
@click.option("--force-tag", is_flag=True, help="Move tags that name something else already.")
@click.option("--git", is_flag=True, help="Push the manifests to a Git repository instead.")
@click.option(
    "--branch", metavar="NAME", help="With --git: another branch, for a pull request [default: `gitops.branch`]."
)
@click.option("--dry-run", is_flag=True, help="Send nothing: print what each tag would name, and whether it exists.")
def command(  # noqa: PLR0913 - its options
    session: Session,
    stack: str | None,
    *,
    to: str | None,
    tags: tuple[str, ...],
    force_tag: bool,
    git: bool,
    branch: str | None,
    dry_run: bool,
) -> None:
    """Send a cast stack to an OCI registry: its image, and what GitOps engines read.

    STACK is the name of a folder below stacks/; it may be left out if there is one only. Under the stack's version, and
    each TAG, the registry gets the image of all architectures; under TAG-manifests the manifests alone, which Argo CD
    (3.1 or later) and Flux read; under TAG-stack what `pull` needs beside them. Only what is missing is sent. With --git
    a branch of a Git repository gets a commit with the manifests, and the stack's version as its tag; never by force. With
    --git and clusters, each gets its folder and its tag.

    Examples:
        cluster-forge push
        cluster-forge push --to oci://registry.example.com/platform --tag 1.0
        cluster-forge push platform.production --dry-run
        cluster-forge push --git --branch upgrade
        cluster-forge push --git --all   # a folder for each cluster
    """
    from cluster_forge import composition
    from cluster_forge.cli import description, git_push, stack_folders
    from cluster_forge.cli.git_push import Destination
    from cluster_forge.stack import variant
    from cluster_forge.stages.build.cast import STACKS
    from cluster_forge.stages.supply import cast_stack
    from cluster_forge.stages.supply.push import PushRequest

    _check_options(is_git=git, tags=bool(tags), force_tag=force_tag, branch=branch, has_clusters=session.fleet.is_used)
    if session.fleet.is_used:
        git_push.of_clusters(session, stack, Destination(url=to, branch=branch, is_trial=dry_run))
        return
    files = composition.workspace_files(session.workspace)
    folder = stack_folders.chosen(stack, cast_stack.folders(files), "push")
    described = description.stack_if_any(session, variant.environment_of(folder))
    if git:
        destination = Destination(url=to, branch=branch, is_trial=dry_run)
        git_push.of_stack(session, f"{STACKS}/{folder}", destination, described)
        return
    request = PushRequest(
        folder=f"{STACKS}/{folder}",
        repository=_repository(to, described),
        tags=tags,
        force_tag=force_tag,
        is_trial=dry_run,
    )
    _to_registry(session, request, described)


def _check_options(*, is_git: bool, tags: bool, force_tag: bool, branch: str | None, has_clusters: bool) -> None:
    """Refuse options of the other destination."""
    if is_git and (tags or force_tag):
        raise click.UsageError("--tag and --force-tag are for registries: with --git the stack's version is the tag")
    if branch is not None and not is_git:
        raise click.UsageError("--branch is for Git repositories: add --git")
    if has_clusters and not is_git:
        raise click.UsageError("--cluster, --selector and --all are for a folder for each cluster in Git: add --git")


def _to_registry(session: Session, request: PushRequest, described: Stack | None) -> None:
    from cluster_forge import composition
    from cluster_forge.cli.output import supply_text
    from cluster_forge.stages.supply.push import PushTools, push

    registries = composition.registries(session.settings(), described.registries if described else ())
    with session.reporting("push") as reporter:
        tools = PushTools(
            files=composition.workspace_files(session.workspace),
            registry=registries.registry,
            uploads=registries.uploads,
            workers=registries.workers,
            reporter=reporter,
        )
        pushed = push(request, tools)
    for line in supply_text.pushed(pushed, is_trial=request.is_trial):
        session.print(line)
    session.print_json("push", folder=request.folder, trial=request.is_trial, **supply_text.pushed_json(pushed))


def _repository(to: str | None, described: Stack | None) -> ImageReference:
    """The repository that was typed, or that the description names.

    Raises:
        ImageError: if it is none, or has a tag.
        DescriptionError: if neither names one.
    """
    from cluster_forge.foundation.errors import DescriptionError, ImageError
    from cluster_forge.oci.reference import ImageReference

    address = to or (_described(described) if described else "")
    if not address:
        raise DescriptionError(
            "the description names no repository for the image",
            where="input/config.yaml",
            fix="write `image: {repository: registry.example.com/team/platform}`, or pass --to oci://HOST/PATH",
        )
    reference = ImageReference.read(address)
    if reference.tag or reference.digest:
        raise ImageError(f"{address!r} is more than a repository", fix="leave out tag and digest; --tag names tags")
    return reference


def _described(stack: Stack) -> str:
    """The repository of the image; else the one that Argo CD reads, if it is one of a registry."""
    from cluster_forge.gitops import delivery_mode
    from cluster_forge.stack.model import RepositorySource

    is_read = stack.gitops.source is RepositorySource.OCI
    return stack.image.repository or (delivery_mode.address(stack) if is_read else "")
