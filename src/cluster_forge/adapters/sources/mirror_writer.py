"""A mirror that `mirror create` writes: files named by what they are and by their digest, then the index.

Every file is written whole or not at all, and the index last: a reader never finds an entry without its file.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import atomic_write, plain_files
from cluster_forge.adapters.disk.os_errors import Area, translated
from cluster_forge.adapters.sources import mirror_index
from cluster_forge.adapters.sources.mirror_index import SECTIONS, MirrorEntry, MirrorFile
from cluster_forge.foundation.errors import FetchError, ForgeError, WorkspaceError
from cluster_forge.ports.mirrors import MirrorCheck
from cluster_forge.stack.lock import LockedSource
from cluster_forge.yaml import document_writer

_HEADER: Final = """\
# Written by `cluster-forge mirror create`: the file of each source, and its digest. `--mirror DIR` reads it.
"""
_AREA: Final = Area(error=WorkspaceError, alternative="name another directory")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._+-]+")
_COMMIT: Final = 12
"""Digits of a commit in a file's name."""
_LONGEST: Final = 100
"""Characters of a file's name, without the digest."""


class WritableMirror:
    """`ports.MirrorFolder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drafts = folder / ".unfinished"

    def write(
        self, sources: Sequence[LockedSource], content: Callable[[LockedSource], bytes]
    ) -> Sequence[LockedSource]:
        with translated("cannot be written", "the mirror", area=_AREA):
            self._prepare()
            before = mirror_index.read(self._folder)
            entries = {source: _entry(source, self._folder) for source in sources}
            listed = {entry.name for entry in before}
            added = [source for source, entry in entries.items() if self._put(entry, source, content, listed)]
            self._write_index((*before, *entries.values()))
            with contextlib.suppress(OSError):  # another process has a draft there
                self._drafts.rmdir()
        return added

    def check(self, wanted: Sequence[LockedSource]) -> MirrorCheck:
        entries = mirror_index.read(self._folder)
        by_key = {entry.key: entry for entry in entries}
        files = {(entry.name, entry.file.digest): entry.file for entry in entries}
        problems = [problem for file in files.values() if (problem := _damage(file))]
        problems += [problem for source in wanted if (problem := self._difference(source, by_key))]
        return MirrorCheck(files=len(files), problems=tuple(problems))

    def _prepare(self) -> None:
        """Make the directory a mirror of ours, if it is empty or does not exist.

        Raises:
            WorkspaceError: if it has files that `mirror create` did not write.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        plain_files.make_folder(self._drafts)
        atomic_write.remove_abandoned(self._drafts)
        index = self._folder / mirror_index.FILE
        if not os.path.lexists(index):
            others = sorted({path.name for path in self._folder.iterdir()} - {self._drafts.name})
            if others:
                self._drafts.rmdir()
                raise _foreign(self._folder, f"the directory has no {mirror_index.FILE}, but {others[0]}")
            self._write_index(())
        elif not plain_files.read(index).startswith(_HEADER.encode()):
            raise _foreign(index, "this mirror was not written by `mirror create`, which would replace its index")

    def _put(
        self,
        entry: MirrorEntry,
        source: LockedSource,
        content: Callable[[LockedSource], bytes],
        listed: Iterable[str],
    ) -> bool:
        """Write the entry's file, unless it is there; False: it is."""
        plain_files.make_folder(entry.file.path.parent)
        if os.path.lexists(entry.file.path):
            plain_files.check_file(entry.file.path)
            if _damage(entry.file) is None:
                return False
            if entry.name not in listed:
                raise _foreign(entry.file.path, "a file that is not in the mirror's index is in the way")
        self._replace(entry.file.path, content(source))
        return True

    def _write_index(self, entries: Iterable[MirrorEntry]) -> None:
        """The index with these entries, later ones instead of earlier ones with the same key."""
        lines = [_HEADER.rstrip("\n")]
        by_key = sorted({entry.key: entry for entry in entries}.items())
        for section in SECTIONS:
            items = [_fields(entry) for _, entry in by_key if entry.section == section]
            lines.append(f"{section}:" if items else f"{section}: []")
            lines.extend(document_writer.sequence(items))
        text = "".join(f"{line}\n" for line in lines).encode()
        index = self._folder / mirror_index.FILE
        if not plain_files.is_file(index) or plain_files.read(index, None) != text:
            self._replace(index, text)

    def _replace(self, path: Path, content: bytes) -> None:
        draft = self._drafts / f"{os.getpid()}-{secrets.token_hex(8)}"
        atomic_write.write(path, content, draft=draft, is_locked=True)

    def _difference(self, source: LockedSource, entries: Mapping[tuple[str, ...], MirrorEntry]) -> FetchError | None:
        """What is wrong with the index if the source is wanted."""
        entry = entries.get(_entry(source, self._folder).key)
        if entry and entry.file.digest == source.digest:
            return None
        return FetchError(
            f"{source.title} has another digest than in the lock: the lock has {source.digest}, the mirror {entry.file.digest}"
            if entry
            else f"{source.title} is not in the mirror",
            where=entry.file.where if entry else str(self._folder / mirror_index.FILE),
            fix="run `cluster-forge mirror create DIR`, which adds what the lock has",
        )


def _entry(source: LockedSource, folder: Path) -> MirrorEntry:
    """The entry of a source, as this module writes it."""
    repository, _, chart = source.address.rpartition(" ")
    keys: tuple[str, ...]
    if source.address.startswith("git+"):
        section, keys = "git", (source.address, source.version, source.digest.hex)
        name, suffix = f"{_last(source.address)}-{source.version[:_COMMIT]}", ".tgz"
    elif repository:
        section, keys = "charts", (repository, chart, source.version)
        name, suffix = f"{_last(chart)}-{source.version}", ".tgz"
    else:
        section, keys = "manifests", (source.address,)
        name, suffix = _last(source.address.partition("?")[0]).removesuffix(".yaml").removesuffix(".yml"), ".yaml"
    shown = _UNSAFE.sub("-", name)[:_LONGEST].lstrip(".-") or section
    file = f"{section}/{shown}-{source.digest.hex[:12]}{suffix}"
    return MirrorEntry(
        section=section,
        keys=keys,
        name=file,
        file=MirrorFile(path=folder / file, digest=source.digest, where=str(folder / mirror_index.FILE)),
    )


def _last(path: str) -> str:
    """The last part of a path, or of an address with a chart's name behind it."""
    return re.split(r"[/ ]", path)[-1]


def _fields(entry: MirrorEntry) -> dict[str, str]:
    keys = dict(zip(SECTIONS[entry.section], entry.keys, strict=True))
    return {**keys, "file": entry.name, "sha256": entry.file.digest.hex}


def _damage(file: MirrorFile) -> ForgeError | None:
    """Why a file cannot be used."""
    try:
        file.read()
    except FetchError as error:
        return error
    return None


def _foreign(path: Path, message: str) -> WorkspaceError:
    return WorkspaceError(
        message, where=str(path), fix="name an empty directory, or one that `mirror create` wrote: nothing was changed"
    )
