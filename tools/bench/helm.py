"""For comparison, the same charts by ``helm template``: one by one, on all cores, and with a split into files by PyYAML."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml
from tools.bench.cases import PROJECT, SHARED
from tools.bench.measure import Run, run
from tools.bench.steps import Step

HELM = shutil.which("helm") or shutil.which("helm", path=Path.home() / "go" / "bin")
STACK = "everything"
_SPLIT = PROJECT / "tools" / "bench" / "split.py"


def version() -> str:
    """As in ``v3.22.0``; ``none`` if it is not installed."""
    return run([HELM, "version", "--template", "{{.Version}}"]).out.decode() if HELM else "none"


def one_by_one(folder: Path) -> Iterator[Step]:
    """The charts of ``stacks/everything`` with their values, in sequence.

    Raises:
        RuntimeError: if one fails.
    """
    runs = [run(command) for command in _commands(folder)]
    whole = Run(
        wall=sum(single.wall for single in runs),
        cpu=sum(single.cpu for single in runs),
        peak_mb=max(single.peak_mb for single in runs),
    )
    yield Step(case=STACK, verb="helm template", state="one by one", run=whole)


def all_cores(folder: Path) -> Iterator[Step]:
    """The same by ``xargs``, as many at a time as there are cores, each into a file of its own.

    Raises:
        RuntimeError: if one fails.
    """
    yield Step(case=STACK, verb="helm template", state="all cores", run=run(parallel(_commands(folder), folder)))


def parallel(commands: Iterable[Sequence[str]], folder: Path) -> list[str]:
    """The command that runs others, as many at a time as there are cores, each into ``NUMBER.yaml`` in a folder."""
    lines = (
        f"exec {shlex.join(command)} >{shlex.quote(str(folder / f'{number}.yaml'))}"
        for number, command in enumerate(commands)
    )
    file = folder / "lines"
    file.write_text("\0".join(lines), encoding="utf-8")
    script = 'exec xargs -0 -n 1 -P "$1" sh -c <"$2"'
    return ["sh", "-c", script, "sh", str(os.cpu_count() or 1), str(file)]


def split(folder: Path) -> Iterator[Step]:
    """The same one by one, with each object read and written into a file of its own.

    Raises:
        RuntimeError: if it fails.
    """
    commands = folder / "commands.json"
    commands.write_text(json.dumps(list(_commands(folder))), encoding="utf-8")
    done = run([sys.executable, _SPLIT, commands, folder / "split"])
    yield Step(case=STACK, verb="helm template", state="and split", run=done, objects=int(done.out))


def _commands(folder: Path) -> Iterator[list[str]]:
    description = yaml.safe_load((SHARED / "stacks" / STACK / "input/config.yaml").read_text(encoding="utf-8"))
    index = yaml.safe_load((SHARED / "mirror/index.yaml").read_text(encoding="utf-8"))
    files = {
        (chart["repository"].rstrip("/"), chart["name"], chart["version"]): chart["file"] for chart in index["charts"]
    }
    for component in description["components"]:
        helm = component.get("helm")
        if not helm:
            continue
        values = folder / f"{component['name']}.json"
        values.write_text(json.dumps(component.get("values") or {}), encoding="utf-8")
        file = files[helm["repository"].rstrip("/"), helm["chart"], helm["version"]]
        yield [
            str(HELM), "template", helm.get("release", component["name"]), str(SHARED / "mirror" / file),
            "--namespace", component["namespace"], "--values", str(values), "--include-crds", "--skip-tests",
            "--kube-version", str(description["target"]["kubernetes"]),
        ]  # fmt: skip
