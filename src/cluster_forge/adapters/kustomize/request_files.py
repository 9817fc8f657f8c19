"""The files that the program sees of a request, and where in them it found a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.errors import ForgeError, RenderError, raise_all
from cluster_forge.ports.kustomize import KustomizeRequest
from cluster_forge.stack.kustomization import places
from cluster_forge.stack.kustomization.closure import TreeFiles, closure
from cluster_forge.stack.kustomization.fetched import with_files

Failure = TypeVar("Failure", bound=ForgeError)


def needed(request: KustomizeRequest) -> dict[str, bytes]:
    """The files that the kustomization refers to, as they are in the archive.

    Raises:
        DescriptionError, ExceptionGroup: for everything that is not there, or that kustomize would fetch or run.
        ArchiveError: if the archive is damaged.
    """
    files = tree_archives.unpacked(request.archive, request.name).files
    checked = closure(
        request.folder, TreeFiles(files), root="", where=request.folder, may_fetch=request.fetched.__contains__
    )
    raise_all(_named(error, request) for error in checked.errors)
    return {path: files[path] for path in checked.files}


def placed(files: Mapping[str, bytes], request: KustomizeRequest) -> Mapping[str, bytes]:
    """The files, with others in the place of URLs."""
    return with_files(files, request.fetched)


def located(error: RenderError, files: Mapping[str, bytes], request: KustomizeRequest) -> RenderError:
    """The error of the program, with the ``file:line`` of what it is about, if that can be said."""
    where = places.of_message(error.message, files)
    return _named(RenderError(error.message, where=where, fix=error.fix), request)


def _named(error: Failure, request: KustomizeRequest) -> Failure:
    """The error with its place as the user knows it."""
    where = f"{request.name}/{error.where}" if error.where else None
    return type(error)(error.message, where=where, fix=error.fix)
