"""push --git: the manifests of a cast stack into a Git repository, from which a GitOps engine reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.git_addresses import GitAddress, is_ref
from cluster_forge.ports.git import Publication, Published, RemoteRepositories, Repositories
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workspace import FolderReader
from cluster_forge.stages.build import stack_json
from cluster_forge.stages.build.cast_files import REPOSITORY
from cluster_forge.stages.build.stack_json import STACK_JSON

STAGE: Final = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPushRequest:
    """The folder below ``stacks/``, and where its manifests go: a repository, a folder in it, a branch.

    ``base`` is the branch from which a new one starts. ``is_trial`` pushes nothing.
    """

    folder: str
    address: GitAddress
    path: str
    branch: str
    base: str
    is_trial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPushResult:
    """What the repository has; ``version`` is the tag."""

    version: str
    files: int
    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPushTools:
    """The ports that `push_git` needs."""

    files: FolderReader
    repositories: Repositories
    remotes: RemoteRepositories
    reporter: Reporter


def push_git(request: GitPushRequest, tools: GitPushTools) -> GitPushResult:
    """Push the files of ``repo.git``, under the tag that the engine reads.

    Raises:
        StaleError: if `cast` did not write the folder.
        TagError, EditedError, FetchError, RepositoryError: as `RemoteRepositories.publish`.
    """
    version = stack_json.version(tools.files.read(f"{request.folder}/{STACK_JSON}") or b"")
    repository = tools.files.read_tree(f"{request.folder}/{REPOSITORY}")
    if not is_ref(version) or repository is None:
        raise StaleError("is not what cast writes", where=f"{request.folder}/", fix="run `cluster-forge cast` again")
    tools.reporter.stage_started(STAGE, 1)
    files = tools.repositories.files(repository)
    name = request.folder.rpartition("/")[2]
    publication = Publication(
        files=files,
        path=request.path,
        branch=request.branch,
        base=request.base,
        tag=version,
        message=f"{name} {version}\n",
    )
    tools.reporter.item_started(STAGE, request.branch)
    published = tools.remotes.publish(request.address, publication, is_trial=request.is_trial)
    tools.reporter.item_finished(STAGE, request.branch, f"commit {published.commit}")
    tools.reporter.stage_finished(STAGE, f"{request.address}, branch {request.branch}, tag {version}")
    return GitPushResult(version=version, files=len(files), published=published)
