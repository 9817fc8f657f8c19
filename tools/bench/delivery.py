"""Stacks into test clusters: `deploy`, the same again, and `kubectl apply` of the same files until it succeeds.

Each way gets a cluster of its own, as `tests.e2e` builds it: a real API server, and no containers. What the client needs is
measured; the cluster's processes are not below this one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.e2e import network
from tests.e2e.__main__ import NEEDED
from tools.bench import measure, synthetic
from tools.bench.cases import MIRROR, PROGRAM, PROJECT, SHARED
from tools.bench.measure import run
from tools.bench.steps import Step

_SOURCE = SHARED / "stacks" / "everything" / "input" / "config.yaml"
_KUBERNETES = "1.35"
"""A minor version at most from that of the test cluster."""
_SECOND = ("prometheus", {"prometheus-node-exporter": {"enabled": False}})
"""Its node exporter wants the port of another component's on every node."""
_APPLYING = PROJECT / "tools" / "bench" / "kubectl_apply.py"
_WEBHOOKS = "*webhookconfiguration*.yaml"
"""Their files in ``working/``."""
_PLATFORM = f"""\
apiVersion: cluster-forge/v1
kind: Stack
name: platform
target: {{kubernetes: "{_KUBERNETES}", size: small, domain: example.com}}
gitops: {{engine: none}}
components: [platform]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A stack that is delivered to a cluster of that many nodes. ``write`` makes its workspace; ``options`` are for `deploy`."""

    case: str
    nodes: int
    write: Callable[[Path], None]
    options: tuple[str, ...] = ()


def problems() -> list[str]:
    """Why it cannot be measured here."""
    missing = [
        f"`{name}` is not on PATH: install {package}" for name, package in NEEDED.items() if not shutil.which(name)
    ]
    missing += [f"{path} does not exist" for path in (_SOURCE, MIRROR) if not path.exists()]
    return missing or network.problems()


def steps(delivery: Delivery, folder: Path) -> Iterator[Step]:
    """`deploy` into an empty cluster and again, and kubectl into another one.

    Raises:
        RuntimeError: if one of them fails.
    """
    workspace = folder / "workspace"
    delivery.write(workspace)
    run([PROGRAM, "-C", workspace, "forge", "--store", folder / "store", "--quiet", "--offline", "--mirror", MIRROR])
    [stack] = (workspace / "stacks").iterdir()
    with _cluster(folder / "deploy", delivery.nodes) as entered:
        command = [*entered, str(PROGRAM), "-C", str(workspace), "deploy", stack.name, *delivery.options]
        for state in ("cold", "unchanged"):
            yield _deployed(delivery, command, state)
    with _cluster(folder / "kubectl", delivery.nodes) as entered:
        applied = run([*entered, sys.executable, _APPLYING, *_in_order(workspace / "working", folder / "applied")])
        yield Step(case=delivery.case, verb="kubectl apply", state="repeated", run=applied, objects=int(applied.out))


def _in_order(working: Path, folder: Path) -> list[Path]:
    """The objects as a person applies them with kubectl: all but webhook configurations, then these. With its configuration
    there, a webhook that does not answer yet refuses what it matches, also the workload that would answer it.
    """
    first, then = folder / "objects", folder / "webhooks"
    shutil.copytree(working, first, ignore=shutil.ignore_patterns(_WEBHOOKS, ".*"), copy_function=os.link)
    for file in working.rglob(_WEBHOOKS):
        place = then / file.relative_to(working)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, place)
    return [first, then] if then.exists() else [first]


def _deployed(delivery: Delivery, command: Sequence[str], state: str) -> Step:
    done = run([*command, "--quiet", "--format", "json"])
    document = json.loads(done.out)  # with --quiet the result alone
    requests = sum(number for method, number in document["requests"].items() if method != "WATCH")
    objects = sum(component["objects"] for component in document["components"])
    return Step(case=delivery.case, verb="deploy", state=state, run=done, objects=objects, requests=requests)


def _starter(workspace: Path) -> None:
    run([PROGRAM, "-C", workspace, "init", "--yes", "--quiet", "--gitops", "none"])
    file = workspace / "input" / "config.yaml"
    description = yaml.safe_load(file.read_text(encoding="utf-8"))
    description["target"]["kubernetes"] = _KUBERNETES
    file.write_text(yaml.safe_dump(description), encoding="utf-8")


def _platform(workspace: Path) -> None:
    _described(workspace, _PLATFORM)


def _everything(workspace: Path) -> None:
    """The stack as kubectl alone can deliver it."""
    description = yaml.safe_load(_SOURCE.read_text(encoding="utf-8"))
    description["target"]["kubernetes"] = _KUBERNETES
    description["gitops"] = {"engine": "none"}
    name, values = _SECOND
    component = next(component for component in description["components"] if component["name"] == name)
    component["values"] = {**component.get("values", {}), **values}
    _described(workspace, yaml.safe_dump(description))


def _many(workspace: Path) -> None:
    synthetic.write_applied(workspace / "input", components=50, objects=3000, kubernetes=_KUBERNETES)


def _described(workspace: Path, description: str) -> None:
    (workspace / "input").mkdir(parents=True)
    (workspace / "input" / "config.yaml").write_text(description, encoding="utf-8")


DELIVERIES = (
    Delivery(case="deliver-starter", nodes=3, write=_starter),
    Delivery(case="deliver-platform", nodes=20, write=_platform, options=("--allow-missing-secrets",)),
    Delivery(case="deliver-everything", nodes=20, write=_everything),
    Delivery(case="deliver-3,000", nodes=100, write=_many),
)


@contextlib.contextmanager
def _cluster(folder: Path, nodes: int) -> Iterator[list[str]]:
    """A new cluster; the beginning of a command that runs in its network, with its kubeconfig."""
    _e2e("up", str(folder), "--nodes", str(nodes), "--standin")
    try:
        yield [str(folder / "run")]
    finally:
        _e2e("down", str(folder))


def _e2e(*arguments: str) -> None:
    measure.release_orphans()  # the cluster's processes are not what is measured
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"tests.e2e {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
