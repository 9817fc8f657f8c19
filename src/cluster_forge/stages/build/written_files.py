"""Which files of a folder a stage wrote: a record in the folder itself, so that nothing else is ever replaced.

A line is the path of a file. For the files of the folder itself, those that people edit, the digest of what was written
stands before it, as ``sha256sum`` prints it; a repository and an image below the folder are not edited by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.workspace import FolderReader, FolderWriter
from cluster_forge.record import WRITTEN
from cluster_forge.stages.build.edits import Edit, EditKind
from cluster_forge.stages.build.working_tree import first_few

_HEADER: Final = "# Written by cluster-forge: the files that it may replace or remove in this folder.\n"
_LINE: Final = re.compile(r"([0-9a-f]{64})  (.+)")


def recorded(tree: FileTree) -> FileTree:
    """The tree with its record; an empty one, which removes its folder, stays empty."""
    if not tree.files:
        return tree
    lines = "".join(
        f"{path}\n" if "/" in path else f"{Digest.of(content).hex}  {path}\n" for path, content in tree.files.items()
    )
    return FileTree({**tree.files, WRITTEN: (_HEADER + lines).encode()}, tree.executable)


def edits(folder: str, files: FolderReader | FolderWriter, as_written: FileTree | None = None) -> Iterator[Edit]:
    """The files of the folder that differ from what a stage wrote there, where the record has their digest.

    An earlier version wrote no digests. ``as_written``, if given, is what it wrote.
    """
    names = frozenset(files.names(folder)) - {WRITTEN}
    known = known_files(files.read(f"{folder}/{WRITTEN}"))
    former = {} if as_written is None else {path: Digest.of(content).hex for path, content in as_written.files.items()}
    for path, recorded_digests in (dict.fromkeys(sorted(names), frozenset[str]()) if known is None else known).items():
        digests = recorded_digests or {former[path]} if path in former else recorded_digests
        if digests:
            content = files.read(f"{folder}/{path}") if path in names else None
            if content is None or Digest.of(content).hex not in digests:
                kind = EditKind.DELETED if path not in names else EditKind.EDITED
                yield Edit(path=f"{folder}/{path}", kind=kind, content=content)


def lost_edits(
    folder: str, to_write: FileTree, files: FolderReader | FolderWriter, *, is_as_written: bool = False
) -> Iterator[Edit]:
    """The `edits` that ``to_write`` does not have; ``is_as_written``: it is what was written before."""
    for edit in edits(folder, files, to_write if is_as_written else None):
        if edit.content != to_write.files.get(edit.path.removeprefix(f"{folder}/")):
            yield edit


def refuse_others(folder: str, files: FolderReader | FolderWriter, is_former: Callable[[str], bool], fix: str) -> None:
    """Check that replacing a folder loses nothing but what a stage wrote there; edits of such files do not count.

    ``is_former`` decides about a path where the folder has no record: earlier versions wrote none.

    Raises:
        EditedError: if there are other files, hidden ones and links included.
    """
    names = files.names(folder)
    if not names:
        return
    known = known_files(files.read(f"{folder}/{WRITTEN}"))
    others = [
        name for name in names if name != WRITTEN and not (name in known if known is not None else is_former(name))
    ]
    if others:
        raise EditedError(
            f"has {'a file' if len(others) == 1 else 'files'} that cluster-forge did not write: {first_few(others)}",
            where=f"{folder}/",
            fix=fix,
        )


def known_files(record: bytes | None) -> Mapping[str, frozenset[str]] | None:
    """The paths in a record, each with the digests (hexadecimal) of what was written. None: there is no record, or it is incomplete.

    One with the markers of a merge conflict has the lines of both sides.
    """
    text = (record or b"").decode(errors="replace")
    if not text.startswith(_HEADER) or not text.endswith("\n"):
        return None
    known: dict[str, frozenset[str]] = {}
    for line in text.removeprefix(_HEADER).splitlines():
        match = _LINE.fullmatch(line)
        path, digests = (match[2], frozenset((match[1],))) if match else (line, frozenset())
        known[path] = known.get(path, frozenset()) | digests
    return known
