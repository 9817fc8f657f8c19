"""A whole platform into a test cluster: `deploy`, the same again, and `kubectl apply` of the same files until it succeeds.

Each way gets a cluster of its own, of 20 nodes, as `tests.e2e` builds it: a real API server, and no containers. What the
client needs is measured; the cluster's processes are not below this one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from tests.e2e import network
from tests.e2e.__main__ import NEEDED
from tools.bench import measure
from tools.bench.cases import MIRROR, PROGRAM, PROJECT, SHARED
from tools.bench.measure import run
from tools.bench.steps import Step

CASE = "delivery"
STACK = "everything"
NODES = 20
_SOURCE = SHARED / "stacks" / STACK / "input" / "config.yaml"
_KUBERNETES = "1.35"
"""A minor version at most from that of the test cluster."""
_SECOND = ("prometheus", {"prometheus-node-exporter": {"enabled": False}})
"""Its node exporter wants the port of another component's on every node."""
_APPLYING = PROJECT / "tools" / "bench" / "kubectl_apply.py"


def problems() -> list[str]:
    """Why it cannot be measured here."""
    missing = [f"`{name}` is not on PATH: install {package}" for name, package in NEEDED.items() if not _path(name)]
    missing += [f"{path} does not exist" for path in (_SOURCE, MIRROR) if not path.exists()]
    return missing or network.problems()


def steps(folder: Path) -> Iterator[Step]:
    """`deploy` into an empty cluster and again, and kubectl into another one.

    Raises:
        RuntimeError: if one of them fails.
    """
    workspace = _forged(folder)
    with _cluster(folder / "deploy") as entered:
        for state in ("cold", "unchanged"):
            yield _deployed([*entered, str(PROGRAM), "-C", str(workspace)], state)
    with _cluster(folder / "kubectl") as entered:
        applied = run([*entered, sys.executable, _APPLYING, workspace / "working"])
        yield Step(case=CASE, verb="kubectl apply", state="repeated", run=applied, objects=int(applied.out))


def _deployed(command: Sequence[str], state: str) -> Step:
    done = run([*command, "deploy", STACK, "--quiet", "--format", "json"])
    document = json.loads(done.out.splitlines()[-1])
    requests = sum(number for method, number in document["requests"].items() if method != "WATCH")
    objects = sum(component["objects"] for component in document["components"])
    return Step(case=CASE, verb="deploy", state=state, run=done, objects=objects, requests=requests)


def _forged(folder: Path) -> Path:
    """A workspace with the stack as kubectl alone can deliver it."""
    description = yaml.safe_load(_SOURCE.read_text(encoding="utf-8"))
    description["target"]["kubernetes"] = _KUBERNETES
    description["gitops"] = {"engine": "none"}
    name, values = _SECOND
    component = next(component for component in description["components"] if component["name"] == name)
    component["values"] = {**component.get("values", {}), **values}
    workspace = folder / "workspace"
    (workspace / "input").mkdir(parents=True)
    (workspace / "input" / "config.yaml").write_text(yaml.safe_dump(description), encoding="utf-8")
    run([PROGRAM, "-C", workspace, "forge", "--store", folder / "store", "--quiet", "--offline", "--mirror", MIRROR])
    return workspace


@contextlib.contextmanager
def _cluster(folder: Path) -> Iterator[list[str]]:
    """A new cluster; the beginning of a command that runs in its network, with its kubeconfig."""
    _e2e("up", str(folder), "--nodes", str(NODES), "--standin")
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


def _path(program: str) -> str | None:
    return shutil.which(program)
