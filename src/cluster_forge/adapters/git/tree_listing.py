"""The files of a commit as ``git ls-tree`` lists them, and which of them a path means.

Everyone who can push to a repository decides what is in there: names, links and sizes are checked before a file is used.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, FetchError
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.foundation.names import counted, did_you_mean

MOST_FILES: Final = 20_000
"""In one tree, as in a chart's archive."""
_MOST_LINKS: Final = 40
"""On the way to one file, as Linux follows them."""
_MOST_FOLLOWED: Final = 1_000
"""In one tree: each costs a look at all entries."""
_LONGEST: Final = 4_096
_LINE: Final = re.compile(rb"(\d{6}) (?:blob|commit) ([0-9a-f]{40}(?:[0-9a-f]{24})?)\t(.+)", re.DOTALL)
_UNSAFE: Final = re.compile(r"(?:\A|/)(?:\.{0,2}|\.git)(?:/|\Z)|[\x00-\x1f\x7f-\x9f\\]|[\ud800-\udfff]", re.IGNORECASE)
_SHOWN: Final = 8

_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_EXECUTABLE: Final = "100755"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, a symbolic link or a submodule, and the id of its content."""

    mode: str
    id: str

    @property
    def is_link(self) -> bool:
        return self.mode == _LINK

    @property
    def is_submodule(self) -> bool:
        return self.mode == _SUBMODULE

    @property
    def is_executable(self) -> bool:
        return self.mode == _EXECUTABLE


ReadLinks = Callable[[Iterable[str]], Mapping[str, bytes]]
"""The contents of links by their ids."""


@dataclass
class TreeListing:
    """The entries of a commit by their paths; ``address`` is their name in messages."""

    address: GitAddress
    entries: Mapping[str, Entry]
    read: ReadLinks
    _links: int = field(default=0, init=False)

    @classmethod
    def parse(cls, output: bytes, address: GitAddress, read: ReadLinks) -> TreeListing:
        """Read the output of ``git ls-tree -r -z``.

        Raises:
            FetchError: if it has a path twice.
        """
        entries: dict[str, Entry] = {}
        for line in output.split(b"\0"):
            match = _LINE.fullmatch(line)
            if match:
                path = match[3].decode(errors="surrogateescape")
                if path in entries:
                    raise FetchError(f"{address}: the commit has {path!r} twice", fix="check it: `git fsck`")
                entries[path] = Entry(match[1].decode(), match[2].decode())
        return cls(address, entries, read)

    def files(self, path: str) -> dict[str, Entry]:
        """The files at or below ``path``, by their paths; links are replaced by the files that they lead to.

        Raises:
            DescriptionError: if there is no such path.
            FetchError: for a submodule, a link out of the repository, an unsafe name, too many files.
        """
        self._links = 0
        self.read([entry.id for name, entry in self.entries.items() if entry.is_link and _is_below(name, path)])
        try:
            place = self._followed(path)
        except FileNotFoundError as error:
            raise self._missing(path) from error
        files: dict[str, Entry] = {}
        for name, entry in self._below(place, path, links=0):
            files[name] = entry
            if len(files) > MOST_FILES:
                raise FetchError(
                    f"{self.address} has more than {counted(MOST_FILES, 'file')}", fix="name a path below it"
                )
        return files

    @property
    def plain_files(self) -> dict[str, Entry]:
        """All files but links and submodules, and those whose names are unsafe."""
        return {
            path: entry
            for path, entry in self.entries.items()
            if not (entry.is_link or entry.is_submodule or _UNSAFE.search(path))
        }

    @cached_property
    def _folders(self) -> frozenset[str]:
        folders = {""}
        for path in self.entries:
            while (path := posixpath.dirname(path)) not in folders:
                folders.add(path)
        return frozenset(folders)

    def _below(self, place: str, name: str, links: int) -> Iterator[tuple[str, Entry]]:
        """The files at or below ``place``, by the name that the user sees for each."""
        if place in self.entries:
            yield name, self._checked(name, self.entries[place])
            return
        for path, entry in self.entries.items():
            if not _is_below(path, place):
                continue
            seen = posixpath.join(name, path[len(place) :].lstrip("/"))
            if entry.is_link:
                yield from self._linked(path, seen, links)
            else:
                yield seen, self._checked(seen, entry)

    def _linked(self, path: str, name: str, links: int) -> Iterator[tuple[str, Entry]]:
        self._links += 1
        if links >= _MOST_LINKS or self._links > _MOST_FOLLOWED:
            raise self._unsafe(name, "one link too many, or in a cycle of links")
        try:
            place = self._followed(path)
        except FileNotFoundError as error:
            raise self._unsafe(name, f"a link to {str(error)!r}, which is not in the repository") from error
        if _is_below(path, place):
            raise self._unsafe(name, "a link to a folder that it is in")
        yield from self._below(place, name, links + 1)

    def _followed(self, path: str) -> str:
        """Where a path leads to through links, as a system would follow them.

        Raises:
            FileNotFoundError: with the path that does not exist.
            FetchError: if it leads out of the repository, or in a cycle.
        """
        place, left, links = "", [part for part in path.split("/") if part], 0
        while left:
            part = left.pop(0)
            if part == "..":
                if not place:
                    raise self._unsafe(path, "a link out of the repository")
                place = posixpath.dirname(place)
                continue
            step = posixpath.join(place, part)
            entry = self.entries.get(step)
            if entry and entry.is_link:
                links += 1
                if links > _MOST_LINKS:
                    raise self._unsafe(path, "a cycle of links")
                left = [*self._target(path, entry), *left]
            elif (entry and not left) or step in self._folders:
                place = step
            else:
                raise FileNotFoundError(step)
        return place

    def _target(self, path: str, link: Entry) -> list[str]:
        target = self.read([link.id])[link.id]
        if target.startswith(b"/") or b"\0" in target or len(target) > _LONGEST:
            raise self._unsafe(path, "a link out of the repository")
        return [part for part in target.decode(errors="surrogateescape").split("/") if part not in ("", ".")]

    def _checked(self, path: str, entry: Entry) -> Entry:
        if _UNSAFE.search(path) or len(path) > _LONGEST:
            raise self._unsafe(path, "a name that is not safe on every system")
        if entry.is_submodule:
            raise FetchError(
                f"{self.address}: {path} is a submodule, whose files are in another repository",
                fix="name that repository itself, or a path without submodules",
            )
        return entry

    def _unsafe(self, path: str, what: str) -> FetchError:
        return FetchError(f"{self.address} is unsafe: {path[:200]!r} is {what}", fix="correct it in the repository")

    def _missing(self, path: str) -> DescriptionError:
        """The error for a path that does not exist; it names near ones in the last folder that does."""
        folder = path
        while folder not in self._folders:
            folder = posixpath.dirname(folder)
        siblings = self._members(folder)
        wanted = path[len(folder) :].lstrip("/").partition("/")[0]
        elsewhere = sorted(
            known for known in (*self._folders, *self.entries) if known.rpartition("/")[2] == posixpath.basename(path)
        )
        hint = f", did you mean {elsewhere[0]!r}?" if elsewhere else did_you_mean(wanted, siblings)
        shown = ", ".join(sorted(siblings)[:_SHOWN]) + (", …" if len(siblings) > _SHOWN else "")
        return DescriptionError(
            f"{self.address}: there is no {path} in the repository{hint}",
            fix=f"{folder or 'its root'} has {shown}" if shown else "the repository is empty",
        )

    def _members(self, folder: str) -> Collection[str]:
        return {name[len(folder) :].lstrip("/").partition("/")[0] for name in self.entries if _is_below(name, folder)}


def _is_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
