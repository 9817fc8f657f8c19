"""A cast stack as it is deployed: its plan with the documents of every step, and the objects of its components.

It is read from the files that `deploy.sh` applies, so both ways apply the same documents; and from those files again where
a release has kept them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import expected, raise_all
from cluster_forge.foundation.errors import EditedError, ForgeError, StaleError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import bootstrap, cluster_folder
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.workspace import FolderReader
from cluster_forge.stages.build.casting import stack_json
from cluster_forge.stages.build.casting.cast_files import BOOTSTRAP, REPOSITORY
from cluster_forge.stages.build.casting.stack_json import STACK_JSON

_RECAST = "run `cluster-forge cast` again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is deployed. ``folder`` is for messages (``stacks/platform``), ``image`` the digest of the image's index.

    ``beside`` are ``stack.json`` and those files of ``bootstrap/`` that the plan's steps do not have: the documents of a
    large stack are in memory once.
    """

    folder: str
    plan: DeployPlan
    image: Digest | None
    beside: FileTree = field(repr=False)

    @property
    def files(self) -> FileTree:
        """``stack.json`` and ``bootstrap/``, made each time: what a release keeps."""
        return bootstrap.completed(self.beside, self.plan)

    @property
    def name(self) -> str:
        """The stack."""
        return self.plan.stack


def of(files: FileTree, folder: str) -> Deployment:
    """The deployment in the files ``stack.json`` and ``bootstrap/…`` of a cast stack.

    Raises:
        StaleError: if `cast` did not write them, or another version of it.
        EditedError, ExceptionGroup: for each file that is not as `cast` wrote it.
    """
    if STACK_JSON not in files.files:
        raise StaleError("is missing: cast has not written this folder", where=f"{folder}/{STACK_JSON}", fix=_RECAST)
    about = files[STACK_JSON]
    if (schema := stack_json.schema(about)) not in ("", stack_json.SCHEMA):
        raise StaleError(
            f"has the schema {schema!r}: another version of Cluster-Forge wrote it (this one reads {stack_json.SCHEMA!r})",
            where=f"{folder}/{STACK_JSON}",
            fix=_RECAST,
        )
    plan = bootstrap.read(files)
    if (version := stack_json.version(about)) != plan.version:
        raise EditedError(
            f"is of version {version}, and bootstrap/ of version {plan.version}"
            if version
            else "is damaged: it is not the JSON document that cast writes",
            where=f"{folder}/{STACK_JSON}",
            fix=_RECAST,
        )
    beside = bootstrap.beside(files, plan)
    return Deployment(folder=folder, plan=plan, image=stack_json.image(about), beside=beside)


def read(folder: str, files: FolderReader, shown: str = "") -> Deployment:
    """The deployment in a folder of the workspace, or in one that errors call ``shown``, as the user has typed it.

    Raises:
        StaleError, EditedError, ExceptionGroup: as `of`.
        WorkspaceError: if the folder cannot be read.
    """
    about = files.read(f"{folder}/{STACK_JSON}")
    top = FileTree({STACK_JSON: about} if about is not None else {})
    started = files.read_tree(f"{folder}/{BOOTSTRAP}")
    try:
        return of(join(top, started.under(BOOTSTRAP)) if started else top, folder)
    except (StaleError, EditedError, ExceptionGroup) as error:
        raise_all(_in(folder, shown or folder, one) for one in expected(error))
        raise


def _in(folder: str, shown: str, error: ForgeError) -> ForgeError:
    """The error with the file's path, where it has one."""
    if error.where:
        error.where = f"{shown.rstrip('/')}/{error.where.removeprefix(f'{folder}/')}"
    return error


def placed(deployment: Deployment, cluster: str, parse: Callable[[str], Body]) -> Deployment:
    """The deployment of one cluster that has a folder of its own in the Git repository (`cluster_folder`)."""
    plan = deployment.plan
    if plan.delivery is Delivery.DIRECT:
        return deployment
    plan = cluster_folder.placed_plan(plan, cluster_folder.of(plan, cluster, parse, is_central=False), parse)
    about = FileTree({STACK_JSON: deployment.beside[STACK_JSON]})
    return of(join(about, bootstrap.tree(plan)), deployment.folder)


def parts(
    deployment: Deployment, files: FolderReader, repositories: Repositories, parse: Callable[[str], Body]
) -> tuple[Part, ...]:
    """The components with the documents of their objects, from the Git repository in the deployment's folder, or from the
    folder itself: a stack from a Git repository has no other in it (`pull_git`, which verifies it).

    Raises:
        StaleError: if an object is missing.
        RepositoryError: if the repository is damaged.
    """
    place = f"{deployment.folder}/{REPOSITORY}"
    repository = files.read_tree(place)
    if repository is None:
        place = deployment.folder
        committed = (files.read_tree(place) or FileTree({})).files
    else:
        committed = repositories.files(repository).files
    if missing := [item.path for part in deployment.plan.parts for item in part.objects if item.path not in committed]:
        raise StaleError(f"lacks {missing[0]}", where=place, fix=_RECAST)
    return tuple(replace(part).with_documents(committed, parse) for part in deployment.plan.parts)
