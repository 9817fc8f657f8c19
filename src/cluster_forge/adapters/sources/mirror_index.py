"""``index.yaml`` of a mirror: which file is which chart, manifest or tree of Git, and its digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import yaml

from cluster_forge.foundation.addresses import as_key
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import FetchError, ForgeError

FILE: Final = "index.yaml"
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "charts": ("repository", "name", "version"),
        "manifests": ("url",),
        "git": ("address", "ref", "commit", "sha256"),
        "images": ("image", "digest", "platforms"),
        "artifacts": ("address", "tag", "digest"),
    }
)
"""The sections of an index, and the keys of an entry in each; the first is an address.

One commit may have manifests and a whole tree at one address: that is why the digest is one of its keys.
"""
DEFAULT_BRANCH: Final = "HEAD"
"""In the place of a REF that the description does not name."""
_FILE: Final = ("file", "sha256")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 20
_MOST_VALUES: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorFile:
    """A file of a mirror: its name there, the digest that it must have, and ``where``, the line of the index."""

    name: str
    digest: Digest
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorEntry:
    """An entry of the index: its section, what it is looked up by there, and its file."""

    section: str
    keys: tuple[str, ...]
    file: MirrorFile

    @property
    def key(self) -> tuple[str, ...]:
        """The section and the keys, with the address as mirrors compare it."""
        address, *more = self.keys
        return (self.section, normal(address), *more)


class MirrorPlace(Protocol):
    """Where a mirror is: a directory, or a repository of a registry. ``title`` is what messages call it."""

    @property
    def title(self) -> str: ...

    def entries(self) -> Sequence[MirrorEntry]:
        """The entries of its index; sections that are not known are left out.

        Raises:
            FetchError: if the index cannot be read.
            ExceptionGroup: with all errors of the index.
        """

    def content(self, file: MirrorFile) -> bytes:
        """The content of a file that an entry names.

        Raises:
            FetchError: if the file is missing, or does not match the index.
        """


def read(content: bytes, index: str, *, is_inside: Callable[[str], bool] = lambda _: True) -> Sequence[MirrorEntry]:
    """The entries of an index; messages call it ``index``. ``is_inside``: whether a file's name stays in the mirror.

    Raises:
        FetchError, ExceptionGroup: with all errors of the index.
    """
    return _IndexReader(index, is_inside).entries(content)


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

    def __init__(self, index: str, is_inside: Callable[[str], bool]) -> None:
        self._index = index
        self._is_inside = is_inside
        self._errors: list[ForgeError] = []

    def entries(self, content: bytes) -> Sequence[MirrorEntry]:
        root = self._root(content)
        first: dict[tuple[str, ...], MirrorFile] = {}
        entries = [entry for section in SECTIONS for entry in self._entries(root, section)]
        for entry in entries:
            before = first.setdefault(entry.key, entry.file)
            if before.digest != entry.file.digest:
                message = f"duplicate entry with another digest (first: {before.where})"
                self._errors.append(FetchError(message, where=entry.file.where, fix="remove the wrong entry"))
        raise_all(self._errors)
        return entries

    def _root(self, content: bytes) -> yaml.Node:
        try:
            _refuse_bombs(content)
            root = yaml.compose(content, Loader=_LOADER)
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            raise FetchError(
                f"the mirror's index is not YAML: {getattr(error, 'problem', None) or error}",
                where=f"{self._index}:{mark.line + 1}" if mark else self._index,
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
                keys = tuple({**fields, "sha256": file.digest.hex}[key] for key in SECTIONS[section])
                yield MirrorEntry(section=section, keys=keys, file=file)

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
        if not self._is_inside(fields["file"]):
            self._errors.append(self._error(node, f"{fields['file']} is outside of the mirror"))
            return None
        return MirrorFile(name=fields["file"], digest=digest, where=self._where(node))

    def _error(self, node: yaml.Node | None, message: str) -> FetchError:
        return FetchError(message, where=self._where(node), fix="correct the mirror's index.yaml")

    def _where(self, node: yaml.Node | None) -> str:
        return f"{self._index}:{node.start_mark.line + 1}" if node else self._index


def _refuse_bombs(text: bytes) -> None:
    """Raises ValueError if the nesting is too deep (the C loader's recursion would crash the process), or the text too long."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if number > _MOST_VALUES:
            raise ValueError(f"too many values (limit {_MOST_VALUES:,})")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"nesting too deep (limit {_DEEPEST})")
