"""The files of ConfigMaps and Secrets in a description: found, given keys, and checked as an API server would."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.input_files import InputFiles, in_input, is_url, path_error
from cluster_forge.yaml.positioned import Positioned

LARGEST: Final = 1 << 20
"""Bytes of all values of a ConfigMap or Secret together (``k8s.io/kubernetes``, ``MaxSecretSize``)."""

_KEY: Final = re.compile(r"(?!\.\.?\Z)(?!\.\.)[-._a-zA-Z0-9]{1,253}\Z")
"""``k8s.io/apimachinery``, ``IsConfigMapKey``."""
_PATTERN: Final = re.compile(r"[*?\[]")


@dataclass
class FilesByKey:
    """Collects the files that ``entry``, a ConfigMap or Secret in the component ``component``, names."""

    entry: Positioned
    component: str
    files: InputFiles
    errors: list[ForgeError]
    _paths: dict[str, str] = field(default_factory=dict)
    _size: int = 0

    def collected(self) -> dict[str, str]:
        """The paths in the workspace by key; what is wrong goes into the errors."""
        listed = self.entry.get("files")
        for item in listed.items if listed else ():
            try:
                self._collect(item)
            except ForgeError as error:  # a link out of the workspace, a pipe: the description names the place
                self._wrong(item, f"{error.where or item.string}: {error.message}", fix=error.fix or "remove the entry")
        if self._size > LARGEST:
            self._wrong(
                self.entry,
                f"{self._subject} has {self._size:,} bytes of files; an API server takes {LARGEST:,} at most",
                fix="spread the files over several, or put them into an image or on a volume",
            )
        return self._paths

    @property
    def _subject(self) -> str:
        return f"{self.entry.string_of('name')!r}"

    def _collect(self, item: Positioned) -> None:
        if item.string is not None:
            for path in self._matching(item):
                self._add(posixpath.basename(path), path, item)
        elif not item.mapping:
            self._wrong(item, "the entry names no file", fix="write `KEY: FILE`, or remove it")
        for key, named in item.mapping.items():
            self._renamed(key, named)

    def _renamed(self, key: str, named: Positioned) -> None:
        path = self._path(named)
        if path is None:
            return
        paths = self._listed(path)
        if paths is None:
            self._missing(named, path)
        elif paths != [path]:
            self._wrong(named, f"{path} is a folder, and the key {key!r} takes one file", fix="name a file in it")
        else:
            self._add(key, path, named)

    def _matching(self, item: Positioned) -> Iterator[str]:
        """The files that an item names: a file, all those of a folder, or those that match a pattern."""
        path = self._path(item)
        if path is None:
            return
        paths = self._listed(path)
        if paths is None and _PATTERN.search(path):
            yield from self._of_pattern(path, item)
        elif paths is None:
            self._missing(item, path)
        elif paths == [path]:
            yield path
        else:
            yield from self._of_folder(path, paths, item)

    def _of_folder(self, path: str, paths: list[str], item: Positioned) -> Iterator[str]:
        if not paths:
            self._wrong(item, f"the folder {path} has no files", fix="put files into it, or remove the entry")
        deeper = next((file for file in paths if posixpath.dirname(file) != path), None)
        if deeper:
            self._wrong(
                item,
                f"{path} has folders ({deeper}), and a key has none",
                fix=f"write `{item.string}/*` for the files that are directly in it, and name the others, too",
            )
            return
        yield from paths

    def _of_pattern(self, pattern: str, item: Positioned) -> Iterator[str]:
        steps = pattern.split("/")
        if "**" in steps:
            self._wrong(item, "`**` is not supported", fix="name each folder: `a/*.json`, `a/b/*.json`")
            return
        first = next(index for index, step in enumerate(steps) if _PATTERN.search(step))
        paths = self._listed("/".join(steps[:first]) or ".") or []
        matching = [path for path in paths if _matches(path.split("/"), steps)]
        if not matching:
            self._wrong(item, f"no file matches {pattern}", fix="correct the pattern (relative to input/)")
        yield from matching

    def _add(self, key: str, path: str, place: Positioned) -> None:
        if not _KEY.match(key):
            better = re.sub(r"[^-._a-zA-Z0-9]+", "-", key).lstrip(".")[:253] or "key"
            named = place.string or path
            self._wrong(
                place,
                f"{key!r} cannot be a key: letters, digits, `-`, `_` and `.`, at most 253",
                fix=f"give it another one: `files: [{{{better}: {named if '*' not in named else path}}}]`",
            )
        elif self._paths.get(key, path) != path:
            self._wrong(
                place,
                f"the key {key!r} stands for {self._paths[key]} and for {path}",
                fix=f"give one of them another key: `files: [{{other-{key}: {path}}}]`",
            )
        elif key not in self._paths:
            content = self.files.text(path)
            if content is None:
                self._missing(place, path)
                return
            self._paths[key] = path
            self._size += len(content)

    def _path(self, named: Positioned) -> str | None:
        """The path in the workspace; None, and an error, if it is absolute or outside."""
        text = str(named.string)
        if is_url(text):
            self._wrong(named, f"{text} is a URL", fix="download it into input/, and name the file")
            return None
        error = path_error(named, self.component)
        if error:
            self.errors.append(error)
            return None
        return in_input(text)

    def _listed(self, path: str) -> list[str] | None:
        paths = self.files.listed(path)
        if paths is not None:
            return list(paths)
        return [path] if self.files.text(path) is not None else None

    def _missing(self, named: Positioned, path: str) -> None:
        self._wrong(named, f"{path} does not exist", fix="create it, or correct the path (relative to input/)")

    def _wrong(self, place: Positioned, message: str, *, fix: str) -> None:
        self.errors.append(DescriptionError(f"{self.component}: {message}", where=place.where, fix=fix))


def _matches(path: list[str], pattern: list[str]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))
