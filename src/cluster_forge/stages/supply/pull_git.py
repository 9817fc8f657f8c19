"""A cast stack from a Git repository, at a tag that `push --git` made; everything verified, written as a whole."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import EditedError, FetchError, ForgeError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.foundation.names import counted
from cluster_forge.ports.git import RemoteFiles
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workspace import FolderWriter
from cluster_forge.stages.build.casting.cast_files import BOOTSTRAP, REPOSITORY
from cluster_forge.stages.build.casting.stack_json import STACK_JSON
from cluster_forge.stages.deliver import deployment
from cluster_forge.stages.deliver.deployment import Deployment

STAGE: Final = "pull"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPullTools:
    """The ports that `pull_git` needs."""

    files: FolderWriter
    remotes: RemoteFiles
    reporter: Reporter


def pull_git(address: GitAddress, folder: str, tools: GitPullTools) -> None:
    """Write the stack at an address into ``folder``: what `push --git` has put there, or a committed folder of `cast`.

    Raises:
        DescriptionError: if the repository has no such REF or path.
        FetchError: if it cannot be fetched, or has no cast stack in it.
        EditedError, StaleError, ExceptionGroup: if it is not as `cast` wrote it.
        WorkspaceError: if it cannot be written.
    """
    tools.reporter.stage_started(STAGE, 1)
    commit = tools.remotes.commit(address)
    tree = _below(tools.remotes.files(address, commit), address.path)
    if STACK_JSON not in tree.files:
        raise FetchError(
            f"{address}: there is no {STACK_JSON}",
            fix="name the folder and the tag that `cluster-forge push --git` printed: git+https://HOST/REPO@TAG//PATH",
        )
    started = {
        path: content for path, content in tree.files.items() if path.partition("/")[0] in (STACK_JSON, BOOTSTRAP)
    }
    stack = deployment.of(FileTree(started), str(address))
    if not any(path.startswith(f"{REPOSITORY}/") for path in tree):  # that one is verified when it is read
        raise_all(_differences(stack, tree, address))
    tools.files.replace_trees({folder: tree})
    tools.reporter.stage_finished(STAGE, f"{counted(len(tree), 'file')} of commit {commit[:12]}")


def _below(tree: FileTree, folder: str) -> FileTree:
    if not folder:
        return tree
    files = {posixpath.relpath(path, folder): content for path, content in tree.files.items()}
    return FileTree(files, frozenset(posixpath.relpath(path, folder) for path in tree.executable))


def _differences(stack: Deployment, tree: FileTree, address: GitAddress) -> Iterator[ForgeError]:
    """Objects that the plan has and the repository has not, or otherwise."""
    for part in stack.plan.parts:
        for item in part.objects:
            content = tree.files.get(item.path)
            if content is None or Digest.of(content) != item.digest:
                yield EditedError(
                    "is missing" if content is None else "is not as cast wrote it",
                    where=f"{address}: {item.path}",
                    fix="push the stack again: `cluster-forge push --git`",
                )
