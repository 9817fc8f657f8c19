"""The files that kustomize reads for a kustomization: those of its bases and components, and everything that they name.

It is all that the program gets to see (`adapters.kustomize`). So a reference that is not understood here ends in kustomize's
own error about a missing file, never in a result that does not depend on a file that it was made from.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack.kustomization import references, refusals, remotes
from cluster_forge.stack.kustomization.references import NAMES, Reference, Role
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned

_MOST_FILES: Final = 10_000
_MOST_KUSTOMIZATIONS: Final = 1_000
_DEEPEST: Final = 50
"""Bases of bases."""
_MOST_ERRORS: Final = 100


class Files(Protocol):
    """Where kustomizations are read from."""

    def text(self, path: str) -> bytes | None:
        """A file's content; None if there is no such file."""

    def listed(self, path: str) -> Sequence[str] | None:
        """Every file below a folder (a file lists itself); None if the path does not exist."""


@dataclass(frozen=True, slots=True)
class TreeFiles:
    """`Files` that were fetched."""

    files: Mapping[str, bytes]

    def text(self, path: str) -> bytes | None:
        return self.files.get(path)

    def listed(self, path: str) -> Sequence[str] | None:
        if path in self.files:
            return [path]
        return [file for file in self.files if _contains(path, file)] or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """The paths of the files, what is fetched (resources by URL, bases in Git) as it is written, and what is wrong."""

    files: tuple[str, ...]
    remotes: tuple[str, ...]
    errors: tuple[DescriptionError, ...]


