"""The folder ``bootstrap/``: the files of a plan's steps, which `deploy.sh` hands to kubectl.

::

    waves/NNN-<part>/          direct delivery: every part, in order
    argocd/                    Argo CD's own part, its settings and its project ``default``
    git-server.yaml  repository-NNN.yaml  git-server-deployment.yaml     the repository, where the cluster serves it
    project.yaml               the stack's AppProject
    argocd-settings.yaml       what an Argo CD that is in the cluster already should have; nothing applies it
    flux/                      Flux's own part
    root.yaml                  the root Application; for Flux the source and the root Kustomization
    objects  claim.yaml  versions      what the stack claims in the cluster (`ownership`)
    plan.json                  the plan itself, without what the other files hold: for `deploy`
    files                      all of the above: DIGEST BYTES OBJECTS PATH, those of the steps in their order

In a part's folder: ``namespaces.yaml``, ``crds.yaml``, ``hooks-pre-NN-objects.yaml``, ``hooks-pre-NN-jobs.yaml``,
``objects.yaml``, ``jobs.yaml``, ``custom.yaml``, ``hooks-post-NN-….yaml``; and ``wait``, with a line for each object that
must be ready: ``monitoring deployment.apps/grafana``, ``-`` for no namespace. ``hooks-pre-delete`` and ``hooks-post-delete``
have a line for each hook that is deleted: ``succeeded hooks-pre-00-objects.yaml - clusterrole.rbac.authorization.k8s.io/a``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, TypeVar, cast

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import EditedError, ForgeError, StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import ownership
from cluster_forge.gitops.plan import ArgoCdPlan, DeployPlan, FluxPlan
from cluster_forge.gitops.steps import Delete, Step, content, objects, with_content

FOLDER = "bootstrap"
ARGOCD, FLUX = "argocd", "flux"
PLAN: Final = f"{FOLDER}/plan.json"
SCHEMA: Final = "cluster-forge/plan/v1"
_RECAST: Final = "run `cluster-forge cast` again, and keep what is yours in input/ or working/"
_WORDS: Final = 4
AnyStep = TypeVar("AnyStep", bound=Step)
LIST = f"{FOLDER}/files"
"""The list of the files, by which `deploy.sh` checks them and runs their steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlanFile:
    schema: str
    plan: DeployPlan


def tree(plan: DeployPlan) -> FileTree:
    """The folder's files, with ``bootstrap/`` before their paths."""
    files = {}
    lines = []
    written_plan = json_codec.dump(_PlanFile(schema=SCHEMA, plan=plan), indent=True)
    others = {**plan.claim.under(FOLDER).files, PLAN: written_plan}
    steps = ((path, content(step), objects(step)) for path, step in _steps(plan))
    for path, written, number in chain(((path, written, 0) for path, written in others.items()), steps):
        files[path] = written
        lines.append(f"{Digest.of(written).hex} {len(written)} {number} {path}\n")
    return FileTree({**files, LIST: "".join(lines).encode()})


def read(files: FileTree) -> DeployPlan:
    """The plan that `tree` wrote, from the folder's files; its steps have the documents that `deploy.sh` applies.

    Raises:
        EditedError, ExceptionGroup: for each file that is not as it was written, or is missing.
        StaleError: if the plan is of another version of Cluster-Forge.
    """
    files = _checked(files)
    try:
        written = json_codec.load(_PlanFile, files.files.get(PLAN, b""))
    except json_codec.DecodeError as error:
        raise _stale(str(error)) from error
    if written.schema != SCHEMA:
        raise _stale(f"schema: {written.schema!r}, not {SCHEMA!r}")
    plan = written.plan
    read = _Documents(files)
    components = tuple(replace(part, steps=read.all(f"{FOLDER}/{part.folder}", part.steps)) for part in plan.components)
    claim = FileTree({path: files[f"{FOLDER}/{path}"] for path in ownership.FILES if f"{FOLDER}/{path}" in files.files})
    argocd = plan.argocd and _argocd(plan.argocd, read)
    return replace(plan, components=components, claim=claim, argocd=argocd, flux=plan.flux and _flux(plan.flux, read))


