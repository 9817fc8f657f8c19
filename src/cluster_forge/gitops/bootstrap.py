"""The folder ``bootstrap/``: the files of a plan's steps, which `deploy.sh` hands to kubectl.

::

    waves/NNN-<part>/          direct delivery: every part, in order
    argocd/                    Argo CD's own part, its settings and its project
    git-server.yaml  repository-NNN.yaml  git-server-deployment.yaml     the repository, where the cluster serves it
    root.yaml                  the root Application
    objects  claim.yaml        what the stack claims in the cluster (`ownership`)

In a part's folder: ``namespaces.yaml``, ``crds.yaml``, ``hooks-pre-NN-objects.yaml``, ``hooks-pre-NN-jobs.yaml``,
``objects.yaml``, ``jobs.yaml``, ``custom.yaml``, ``hooks-post-NN-….yaml``; and ``wait``, with a line for each object that
must be ready: ``monitoring deployment.apps/grafana``, ``-`` for no namespace.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import Delete, Step, content

FOLDER = "bootstrap"
ARGOCD = "argocd"


def tree(plan: DeployPlan) -> FileTree:
    """The folder's files, with ``bootstrap/`` before their paths."""
    trees = [_files(part.steps).under(part.folder) for part in plan.components]
    if plan.argocd:
        trees += [
            _files(plan.argocd.install).under(ARGOCD),
            _files(plan.argocd.repository),
            _files([plan.argocd.sync]),
        ]
    return join(plan.claim, *trees).under(FOLDER)


def _files(steps: Iterable[Step]) -> FileTree:
    return FileTree({step.file: content(step) for step in steps if not isinstance(step, Delete) and step.file})
