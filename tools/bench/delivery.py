"""Stacks into test clusters: `deploy` directly or through an engine, the same again, and `kubectl apply` of the same files.

Each way gets a cluster of its own, as `tests.e2e` builds it: a real API server, and no containers. What the client needs is
measured; the cluster's processes, Argo CD's and Flux's among them, are not below this one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.e2e import held, network
from tests.e2e.__main__ import NEEDED
from tools.bench import measure
from tools.bench.cases import MIRROR, PROGRAM, PROJECT
from tools.bench.delivered_stacks import SOURCE, STACKS, DeliveredStack, GitOps
from tools.bench.measure import run
from tools.bench.steps import Step

from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.flux import kustomizations

_APPLYING = PROJECT / "tools" / "bench" / "kubectl_apply.py"
_OF_ENGINES = frozenset({applications.FOLDER, kustomizations.FOLDER})
"""Folders in ``working/`` whose objects are for an engine."""
_DEFINITIONS = ("namespace_*.yaml", "customresourcedefinition.apiextensions.k8s.io_*.yaml")
_WEBHOOKS = ("*webhookconfiguration.admissionregistration.k8s.io_*.yaml",)
"""Files in ``working/``."""


class Way(StrEnum):
    """What delivers: the engine as a description has it."""

    DIRECT = "none"
    ARGO_CD = "argocd"
    FLUX = "flux"


_OF_CLUSTER = {Way.DIRECT: (), Way.ARGO_CD: ("--argocd-when-delivered",), Way.FLUX: ("--flux",)}
"""Options of the test cluster. The stack brings Argo CD, which reads it in the cluster; Flux is there, with a Git server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A stack, and what delivers it."""

    stack: DeliveredStack
    way: Way

    @property
    def case(self) -> str:
        name = f"deliver-{self.stack.name}"
        return name if self.way is Way.DIRECT else f"{name}-{self.way}"


DELIVERIES = tuple(Delivery(stack=stack, way=way) for stack in STACKS for way in Way)
DIRECT = tuple(one.case for one in DELIVERIES if one.way is Way.DIRECT)


def problems() -> list[str]:
    """Why it cannot be measured here."""
    missing = [
        f"`{name}` is not on PATH: install {package}" for name, package in NEEDED.items() if not shutil.which(name)
    ]
    missing += [f"{path} does not exist" for path in (SOURCE, MIRROR) if not path.exists()]
    return missing or network.problems()


def steps(delivery: Delivery, folder: Path) -> Iterator[Step]:
    """`deploy` into an empty cluster and again, and kubectl into another one.

    Raises:
        RuntimeError: if one of them fails.
    """
    workspace = folder / "workspace"
    with _cluster(folder / "deploy", delivery.stack.nodes, *_OF_CLUSTER[delivery.way]) as cluster:
        delivery.stack.write(workspace, _gitops(delivery.way, cluster))
        program = (str(PROGRAM), "-C", str(workspace))
        run([*program, "forge", "--quiet", "--store", folder / "store", "--offline", "--mirror", MIRROR])
        entered = [*cluster.entered, *program]
        if delivery.way is Way.FLUX:
            run([*entered, "push", "--git", "--quiet"])
        for state in ("cold", "unchanged"):
            yield _deployed(delivery, [*entered, "deploy", *delivery.stack.options], state)
    with _cluster(folder / "kubectl", delivery.stack.nodes) as cluster:
        files = in_order(workspace / "working", folder / "applied")
        applied = run([*cluster.entered, sys.executable, _APPLYING, *files])
        yield Step(case=delivery.case, verb="kubectl apply", state="repeated", run=applied, objects=int(applied.out))


def _gitops(way: Way, cluster: _Cluster) -> GitOps:
    if way is Way.FLUX:
        return {"engine": way.value, "install": False, "source": "external", "url": cluster.git}
    return {"engine": way.value}


def in_order(working: Path, folder: Path) -> list[Path]:
    """The components' objects as a person applies them with kubectl: namespaces and CRDs, what needs them, and in the end
    webhook configurations. With its configuration there, a webhook that does not answer yet refuses what it matches, also the
    workload that would answer it.
    """
    steps = {name: folder / name for name in ("definitions", "objects", "webhooks")}
    for file in sorted(working.glob("[!.]*/**/*.yaml")):
        path = file.relative_to(working)
        if path.parts[0] not in _OF_ENGINES:
            place = steps[_step(path)] / path
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, place)
    return [step for step in steps.values() if step.exists()]


def _step(path: Path) -> str:
    if any(map(path.match, _DEFINITIONS)):
        return "definitions"
    return "webhooks" if any(map(path.match, _WEBHOOKS)) else "objects"


def _deployed(delivery: Delivery, command: Sequence[str], state: str) -> Step:
    done = run([*command, "--yes", "--quiet", "--format", "json"])
    document = json.loads(done.out)  # with --quiet the result alone
    requests = sum(number for method, number in document["requests"].items() if method != "WATCH")
    objects = sum(component["objects"] for component in document["components"])
    return Step(case=delivery.case, verb="deploy", state=state, run=done, objects=objects, requests=requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cluster:
    folder: Path

    @property
    def entered(self) -> list[str]:
        """The beginning of a command that runs in its network, with its kubeconfig."""
        return [str(self.folder / "run")]

    @property
    def git(self) -> str:
        """The repository that takes pushes, beside a cluster with Flux."""
        return (self.folder / held.GIT).read_text(encoding="utf-8")


@contextlib.contextmanager
def _cluster(folder: Path, nodes: int, *options: str) -> Iterator[_Cluster]:
    """A new cluster."""
    _e2e("up", str(folder), "--nodes", str(nodes), "--standin", *options)
    try:
        yield _Cluster(folder=folder)
    finally:
        _e2e("down", str(folder))


def _e2e(*arguments: str) -> None:
    measure.release_orphans()  # the cluster's processes are not what is measured
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"tests.e2e {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
