"""The folder of a cast stack, wherever it is: below ``stacks/``, elsewhere on this machine, or in a registry."""

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
    from cluster_forge.ports.workspace import FolderReader
    from cluster_forge.stages.deliver.deployment import Deployment

_REGISTRY: Final = "oci://"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFolder:
    """``folder`` is its path for ``files``; ``title`` is what messages call it."""

    title: str
    folder: str
    files: FolderReader


@contextlib.contextmanager
def opened(session: Session, place: str | None, verb: str) -> Iterator[StackFolder]:
    """The folder that ``place`` names (None: the only one below ``stacks/``), for as long as the context lasts.

    Raises:
        UnknownNameError, StaleError: if there is none, or several to choose from.
        FetchError, ImageError: if it cannot be pulled.
    """
    from cluster_forge import composition
    from cluster_forge.cli import cast_stacks
    from cluster_forge.stages.build.cast import STACKS
    from cluster_forge.stages.build.stack_json import STACK_JSON
    from cluster_forge.stages.supply import cast_stack

    if place and place.startswith(_REGISTRY):
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as directory:
            yield _pulled(session, place, Path(directory))
        return
    files = composition.workspace_files(session.workspace)
    path = Path(os.path.normpath(Path(place).absolute())) if place else None
    folders = cast_stack.folders(files)
    if place not in folders and path and (path / STACK_JSON).is_file():
        yield StackFolder(title=place or "", folder=path.name, files=composition.workspace_files(path.parent))
        return
    folder = f"{STACKS}/{cast_stacks.chosen(place, folders, verb)}"
    yield StackFolder(title=folder, folder=folder, files=files)


def read(session: Session, place: StackFolder) -> tuple[Deployment, Sequence[Part]]:
    """The deployment in a folder, and its components with the documents of their objects.

    Raises:
        StaleError, EditedError, RepositoryError, ExceptionGroup: if it is not as `cast` wrote it.
    """
    from cluster_forge import composition
    from cluster_forge.stages.deliver import deployment

    using = composition.stack_readers(session.settings())
    read = deployment.read(place.folder, place.files)
    return read, deployment.parts(read, place.files, using.repositories, using.reader.read)


def _pulled(session: Session, place: str, directory: Path) -> StackFolder:
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.oci.reference import ImageReference
    from cluster_forge.stages.supply.pull import PullRequest, PullTools, pull

    stack = description.stack_if_any(session)
    registries = composition.registries(session.settings(), stack.registries if stack else ())
    files = composition.output_folder(directory)
    request = PullRequest(reference=ImageReference.read(place), folder="stack")
    with session.reporting("pull") as reporter:
        tools = PullTools(files=files, registry=registries.registry, workers=registries.workers, reporter=reporter)
        pulled = pull(request, tools)
    return StackFolder(title=place, folder=pulled.folder, files=composition.workspace_files(directory))