def _stale(reason: str) -> StaleError:
    return StaleError(
        f"is not the plan of a deployment as this version writes it: {reason}",
        where=PLAN,
        fix="run `cluster-forge cast` again; a release of another version is deployed with that version",
    )


def beside(files: FileTree, plan: DeployPlan) -> FileTree:
    """The files that `completed` cannot write again from the plan: all but those of its steps, of a large stack a small part."""
    same = {path for path, step in _steps(plan) if files.files.get(path) == content(step)}
    return FileTree({path: written for path, written in files.files.items() if path not in same})


def completed(files: FileTree, plan: DeployPlan) -> FileTree:
    """The files that `beside` has, with those of the plan's steps."""
    return FileTree({**{path: content(step) for path, step in _steps(plan)}, **files.files})


def _argocd(argocd: ArgoCdPlan, read: _Documents) -> ArgoCdPlan:
    return replace(
        argocd,
        install=read.all(f"{FOLDER}/{ARGOCD}", argocd.install),
        repository=read.all(FOLDER, argocd.repository),
        project=argocd.project and read.one(FOLDER, argocd.project),
        settings=argocd.settings and read.one(FOLDER, argocd.settings),
        sync=read.one(FOLDER, argocd.sync),
    )


def _flux(flux: FluxPlan, read: _Documents) -> FluxPlan:
    return replace(flux, install=read.all(f"{FOLDER}/{FLUX}", flux.install), sync=read.one(FOLDER, flux.sync))


@dataclass(frozen=True, slots=True)
class _Documents:
    """The documents of steps, from their files."""

    files: FileTree

    def all(self, folder: str, steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
        return tuple(self.one(folder, step) for step in steps)

    def one(self, folder: str, step: AnyStep) -> AnyStep:
        if isinstance(step, Delete) or not step.file:
            return step
        path = f"{folder}/{step.file}"
        if path not in self.files.files:
            raise EditedError("is missing: the plan names it", where=path, fix=_RECAST)
        return cast(AnyStep, with_content(step, self.files[path]))


def _checked(files: FileTree) -> FileTree:
    """Those of the files that are in the list: a file that others have put beside them is not part of the deployment.

    Raises:
        EditedError, ExceptionGroup: for each one that differs from the list.
    """
    if LIST not in files.files:
        raise StaleError("is missing: cast writes it", where=LIST, fix=_RECAST)
    lines = files[LIST].decode(errors="replace").splitlines()
    raise_all(chain.from_iterable(_differs(line, files) for line in lines))
    return FileTree({path: files[path] for path in sorted({line.split(" ", 3)[3] for line in lines})})


def _differs(line: str, files: FileTree) -> Iterator[ForgeError]:
    words = line.split(" ", 3)
    if len(words) < _WORDS:
        yield EditedError(f"is not as cast left it: {line[:80]!r} is not a line of the list", where=LIST, fix=_RECAST)
        return
    digest, _, _, path = words
    written = files.files.get(path)
    if written is None:
        yield EditedError("is missing", where=path, fix=_RECAST)
    elif Digest.of(written).hex != digest:
        yield EditedError("is not as cast left it", where=path, fix=_RECAST)


def _steps(plan: DeployPlan) -> Iterator[tuple[str, Step]]:
    """The steps that have a file, with their paths, in their order."""
    for part in plan.components:
        yield from _in(f"{FOLDER}/{part.folder}", part.steps)
    if plan.argocd:
        yield from _in(f"{FOLDER}/{ARGOCD}", plan.argocd.install)
        beside = filter(None, (plan.argocd.project, plan.argocd.settings))
        yield from _in(FOLDER, (*plan.argocd.repository, *beside, plan.argocd.sync))
    if plan.flux:
        yield from _in(f"{FOLDER}/{FLUX}", plan.flux.install)
        yield from _in(FOLDER, (plan.flux.sync,))


def _in(folder: str, steps: tuple[Step, ...]) -> Iterator[tuple[str, Step]]:
    return ((f"{folder}/{step.file}", step) for step in steps if not isinstance(step, Delete) and step.file)
