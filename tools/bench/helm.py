"""For comparison, the same charts by ``helm template`` one by one: alone, and with a split into files by PyYAML."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from tools.bench.cases import PROJECT, SHARED, Step
from tools.bench.measure import Run, run

HELM = shutil.which("helm") or shutil.which("helm", path=Path.home() / "go" / "bin")
STACK = "everything"
_SPLIT = PROJECT / "tools" / "bench" / "split.py"


def template(folder: Path) -> Step:
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
    return Step(case=STACK, verb="helm template", state="one by one", run=whole)


def split(folder: Path) -> Step:
    """The same, with each object read and written into a file of its own.

    Raises:
        RuntimeError: if it fails.
    """
    commands = folder / "commands.json"
    commands.write_text(json.dumps(list(_commands(folder))), encoding="utf-8")
    done = run([sys.executable, _SPLIT, commands, folder / "split"])
    return Step(case=STACK, verb="helm template", state="and split", run=done, objects=int(done.out))


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
