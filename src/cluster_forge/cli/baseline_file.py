"""`check --baseline FILE` and `--write-baseline FILE`: a file of the workspace."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import click

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.manifests.finding import Finding
from cluster_forge.stages.check import baseline
from cluster_forge.stages.check.baseline import Baseline

_RUNS: Final = ".cluster-forge"
"""The folder of locks, logs and history."""
_SOURCED: Final = ("manifests", "sourced")

if TYPE_CHECKING:
    from cluster_forge.composition import Services


def read(services: Services, path: str, stack: str) -> Baseline:
    """The baseline of the stack.

    Raises:
        UsageError: for a path that leaves the workspace.
        DescriptionError: if there is no such file, or if it is none, or that of another stack.
    """
    path = _inside(path)
    content = services.files.read(path)
    if content is None:
        raise DescriptionError(
            "there is no such file in the workspace", where=path, fix=f"write it: --write-baseline {path}"
        )
    return baseline.read(content, stack=stack, where=path)


def write(services: Services, path: str, stack: str, findings: Sequence[Finding]) -> str:
    """Write the baseline that has these findings; the path of the file.

    Raises:
        UsageError: for a path that leaves the workspace or is below what the tool or Git writes, or if there is another file.
        WorkspaceError: if it cannot be written.
    """
    path = _own(_inside(path))
    with services.files.locked():
        former = services.files.read(path)
        if former is not None:
            try:
                baseline.read(former, stack=stack, where=path)
            except DescriptionError as error:
                raise click.UsageError(f"{path} {error.message}: remove it first, or name another file") from error
        services.files.write(path, Baseline.of(stack, findings).to_json())
    return path


def _own(path: str) -> str:
    """The path, if the file is the user's: the next run replaces what the tool writes, and Git's files are not for others."""
    from cluster_forge.stack import lock
    from cluster_forge.stages.build import cast, working_tree

    written = (working_tree.FOLDER, cast.STACKS, lock.FILE, _RUNS)
    folders = [folder.lower() for folder in path.split("/")]
    if path in ("", "."):
        raise click.UsageError("this is the workspace itself: name a file in it")
    if folders[0] in written or ".git" in folders or _SOURCED in pairwise(folders):
        raise click.UsageError(f"{path} is among files that {_writer(folders)} writes: name a file elsewhere")
    return path


def _writer(folders: Sequence[str]) -> str:
    return "Git" if ".git" in folders else "cluster-forge"


def _inside(path: str) -> str:
    normal = posixpath.normpath(path)
    if not path or normal.startswith(("/", "..")) or "\\" in path or "\0" in path:
        raise click.UsageError(f"{path!r} is not in the workspace: name a file relative to it")
    return normal
