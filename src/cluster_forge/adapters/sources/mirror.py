"""A mirror: a directory of charts and manifests that were fetched before, listed in its ``index.yaml``."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import yaml

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, ForgeError, raise_all

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 20
_MOST_VALUES: Final = 200_000
_LARGEST: Final = 256 << 20
"""Bytes of a file; a file with holes may claim to have any number."""
_CHART: Final = ("repository", "name", "version", "file", "sha256")
_MANIFEST: Final = ("url", "file", "sha256")


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    digest: Digest
    where: str


@dataclass(frozen=True, slots=True)
class _Contents:
    """Charts by repository and name, then by version; manifests by URL."""

    charts: Mapping[tuple[str, str], Mapping[str, _File]]
    manifests: Mapping[str, _File]


class FolderMirror:
    """Charts by repository and name, manifests by URL; every file is checked against the digest in the index.

    ``index.yaml`` is read when it is first needed::

        charts:
        - {repository: https://charts.jetstack.io, name: cert-manager, version: v1.21.1, file: charts/x.tgz, sha256: …}
        manifests:
        - {url: https://…/install.yaml, file: manifests/install.yaml, sha256: …}
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def charts(self, repository: str) -> Collection[str]:
        """The names of its charts of ``repository``.

        Raises:
            FetchError: if the index cannot be read, here as in the other methods.
            ExceptionGroup: with all errors of the index.
        """
        return {name for place, name in self._contents.charts if place == _normal(repository)}

    def versions(self, repository: str, chart: str) -> Mapping[str, Digest]:
        """The versions of a chart with their digests; empty if the mirror does not have it."""
        files = self._contents.charts.get((_normal(repository), chart), {})
        return {version: file.digest for version, file in files.items()}

    def chart(self, repository: str, chart: str, version: str) -> bytes:
        """The archive of one of `versions`.

        Raises:
            FetchError: if the file is missing, or does not match the index.
        """
        return self._read(self._contents.charts[_normal(repository), chart][version])

    def manifest(self, url: str) -> bytes | None:
        """The content of ``url``; None if the mirror does not have it.

        Raises:
            FetchError: as for `chart`.
        """
        file = self._contents.manifests.get(_normal(url))
        return self._read(file) if file else None

    def _read(self, file: _File) -> bytes:
        try:
            content = _content(file.path)
        except OSError as error:
            raise FetchError(
                f"{file.path} of the mirror cannot be read: {error.strerror}",
                where=file.where,
                fix="put the file there, or remove the entry from the mirror's index.yaml",
            ) from error
        digest = Digest.of(content)
        if digest != file.digest:
            raise FetchError(
                f"{file.path} does not match the mirror's index: the index has {file.digest}, the file has {digest}",
                where=file.where,
                fix="fetch the file again, or correct the index",
            )
        return content

    @cached_property
    def _contents(self) -> _Contents:
        return _IndexReader(self._folder).contents()


def open_mirror(folder: Path) -> FolderMirror:
    """The mirror in a directory that the user named; its index must exist, and is read when it is first needed.

    Raises:
        FetchError: if there is no index.
    """
    index = folder / "index.yaml"
    try:
        index.stat()
    except OSError as error:
        raise _unreadable(index, error) from error
    return FolderMirror(folder)


def _unreadable(index: Path, error: OSError) -> FetchError:
    return FetchError(
        f"the mirror's index cannot be read: {error.strerror}",
        where=without_credentials(str(index)),
        fix="name the directory with the mirror's index.yaml: --mirror DIR",
    )


class _IndexReader:
    """Reads one index and collects all its errors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / "index.yaml"
        self._real = os.path.realpath(folder)
        self._errors: list[ForgeError] = []

    def contents(self) -> _Contents:
        charts: dict[tuple[str, str], dict[str, _File]] = {}
        manifests: dict[str, _File] = {}
        root = self._root()
        for entry, file in self._entries(root, "charts", _CHART):
            versions = charts.setdefault((_normal(entry["repository"]), entry["name"]), {})
            self._add(versions, entry["version"], file)
        for entry, file in self._entries(root, "manifests", _MANIFEST):
            self._add(manifests, _normal(entry["url"]), file)
        raise_all(self._errors)
        return _Contents(charts, manifests)

    def _root(self) -> yaml.Node:
        try:
            text = _content(self._index)
            _refuse_bombs(text)
            root = yaml.compose(text, Loader=_LOADER)
        except OSError as error:
            raise _unreadable(self._index, error) from error
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            raise FetchError(
                f"the mirror's index is not YAML: {getattr(error, 'problem', None) or error}",
                where=f"{self._index}:{mark.line + 1}" if mark else str(self._index),
                fix="correct that line",
            ) from error
        if not isinstance(root, yaml.MappingNode):
            raise self._error(root, "the mirror's index has neither `charts` nor `manifests`")
        return root

    def _entries(self, root: yaml.Node, section: str, keys: tuple[str, ...]) -> Iterator[tuple[dict[str, str], _File]]:
        """The valid entries of one section."""
        entries = next((value for key, value in root.value if key.value == section), None)
        if entries is None or entries.tag == "tag:yaml.org,2002:null":
            return
        if not isinstance(entries, yaml.SequenceNode):
            self._errors.append(self._error(entries, f"`{section}` is not a list"))
            return
        for node in entries.value:
            entry = self._entry(node, section, keys)
            file = self._file(node, entry) if entry else None
            if entry and file:
                yield entry, file

    def _entry(self, node: yaml.Node, section: str, keys: tuple[str, ...]) -> dict[str, str] | None:
        entry: dict[str, str] = {}
        if isinstance(node, yaml.MappingNode):
            entry = {
                key.value: value.value
                for key, value in node.value
                if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode) and value.value
            }
        missing = [key for key in keys if key not in entry]
        if missing:
            self._errors.append(self._error(node, f"an entry of `{section}` has no {', '.join(missing)}"))
            return None
        return entry

    def _file(self, node: yaml.Node, entry: dict[str, str]) -> _File | None:
        try:
            digest = Digest.parse(entry["sha256"])
        except ValueError as error:
            self._errors.append(self._error(node, str(error)))
            return None
        if "\0" in entry["file"]:
            self._errors.append(self._error(node, "`file` contains a NUL character"))
            return None
        path = self._folder / entry["file"]
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self._real) or Path(entry["file"]).is_absolute():
            self._errors.append(self._error(node, f"{entry['file']} is outside of the mirror"))
            return None
        return _File(path, digest, self._where(node))

    def _add(self, files: dict[str, _File], key: str, file: _File) -> None:
        before = files.setdefault(key, file)
        if before.digest != file.digest:
            message = f"duplicate entry with another digest (first: {before.where})"
            self._errors.append(FetchError(message, where=file.where, fix="remove the wrong entry"))

    def _error(self, node: yaml.Node | None, message: str) -> FetchError:
        return FetchError(message, where=self._where(node), fix="correct the mirror's index.yaml")

    def _where(self, node: yaml.Node | None) -> str:
        return f"{self._index}:{node.start_mark.line + 1}" if node else str(self._index)


def _content(path: Path) -> bytes:
    """A regular file's content. A pipe could keep the reader for ever, a device has no end.

    Raises:
        OSError: if it cannot be read, is not a regular file, or is larger than `_LARGEST`.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if status.st_size > _LARGEST:
            raise OSError(errno.EFBIG, f"it is larger than {_LARGEST >> 20} MiB", str(path))
        return file.read()


def _refuse_bombs(text: bytes) -> None:
    """Raises ValueError if the nesting is too deep (the C loader's recursion would crash the process), or the text too long."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if number > _MOST_VALUES:
            raise ValueError(f"too many values (limit {_MOST_VALUES:,})")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"nesting too deep (limit {_DEEPEST})")


def _normal(address: str) -> str:
    """An address as mirrors compare it: without credentials and trailing slash, scheme and host in lower case."""
    scheme, separator, rest = address.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.rpartition('@')[2].lower()}{slash}{path}".rstrip("/")
