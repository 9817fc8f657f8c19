"""The folder ``bootstrap/``: the files of a plan's steps, which `deploy.sh` hands to kubectl.

::

    waves/NNN-<part>/          direct delivery: every part, in order
    argocd/                    Argo CD's own part, its settings and its project
    git-server.yaml  repository-NNN.yaml  git-server-deployment.yaml     the repository, where the cluster serves it
    flux/                      Flux's own part
    root.yaml                  the root Application; for Flux the source and the root Kustomization
    objects  claim.yaml        what the stack claims in the cluster (`ownership`)
    files                      all of the above: DIGEST BYTES OBJECTS PATH, those of the steps in their order

In a part's folder: ``namespaces.yaml``, ``crds.yaml``, ``hooks-pre-NN-objects.yaml``, ``hooks-pre-NN-jobs.yaml``,
``objects.yaml``, ``jobs.yaml``, ``custom.yaml``, ``hooks-post-NN-….yaml``; and ``wait``, with a line for each object that
must be ready: ``monitoring deployment.apps/grafana``, ``-`` for no namespace. ``hooks-pre-delete`` and ``hooks-post-delete``
have a line for each hook that is deleted: ``succeeded hooks-pre-00-objects.yaml - clusterrole.rbac.authorization.k8s.io/a``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import Delete, Step, content, objects

FOLDER = "bootstrap"
ARGOCD, FLUX = "argocd", "flux"
LIST = f"{FOLDER}/files"
"""The list of the files, by which `deploy.sh` checks them and runs their steps."""


def tree(plan: DeployPlan) -> FileTree:
    """The folder's files, with ``bootstrap/`` before their paths."""
    files = {}
    lines = []
    claim = ((path, written, 0) for path, written in plan.claim.under(FOLDER).files.items())
    steps = ((path, content(step), objects(step)) for path, step in _steps(plan))
    for path, written, number in chain(claim, steps):
        files[path] = written
        lines.append(f"{Digest.of(written).hex} {len(written)} {number} {path}\n")
    return FileTree({**files, LIST: "".join(lines).encode()})


def _steps(plan: DeployPlan) -> Iterator[tuple[str, Step]]:
    """The steps that have a file, with their paths, in their order."""
    for part in plan.components:
        yield from _in(f"{FOLDER}/{part.folder}", part.steps)
    if plan.argocd:
        yield from _in(f"{FOLDER}/{ARGOCD}", plan.argocd.install)
        yield from _in(FOLDER, (*plan.argocd.repository, plan.argocd.sync))
    if plan.flux:
        yield from _in(f"{FOLDER}/{FLUX}", plan.flux.install)
        yield from _in(FOLDER, (plan.flux.sync,))


def _in(folder: str, steps: tuple[Step, ...]) -> Iterator[tuple[str, Step]]:
    return ((f"{folder}/{step.file}", step) for step in steps if not isinstance(step, Delete) and step.file)
