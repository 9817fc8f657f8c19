"""push --git: the manifests of a cast stack into a Git repository, from which a GitOps engine reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.foundation.git_addresses import GitAddress, is_ref
from cluster_forge.gitops import cluster_folder
from cluster_forge.ports.git import Publication, Published, RemoteRepositories, Repositories
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.ports.workspace import FolderReader
from cluster_forge.stages.build.casting import stack_json
from cluster_forge.stages.build.casting.cast_files import REPOSITORY
from cluster_forge.stages.build.casting.stack_json import STACK_JSON
from cluster_forge.stages.deliver import deployment

STAGE: Final = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPushRequest:
    """The folder below ``stacks/``, and where its manifests go: a repository, a folder in it, a branch.

    ``base`` is the branch from which a new one starts. ``is_trial`` pushes nothing. With ``cluster`` it is the folder of that
    cluster, below the one that the stack was cast for; ``is_central``: a central Argo CD delivers to it.
    """

    folder: str
    address: GitAddress
    path: str
    branch: str
    base: str
    is_trial: bool = False
    cluster: str = ""
    is_central: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPushResult:
    """What the repository has, in the folder ``path``; ``version`` is the tag."""

    version: str
    path: str
    files: int
    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPushTools:
    """The ports that `push_git` needs."""

    files: FolderReader
    repositories: Repositories
    remotes: RemoteRepositories
    reader: YamlReader
    reporter: Reporter


def push_git(request: GitPushRequest, tools: GitPushTools) -> GitPushResult:
    """Push the files of ``repo.git``, under the tag that the engine reads, and beside them what `deploy` needs (`pull_git`).

    A central Argo CD gets what its own cluster needs from `deploy` alone.

    Raises:
        StaleError, EditedError, ExceptionGroup: if the folder is not as `cast` wrote it.
        TagError, EditedError, FetchError, RepositoryError: as `RemoteRepositories.publish`.
    """
    version = stack_json.version(tools.files.read(f"{request.folder}/{STACK_JSON}") or b"")
    repository = tools.files.read_tree(f"{request.folder}/{REPOSITORY}")
    if not is_ref(version) or repository is None:
        raise StaleError("is not what cast writes", where=f"{request.folder}/", fix="run `cluster-forge cast` again")
    tools.reporter.stage_started(STAGE, 1)
    stack = deployment.read(request.folder, tools.files)
    files, path, tag = tools.repositories.files(repository), request.path, version
    message = f"{request.folder.rpartition('/')[2]} {version}"
    if request.cluster:
        place = cluster_folder.of(stack.plan, request.cluster, tools.reader.read, is_central=request.is_central)
        files, path, tag = cluster_folder.files(files, place, tools.reader.read), place.path, place.tag
        stack = stack if request.is_central else deployment.placed(stack, request.cluster, tools.reader.read)
        message += f" for {request.cluster}"
    notes = FileTree({}) if request.is_central else stack.files
    publication = Publication(
        files=join(files, notes),
        path=path,
        branch=request.branch,
        base=request.base,
        tag=tag,
        message=f"{message}\n",
        notes=frozenset(notes),
    )
    tools.reporter.item_started(STAGE, request.branch)
    published = tools.remotes.publish(request.address, publication, is_trial=request.is_trial)
    tools.reporter.item_finished(STAGE, request.branch, f"commit {published.commit}")
    tools.reporter.stage_finished(STAGE, f"{request.address.shown}, branch {request.branch}, tag {tag}")
    return GitPushResult(version=tag, path=path, files=len(publication.files), published=published)
