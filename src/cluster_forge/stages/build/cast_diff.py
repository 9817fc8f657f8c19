"""The differences between `working/` and the stack that was cast last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.manifests.comparison import text_lines
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack import variant
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.cast import STACKS
from cluster_forge.stages.build.casting import cast_input
from cluster_forge.stages.build.way_out import CommandLine, plain_command


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A file of `working/` that differs; ``lines`` are those of a unified diff, empty for a file that is too long."""

    path: str
    change: Change
    lines: tuple[str, ...] = ()


def compare(
    stack: Stack, files: Workspace, repositories: Repositories, command: CommandLine = plain_command
) -> tuple[Difference, ...]:
    """Every file that differs, by path. Hand edits count: they would be cast.

    Raises:
        StaleError: if `working/` or the cast stack does not exist, or if `working/` is of another environment or selection.
        RepositoryError: if the repository of the cast stack is damaged.
    """
    working = working_tree.load(files)
    if working is None:
        raise StaleError("smelt has not written working/ yet", fix="run `cluster-forge smelt` (or `forge`)")
    cast_input.check_variant(stack, working, command)
    folder = f"{STACKS}/{variant.folder(stack)}/repo.git"
    cast = files.read_tree(folder)
    if cast is None:
        raise StaleError(f"{folder} does not exist: the stack was not cast yet", fix="run `cluster-forge cast` once")
    return tuple(_between(repositories.files(cast, working.tree), working.tree))


def _between(cast: FileTree, working: FileTree) -> Iterator[Difference]:
    for path in sorted(cast.files.keys() | working.files.keys()):
        before, after = cast.files.get(path), working.files.get(path)
        if before != after:
            change = Change.ADDED if before is None else Change.REMOVED if after is None else Change.CHANGED
            yield Difference(path=path, change=change, lines=_diff(path, before or b"", after or b""))


def _diff(path: str, before: bytes, after: bytes) -> tuple[str, ...]:
    old, new = (content.decode(errors="replace") for content in (before, after))
    return text_lines.unified(old, new, (f"cast/{path}", f"working/{path}")) or ()
