"""The files that the program sees of a request, and where in them it found a mistake."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ForgeError, RenderError
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.ports.kustomize import KustomizeRequest
from cluster_forge.stack.kustomization import fetched, places, remotes
from cluster_forge.stack.kustomization.closure import TreeFiles, closure

Failure = TypeVar("Failure", bound=ForgeError)


def needed(request: KustomizeRequest) -> dict[str, bytes]:
    """The files that the kustomization refers to, as they are in the archive.

    Raises:
        DescriptionError, ExceptionGroup: for everything that is not there, or that kustomize would fetch or run.
        ArchiveError: if the archive is damaged.
    """
    return _closed(request.archive, request.folder, request.name, request.fetched.__contains__)


def placed(files: Mapping[str, bytes], request: KustomizeRequest) -> Mapping[str, bytes]:
    """The files, with others in the place of what was fetched: each base in a folder of its own.

    Raises:
        DescriptionError, ExceptionGroup, ArchiveError: for the bases, as `needed`.
    """
    manifests: dict[str, bytes] = {}
    bases: dict[str, str] = {}
    added: dict[str, bytes] = {}
    for text, content in request.fetched.items():
        address = remotes.address(text)
        if address is None or remotes.is_file(address):
            manifests[text] = content
            continue
        git = GitAddress.parse(address)
        bases[text] = posixpath.join(fetched.name(text), git.path)
        of_base = _closed(content, git.path, f"{replace(git, path='')}/", lambda _text: False)
        added |= {f"{fetched.name(text)}/{path}": file for path, file in of_base.items()}
    return fetched.with_files(files, manifests, bases) | added


def _closed(archive: bytes, folder: str, name: str, may_fetch: Callable[[str], bool]) -> dict[str, bytes]:
    """The files of the kustomization in ``folder`` of an archive that messages call ``name``."""
    files = tree_archives.unpacked(archive, name).files
    checked = closure(folder, TreeFiles(files), root="", where=folder, may_fetch=may_fetch)
    raise_all(_named(error, name) for error in checked.errors)
    return {path: files[path] for path in checked.files}


def located(error: RenderError, files: Mapping[str, bytes], request: KustomizeRequest) -> RenderError:
    """The error of the program, with the ``file:line`` of what it is about, if that can be said."""
    where = places.of_message(error.message, files)
    return _named(RenderError(error.message, where=where, fix=error.fix), request.name)


def _named(error: Failure, name: str) -> Failure:
    """The error with its place as the user knows it."""
    where = f"{name}/{error.where}" if error.where else None
    return type(error)(error.message, where=where, fix=error.fix)
