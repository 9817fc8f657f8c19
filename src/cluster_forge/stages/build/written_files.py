"""Which files of a folder a stage wrote: a record in the folder itself, so that nothing else is ever replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cluster_forge.foundation.errors import EditedError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.workspace import Workspace
from cluster_forge.record import WRITTEN
from cluster_forge.stages.build.working_tree import first_few

_HEADER: Final = "# Written by cluster-forge: the files that it may replace or remove in this folder.\n"


def recorded(tree: FileTree) -> FileTree:
    """The tree with its record; an empty one, which removes its folder, stays empty."""
    if not tree.files:
        return tree
    lines = "".join(f"{path}\n" for path in tree)
    return FileTree({**tree.files, WRITTEN: (_HEADER + lines).encode()}, tree.executable)


def refuse_others(folder: str, files: Workspace, is_former: Callable[[str], bool], fix: str) -> None:
    """Check that replacing a folder loses nothing but what a stage wrote there; edits of such files do not count.

    ``is_former`` decides about a path where the folder has no record: earlier versions wrote none.

    Raises:
        EditedError: if there are other files, hidden ones and links included.
    """
    names = files.names(folder)
    if not names:
        return
    known = _known(files.read(f"{folder}/{WRITTEN}"))
    others = [
        name for name in names if name != WRITTEN and not (name in known if known is not None else is_former(name))
    ]
    if others:
        raise EditedError(
            f"has {'a file' if len(others) == 1 else 'files'} that cluster-forge did not write: {first_few(others)}",
            where=f"{folder}/",
            fix=fix,
        )


def _known(record: bytes | None) -> frozenset[str] | None:
    """The paths in a record. None: there is no record, or it is incomplete.

    One with the markers of a merge conflict has the paths of both sides.
    """
    text = (record or b"").decode(errors="replace")
    return frozenset(text.splitlines()) if text.startswith(_HEADER) and text.endswith("\n") else None
