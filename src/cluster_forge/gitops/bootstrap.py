"""The folder ``bootstrap/``: everything that `deploy.sh` gives to kubectl.

::

    waves/NNN-<part>/          direct delivery: every part, in order (see `wave_files`)
    argocd/                    Argo CD's own part, the same way; settings.yaml and project.yaml beside it
    git-server.yaml  repository-NNN.yaml  git-server-deployment.yaml     the repository, where the cluster serves it
    root.yaml                  the root Application
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import delivery_mode, git_server, wave_files
from cluster_forge.gitops.argocd import applications, component
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.deploy_script import Plan, Wave
from cluster_forge.gitops.parts import groups_made_by, in_order, is_custom
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import RepositorySource, Stack

FOLDER = "bootstrap"


def tree(stack: Stack, parts: Sequence[Part], repository: FileTree, commit: str, revision: str) -> FileTree:
    """The folder's files, with ``bootstrap/`` before their paths.

    ``repository`` holds the files of the bare Git repository, ``commit`` is the id of its commit, ``revision`` the tag
    on it that the Applications are pinned to.
    """
    delivery = delivery_mode.delivery(stack, parts)
    if delivery is Delivery.DIRECT:
        minor = stack.target.kubernetes.minor
        return join(*(wave_files.of(part, parts, minor).under(folder) for folder, part in _waves(parts))).under(FOLDER)
    argo = _argocd(stack, parts) if delivery is Delivery.INSTALL else FileTree({})
    return join(argo, _repository(stack, parts, repository, commit), _root(stack, parts, revision)).under(FOLDER)


def plan(stack: Stack, parts: Sequence[Part], commit: str, revision: str) -> Plan:
    """What `deploy.sh` has to know beyond the files of the folder."""
    delivery = delivery_mode.delivery(stack, parts)
    argo = component.find(parts)
    return Plan(
        stack=stack.name,
        kubernetes=stack.target.kubernetes,
        delivery=delivery,
        namespace=component.namespace(parts) if delivery is Delivery.INSTALL else component.NAMESPACE,
        root=applications.root_name(stack, parts),
        revision=revision,
        commit=commit,
        git_server=git_server.name(stack) if stack.gitops.source is RepositorySource.INTERNAL else "",
        image_known=bool(argo and delivery is Delivery.INSTALL and component.image(argo)),
        waves=tuple(
            Wave(folder=f"{FOLDER}/{folder}", wave=part.wave, objects=len(part.applied))
            for folder, part in _waves(parts)
        ),
    )


def _waves(parts: Sequence[Part]) -> Iterator[tuple[str, Part]]:
    """The parts that have something to apply, each with its folder."""
    for number, part in enumerate(part for part in in_order(parts) if part.applied):
        yield f"waves/{number:03}-{part.name}", part


def _argocd(stack: Stack, parts: Sequence[Part]) -> FileTree:
    """Argo CD's part as it can be on a bare cluster: what needs another part's CRDs is left to Argo CD itself."""
    minor = stack.target.kubernetes.minor
    part = component.find(component.delivered(stack, parts))
    assert part is not None, "a stack that installs Argo CD holds it"
    made = groups_made_by(part.applied)
    possible = tuple(each for each in part.applied if each.id.group in made or not is_custom(each.kind, minor))
    files = {
        "settings.yaml": wave_files.documents(component.settings(parts)),
        "project.yaml": wave_files.documents(component.project(parts)),
    }
    beside = FileTree({path: content for path, content in files.items() if content})
    return join(wave_files.of(dataclasses.replace(part, objects=possible), parts, minor), beside).under("argocd")


def _repository(stack: Stack, parts: Sequence[Part], repository: FileTree, commit: str) -> FileTree:
    """The Git server and what it serves; nothing where Argo CD reads from elsewhere."""
    if stack.gitops.source is not RepositorySource.INTERNAL:
        return FileTree({})
    installed = delivery_mode.delivery(stack, parts) is Delivery.INSTALL
    argo = component.find(parts) if installed else None
    image, secrets = (argo and component.image(argo)) or (git_server.NO_IMAGE, ())
    packed = git_server.archive(repository)
    surroundings = git_server.surroundings(stack, component.namespace(parts) if installed else "")
    files = {
        "git-server.yaml": wave_files.documents(surroundings),
        "git-server-deployment.yaml": wave_files.documents(
            [git_server.deployment(stack, packed, commit, image, secrets)]
        ),
    }
    for number, body in enumerate(git_server.chunks(stack, packed, commit)):
        files[f"repository-{number:03}.yaml"] = wave_files.documents([body])
    return FileTree(files)


def _root(stack: Stack, parts: Sequence[Part], revision: str) -> FileTree:
    return FileTree({"root.yaml": wave_files.documents([applications.root(stack, parts, revision)])})
