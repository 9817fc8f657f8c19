"""Trees of files in documentation pages, compared with the folders that the page's commands have written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(r"^((?:│ {3}| {4})*)[├└]── (\S+)")


def problems(tree: str, folder: Path) -> Iterator[str]:
    """What differs: each path of the tree must be there, a folder as ``name/``; a folder that shows entries shows all.

    Hidden files may be missing in the tree, and ``…`` stands for any others. The first line names ``folder``.
    """
    shown: dict[Path, set[str]] = defaultdict(set)
    above: list[Path] = [folder]
    for line in tree.splitlines()[1:]:
        found = _LINE.match(line)
        if not found:
            yield f"not a line of a tree: {line}"
            return
        depth, name = len(found[1]) // 4, found[2]
        parent = above[depth]
        shown[parent].add(name.partition("/")[0])
        path = parent / name
        above[depth + 1 :] = [path]
        if name != "…" and not (path.is_dir() if name.endswith("/") else path.is_file()):
            yield f"is not there: {path.relative_to(folder)}"
    for parent, names in shown.items():
        if "…" not in names and parent.is_dir():
            present = {path.name for path in parent.iterdir() if not path.name.startswith(".")}
            yield from (f"not in the tree: {(parent / name).relative_to(folder)}" for name in sorted(present - names))
