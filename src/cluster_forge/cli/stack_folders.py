"""The folder of a cast stack, wherever it is: below ``stacks/``, elsewhere on this machine, in a registry or a Git repository."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cluster_forge.cli.session import Session
    from cluster_forge.manifests.part import Part
    from cluster_forge.ports.progress import Reporter
    from cluster_forge.ports.workspace import FolderReader
    from cluster_forge.stages.deliver.deployment import Deployment

_REGISTRY: Final = "oci://"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFolder:
    """``folder`` is its path for ``files``, ``path`` its absolute one; ``title`` is what messages call it."""

    title: str
    folder: str
    path: Path
    files: FolderReader


@contextlib.contextmanager
def opened(session: Session, place: str | None, verb: str) -> Iterator[StackFolder]:
    """The folder that ``place`` names (None: the only one below ``stacks/``), for as long as the context lasts.

    Raises:
        UnknownNameError, StaleError: if there is none, or several to choose from.
        FetchError, ImageError, EditedError, ExceptionGroup: if it cannot be pulled, or is not what `push` sent.
    """
    from cluster_forge import composition
    from cluster_forge.foundation import git_addresses
    from cluster_forge.stages.build.cast import STACKS
    from cluster_forge.stages.build.casting.stack_json import STACK_JSON
    from cluster_forge.stages.supply import cast_stack

    if place and place.startswith(_REGISTRY):
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as directory:
            yield _pulled(session, place, Path(directory))
        return
    if place and git_addresses.is_git(place):
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as directory:
            yield _fetched(session, place, Path(directory))
        return
    files = composition.workspace_files(session.workspace)
    path = Path(os.path.normpath(Path(place).absolute())) if place else None
    folders = cast_stack.folders(files)
    if place not in folders and path and (path / STACK_JSON).is_file():
        parent = composition.workspace_files(path.parent)
        yield StackFolder(title=place or "", folder=path.name, path=path, files=parent)
        return
    folder = f"{STACKS}/{chosen(place, folders, verb)}"
    yield StackFolder(title=folder, folder=folder, path=(session.workspace / folder).absolute(), files=files)


def chosen(stack: str | None, folders: Sequence[str], verb: str) -> str:
    """The folder below ``stacks/`` that ``verb`` works on; ``folders`` are those that hold a cast stack.

    Raises:
        UnknownNameError: if there is no such folder, or several to choose from.
        StaleError: if there is none at all.
    """
    from cluster_forge.foundation.errors import StaleError, UnknownNameError
    from cluster_forge.foundation.names import did_you_mean
    from cluster_forge.stages.build.cast import STACKS

    if not folders:
        raise StaleError("there is no cast stack below stacks/", fix="run `cluster-forge forge`")
    if stack is None and len(folders) > 1:
        raise UnknownNameError(
            f"several stacks are cast: {', '.join(folders)}", fix=f"name one: cluster-forge {verb} {folders[0]}"
        )
    name = stack or folders[0]
    if name not in folders:
        place = name if os.sep in name else f"{STACKS}/{name}"
        raise UnknownNameError(
            f"{place} is not a cast stack{did_you_mean(name, folders)}", fix="run `cluster-forge cast`"
        )
    return name


def read(session: Session, place: StackFolder) -> tuple[Deployment, Sequence[Part]]:
    """The deployment in a folder, and its components with the documents of their objects.

    Raises:
        StaleError, EditedError, RepositoryError, ExceptionGroup: if it is not as `cast` wrote it.
    """
    from cluster_forge import composition
    from cluster_forge.stages.deliver import deployment

    using = composition.stack_readers(session.settings())
    read = deployment.read(place.folder, place.files, place.title)
    return read, deployment.parts(read, place.files, using.repositories, using.reader.read)


def _pulled(session: Session, place: str, directory: Path) -> StackFolder:
    with session.reporting("pull") as reporter:
        folder = pulled(session, place, directory, reporter)
    from cluster_forge import composition

    files = composition.workspace_files(directory)
    return StackFolder(title=place, folder=folder, path=directory / folder, files=files)


def _fetched(session: Session, place: str, directory: Path) -> StackFolder:
    """The stack at an address in a Git repository.

    Raises:
        DescriptionError: if it cannot be an address in Git.
    """
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.foundation.addresses import without_credentials
    from cluster_forge.foundation.errors import DescriptionError
    from cluster_forge.foundation.git_addresses import EXAMPLE, GitAddress
    from cluster_forge.stages.supply.pull_git import GitPullTools, pull_git

    try:
        address = GitAddress.parse(place)
    except ValueError as error:
        raise DescriptionError(f"{without_credentials(place)!r}: {error}", fix=f"write {EXAMPLE}") from error
    described = description.stack_if_any(session)
    remotes = composition.remote_files(session.settings(), described.registries if described else ())
    files = composition.output_folder(directory)
    with session.reporting("pull") as reporter:
        pull_git(address, "stack", GitPullTools(files=files, remotes=remotes, reporter=reporter))
    fetched = composition.workspace_files(directory)
    return StackFolder(title=str(address), folder="stack", path=directory / "stack", files=fetched)


def pulled(session: Session, address: str, directory: Path, reporter: Reporter) -> str:
    """Pull a stack into a folder of ``directory``; the folder."""
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.oci.reference import ImageReference
    from cluster_forge.stages.supply.pull import PullRequest, PullTools, pull

    described = description.stack_if_any(session)
    registries = composition.registries(session.settings(), described.registries if described else ())
    files = composition.output_folder(directory)
    tools = PullTools(files=files, registry=registries.registry, workers=registries.workers, reporter=reporter)
    return pull(PullRequest(reference=ImageReference.read(address), folder="stack"), tools).folder
