"""``index.yaml`` of a mirror: which file is which chart, manifest or tree of Git, and its digest."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import yaml

from cluster_forge.foundation.addresses import as_key, without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, ForgeError, raise_all

FILE: Final = "index.yaml"
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "charts": ("repository", "name", "version"),
        "manifests": ("url",),
        "git": ("address", "commit", "sha256"),
    }
)
"""The sections of an index, and the keys of an entry in each; the first is an address.

What comes from Git is found by its digest only, which the lock has: one commit may have a chart, manifests and a whole
tree at one address.
"""
_FILE: Final = ("file", "sha256")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 20
_MOST_VALUES: Final = 200_000
_LARGEST: Final = 256 << 20
"""Bytes of a file; a file with holes may claim to have any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorFile:
    """A file of a mirror and the digest that it must have; ``where`` is the line of the index."""

    path: Path
    digest: Digest
    where: str

    def read(self) -> bytes:
        """The content.

        Raises:
            FetchError: if the file is missing, or does not match the index.
        """
        try:
            content = _content(self.path)
        except OSError as error:
            raise FetchError(
                f"{self.path} of the mirror cannot be read: {error.strerror}",
                where=self.where,
                fix="put the file there, or remove the entry from the mirror's index.yaml",
            ) from error
        digest = Digest.of(content)
        if digest != self.digest:
            raise FetchError(
                f"{self.path} does not match the mirror's index: the index has {self.digest}, the file has {digest}",
                where=self.where,
                fix="fetch the file again, or correct the index",
            )
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorEntry:
    """An entry of the index: its section, what it is looked up by there, and its file with the path as it is written."""

    section: str
    keys: tuple[str, ...]
    name: str
    file: MirrorFile

    @property
    def key(self) -> tuple[str, ...]:
        """The section and the keys, with the address as mirrors compare it."""
        address, *more = self.keys
        return (self.section, normal(address), *more)


def read(folder: Path) -> Sequence[MirrorEntry]:
    """The entries of the index in ``folder``; sections that are not known are left out.

    Raises:
        FetchError: if the index cannot be read.
        ExceptionGroup: with all errors of the index.
    """
    return _IndexReader(folder).entries()


def unreadable(index: Path, error: OSError) -> FetchError:
    return FetchError(
        f"the mirror's index cannot be read: {error.strerror}",
        where=without_credentials(str(index)),
        fix="name the directory with the mirror's index.yaml: --mirror DIR",
    )


def normal(address: str) -> str:
    """An address as mirrors compare it: without credentials and trailing slash, scheme and host in lower case."""
    scheme, separator, rest = address.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.rpartition('@')[2].lower()}{slash}{path}".rstrip("/")


def spellings(address: str) -> Sequence[str]:
    """How an index may have an address: as it is, or as the lock has it, with a hash in the place of its query."""
    return list(dict.fromkeys((normal(address), normal(as_key(address)))))


class _IndexReader:
    """Reads one index and collects all its errors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / FILE
        self._real = os.path.realpath(folder)
        self._errors: list[ForgeError] = []

    def entries(self) -> Sequence[MirrorEntry]:
        root = self._root()
        first: dict[tuple[str, ...], MirrorFile] = {}
        entries = [entry for section in SECTIONS for entry in self._entries(root, section)]
        for entry in entries:
            before = first.setdefault(entry.key, entry.file)
            if before.digest != entry.file.digest:
                message = f"duplicate entry with another digest (first: {before.where})"
                self._errors.append(FetchError(message, where=entry.file.where, fix="remove the wrong entry"))
        raise_all(self._errors)
        return entries

    def _root(self) -> yaml.Node:
        try:
            text = _content(self._index)
            _refuse_bombs(text)
            root = yaml.compose(text, Loader=_LOADER)
        except OSError as error:
            raise unreadable(self._index, error) from error
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

    def _entries(self, root: yaml.Node, section: str) -> Iterator[MirrorEntry]:
        """The valid entries of one section."""
        entries = next((value for key, value in root.value if key.value == section), None)
        if entries is None or entries.tag == "tag:yaml.org,2002:null":
            return
        if not isinstance(entries, yaml.SequenceNode):
            self._errors.append(self._error(entries, f"`{section}` is not a list"))
            return
        for node in entries.value:
            fields = self._fields(node, section)
            file = self._file(node, fields) if fields else None
            if fields and file:
                keys = tuple(fields[key] for key in SECTIONS[section])
                yield MirrorEntry(section=section, keys=keys, name=fields["file"], file=file)

    def _fields(self, node: yaml.Node, section: str) -> dict[str, str] | None:
        fields: dict[str, str] = {}
        if isinstance(node, yaml.MappingNode):
            fields = {
                key.value: value.value
                for key, value in node.value
                if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode) and value.value
            }
        missing = [key for key in dict.fromkeys((*SECTIONS[section], *_FILE)) if key not in fields]
        if missing:
            self._errors.append(self._error(node, f"an entry of `{section}` has no {', '.join(missing)}"))
            return None
        return fields

    def _file(self, node: yaml.Node, fields: dict[str, str]) -> MirrorFile | None:
        try:
            digest = Digest.parse(fields["sha256"])
        except ValueError as error:
            self._errors.append(self._error(node, str(error)))
            return None
        if "\0" in fields["file"]:
            self._errors.append(self._error(node, "`file` contains a NUL character"))
            return None
        path = self._folder / fields["file"]
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self._real) or Path(fields["file"]).is_absolute():
            self._errors.append(self._error(node, f"{fields['file']} is outside of the mirror"))
            return None
        return MirrorFile(path=path, digest=digest, where=self._where(node))

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