def closure(
    folder: str, files: Files, *, root: str, where: str, may_fetch: Callable[[str], bool] = lambda _url: False
) -> Closure:
    """The closure of the kustomization in ``folder``; all of it must be in ``root`` (empty: where the paths begin).

    Paths are normalized, that of the folder where they begin is empty. ``where`` is the place that names the folder,
    ``may_fetch`` says of which remote resources, bases and components the content is there, or will be.
    """
    walk = _Walk(files, root, may_fetch)
    walk.visit(Reference(role=Role.FOLDER, path=folder, where=where), _Place(chain=()))
    return Closure(files=tuple(sorted(walk.files)), remotes=tuple(sorted(walk.remotes)), errors=tuple(walk.errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the walk is: the folders of the kustomizations that lead there, the last is the one that is read.

    ``owner`` is the folder of the kustomization whose plug-ins it configures, if it does: their paths are relative to that.
    """

    chain: tuple[str, ...]
    owner: str | None = None

    @property
    def folder(self) -> str:
        return self.chain[-1] if self.chain else ""


class _Walk:
    def __init__(self, source: Files, root: str, may_fetch: Callable[[str], bool]) -> None:
        self._source = source
        self._root = root
        self._may_fetch = may_fetch
        self._done: set[tuple[str, str | None]] = set()
        self._listed: dict[str, Sequence[str] | None] = {}
        self.files: set[str] = set()
        self.remotes: set[str] = set()
        self.errors: list[DescriptionError] = []

    def visit(self, reference: Reference, place: _Place) -> None:
        """Follow a reference of the kustomization at ``place``."""
        if len(self.errors) >= _MOST_ERRORS:
            return
        if self._is_fetched(reference, place):
            self.remotes.add(reference.path)
            return
        with self._reported(reference.where):
            path = self._path(reference, place)
            if path not in self._listed:
                self._listed[path] = self._source.listed(path)
            listed = self._listed[path]
            if listed is None:
                raise self._missing(path, reference, place)
            if list(listed) == [path]:
                self._file(path, reference, place)
            else:
                self._folder(path, reference, place)

    def _is_fetched(self, reference: Reference, place: _Place) -> bool:
        """Whether a reference is remote, and what is there is fetched and pinned."""
        if place.owner is not None or not references.is_remote(reference.path):
            return False
        is_file = remotes.is_file(reference.path)
        if reference.role is not Role.RESOURCE and (is_file or reference.role is not Role.FOLDER):
            return False
        return remotes.address(reference.path) is not None and self._may_fetch(reference.path)

    def _path(self, reference: Reference, place: _Place) -> str:
        """The path that a reference means.

        Raises:
            DescriptionError: if it is remote, absolute, or out of the root.
        """
        if references.is_remote(reference.path):
            raise refusals.remote(reference)
        if reference.path.startswith("/"):
            raise DescriptionError(
                f"{reference.path} is an absolute path",
                where=reference.where,
                fix="write it relative to this file's folder",
            )
        path = _normal(posixpath.join(place.folder, reference.path))
        if path.startswith("../") or path == ".." or not _contains(self._root, path):
            raise DescriptionError(
                f"{reference.path} is outside of {self._root or 'the repository'}",
                where=reference.where,
                fix=f"move it into {self._root or 'the repository'}: a build sees nothing else",
            )
        return path

    def _file(self, path: str, reference: Reference, place: _Place) -> None:
        if reference.role is Role.FOLDER:
            start = "" if place.chain else self._root  # the description's paths begin in the root
            parent = posixpath.relpath(posixpath.dirname(reference.path) or ".", start or ".")
            fix = f"write `{parent}`" if posixpath.basename(path) in NAMES else "name the folder of a kustomization"
            raise DescriptionError(f"{path} is a file, where a folder is needed", where=reference.where, fix=fix)
        if not _contains(place.folder, path):
            raise DescriptionError(
                f"{path} is not in the folder of its kustomization: kustomize reads no file out of it",
                where=reference.where,
                fix="move it there, or give its folder a kustomization.yaml, and name the folder in `resources`",
            )
        self._add(path, reference.where)
        if reference.role is Role.PLUGIN or (reference.role is Role.RESOURCE and place.owner is not None):
            for document in positioned_reader.read_all(self._source.text(path) or b"", path):
                self._plugin(document.root, place)

    def _folder(self, path: str, reference: Reference, place: _Place) -> None:
        if reference.role is Role.FILE:
            raise DescriptionError(
                f"{path} is a folder, where a file is needed", where=reference.where, fix="name a file"
            )
        repeated = next((visited for visited in place.chain if _contains(path, visited)), None)
        if repeated is not None:
            way = " → ".join(folder or "." for folder in (*place.chain[place.chain.index(repeated) :], path))
            raise DescriptionError(
                f"the kustomizations form a cycle: {way}",
                where=reference.where,
                fix="remove this entry: a kustomization uses neither itself nor a folder that it is in",
            )
        if len(place.chain) >= _DEEPEST or len(self._done) >= _MOST_KUSTOMIZATIONS:
            raise DescriptionError(
                f"more than {_DEEPEST} kustomizations in each other, or {_MOST_KUSTOMIZATIONS:,} in all",
                where=reference.where,
                fix="use fewer, or make several components of it",
            )
        plugins_of = place.owner
        if reference.role is Role.PLUGIN and plugins_of is None:
            plugins_of = place.folder
        if (path, plugins_of) not in self._done:
            self._done.add((path, plugins_of))
            self._kustomization(path, reference, _Place(chain=(*place.chain, path), owner=plugins_of))

    def _kustomization(self, folder: str, reference: Reference, place: _Place) -> None:
        names = [name for name in NAMES if self._source.text(posixpath.join(folder, name)) is not None]
        if not names:
            raise DescriptionError(
                f"{folder or 'the folder'} is not a kustomization: it contains no kustomization.yaml",
                where=reference.where,
                fix="name the folder that contains it; plain manifests are named file by file",
            )
        for name in names:  # of two, kustomize says that there must be one
            self._add(posixpath.join(folder, name), reference.where)
        file = posixpath.join(folder, names[0])
        document = positioned_reader.read(self._source.text(file) or b"", file).root
        self.errors += [*refusals.misspelled_keys(document), *refusals.helm_charts(document)]
        for text in references.inline_plugins(document):
            for plugin in positioned_reader.read_all(str(text.string).encode(), text.where):
                self._plugin(Positioned.of(plugin.value, text), place)
        for inner in references.of_kustomization(document):
            self.visit(inner, place)

    def _plugin(self, document: Positioned, place: _Place) -> None:
        refused = refusals.foreign_plugin(document)
        if refused:
            self.errors.append(refused)
            return
        self.errors += refusals.misspelled_keys(document)
        owner = place.folder if place.owner is None else place.owner
        for reference in references.of_plugin(document):
            self.visit(reference, _Place(chain=(*place.chain, owner)))

    def _add(self, path: str, where: str) -> None:
        self.files.add(path)
        if len(self.files) > _MOST_FILES:
            raise DescriptionError(
                f"the kustomization has more than {_MOST_FILES:,} files",
                where=where,
                fix="make several components of it",
            )

    def _missing(self, path: str, reference: Reference, place: _Place) -> DescriptionError:
        near = (self._source.listed(place.folder) or ()) if place.chain else ()
        base = f"{place.folder}/" if place.folder else ""
        return DescriptionError(
            f"{path} does not exist{did_you_mean(reference.path, [file.removeprefix(base) for file in near])}",
            where=reference.where,
            fix="create it, or correct the path (relative to this file's folder)"
            if place.chain
            else "correct the path",
        )

    @contextmanager
    def _reported(self, where: str) -> Iterator[None]:
        """Collect the errors; those of reading a file name the place that refers to it."""
        try:
            yield
        except (ForgeError, ExceptionGroup) as error:
            for leaf in leaves(error):
                if not isinstance(leaf, ForgeError):
                    raise
                self.errors.append(
                    leaf
                    if isinstance(leaf, DescriptionError)
                    else DescriptionError(str(leaf), where=where, fix=leaf.fix or "remove the entry")
                )


def _normal(path: str) -> str:
    normal = posixpath.normpath(path)
    return "" if normal == "." else normal


def _contains(folder: str, path: str) -> bool:
    """Whether a path is a folder, or in it."""
    return not folder or path == folder or path.startswith(f"{folder}/")
