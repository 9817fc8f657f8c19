"""Which components of the catalog are tried in full: those that a change may concern, and a third that is another one every day.

A component is changed if its file is, or that of one which it needs or is wired to; all are, if the code that tries them is.
Changed is what differs from `base`, in commits or not committed yet. `make check-all` tries every component.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from cluster_forge.catalog.library import Library, packaged

PROJECT: Final = Path(__file__).resolve().parent.parent
THIRDS: Final = ("1", "2", "3")
ALL: Final = "all"
COMPONENTS: Final = "src/cluster_forge/catalog/data/components/"
CODE: Final = ("src/cluster_forge/catalog/", "src/cluster_forge/checks/", "src/cluster_forge/stages/catalog/")
"""What tries components. Files below `COMPONENTS` are not meant."""
STARTER: Final = "src/cluster_forge/catalog/data/starter/"
DAY: Final = 86_400


def of_today() -> str:
    return THIRDS[int(time.time()) // DAY % len(THIRDS)]


@dataclass(frozen=True)
class Turn:
    """What is tried: ``third`` is one of `THIRDS`, or `ALL`."""

    third: str

    def includes(self, component: str) -> bool:
        return component in self.changed or component in self.of_third

    @cached_property
    def of_third(self) -> Sequence[str]:
        names = packaged().names
        return names if self.third == ALL else names[THIRDS.index(self.third) :: len(THIRDS)]

    @cached_property
    def changed(self) -> Collection[str]:
        paths = None if self.third == ALL else changed_paths(PROJECT)
        return packaged().names if paths is None else concerned(paths, packaged())

    def __str__(self) -> str:
        names = packaged().names
        tried = sum(map(self.includes, names))
        if tried == len(names):
            return f"all {len(names)} components are tried in full"
        changed = f"; changed: {', '.join(sorted(self.changed))}" if self.changed else ""
        return (
            f"{tried} of {len(names)} components are tried in full, third {self.third} of {len(THIRDS)} "
            f"(--catalog=all, or `make check-all`: every one){changed}"
        )


def concerned(paths: Collection[str], library: Library) -> Collection[str]:
    """The components that a change of these files of the project may concern."""
    if any(path.startswith(CODE) and not path.startswith((COMPONENTS, STARTER)) for path in paths):
        return library.names
    files = {f"{COMPONENTS}{name}.yaml": name for name in library.names}
    changed = {files[path] for path in paths if path in files}
    given = changed.union(*(library.component(name).provides for name in changed))
    return changed | {name for name in library.names if given & set(_named(library, name))}


def _named(library: Library, name: str) -> Sequence[str]:
    """What a component needs or is wired to: components and capabilities."""
    component = library.component(name)
    wired = [other for wiring in component.wiring for other in (*wiring.all_of, *wiring.none_of)]
    return [*(need.name for need in component.needed), *wired]


def changed_paths(project: Path) -> Collection[str] | None:
    """The files that differ from `base`, the new ones among them; None where Git cannot say."""
    start = base(project)
    if start is None:
        return None
    differing = _git(project, "diff", "--name-only", start)
    new = _git(project, "ls-files", "--others", "--exclude-standard")
    return None if differing is None or new is None else {*differing.splitlines(), *new.splitlines()}


def base(project: Path) -> str | None:
    """Where the branch left ``origin/main``; on that itself, or without it, the commit before the last one."""
    head, branched = _git(project, "rev-parse", "HEAD"), _git(project, "merge-base", "HEAD", "origin/main")
    if branched and branched != head:
        return branched
    return _git(project, "rev-parse", "--verify", "--quiet", "HEAD~1")


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=project, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
