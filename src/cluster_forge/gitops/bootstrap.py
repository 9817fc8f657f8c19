"""The folder ``bootstrap/``: the files of a plan's steps, which `deploy.sh` hands to kubectl.

::

    waves/NNN-<part>/          direct delivery: every part, in order
    argocd/                    Argo CD's own part, its settings and its project
    git-server.yaml  repository-NNN.yaml  git-server-deployment.yaml     the repository, where the cluster serves it
    root.yaml                  the root Application
    files                      all of the above in the order of the steps: DIGEST BYTES OBJECTS PATH

In a part's folder: ``namespaces.yaml``, ``crds.yaml``, ``hooks-pre-NN-objects.yaml``, ``hooks-pre-NN-jobs.yaml``,
``objects.yaml``, ``jobs.yaml``, ``custom.yaml``, ``hooks-post-NN-….yaml``; and ``wait``, with a line for each object that
must be ready: ``monitoring deployment.apps/grafana``, ``-`` for no namespace. ``hooks-pre-delete`` and ``hooks-post-delete``
have a line for each hook that is deleted: ``succeeded hooks-pre-00-objects.yaml - clusterrole.rbac.authorization.k8s.io/a``.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import Delete, Step, content, objects

FOLDER = "bootstrap"
ARGOCD = "argocd"
LIST = f"{FOLDER}/files"
"""The list of the files, by which `deploy.sh` checks them and runs their steps."""


def tree(plan: DeployPlan) -> FileTree:
    """The folder's files, with ``bootstrap/`` before their paths."""
    files = {}
    lines = []
    for path, step in _steps(plan):
        files[path] = written = content(step)
        lines.append(f"{Digest.of(written).hex} {len(written)} {objects(step)} {path}\n")
    return FileTree({**files, LIST: "".join(lines).encode()})


def _steps(plan: DeployPlan) -> Iterator[tuple[str, Step]]:
    """The steps that have a file, with their paths, in their order."""
    for part in plan.components:
        yield from _in(f"{FOLDER}/{part.folder}", part.steps)
    if plan.argocd:
        yield from _in(f"{FOLDER}/{ARGOCD}", plan.argocd.install)
        yield from _in(FOLDER, (*plan.argocd.repository, plan.argocd.sync))


def _in(folder: str, steps: tuple[Step, ...]) -> Iterator[tuple[str, Step]]:
    return ((f"{folder}/{step.file}", step) for step in steps if not isinstance(step, Delete) and step.file)
