"""The generated script with a double of kubectl, which answers as a test says and logs its calls."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import bootstrap, deploy_script, planning, script_source
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack

SHELL = shutil.which("dash") or "sh"
STACKS = {
    Delivery.DIRECT: Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE)),
    Delivery.INSTALL: Stack(name="demo"),
    Delivery.EXISTING: Stack(name="demo", gitops=GitOps(install=False)),
}
STUB = """\
import json, os, sys
folder = os.environ["STUB"]
call = " ".join(sys.argv[1:])
with open(f"{folder}/log", "a", encoding="utf-8") as log:
    log.write(call + "\\n")
with open(f"{folder}/answers.json", encoding="utf-8") as file:
    answers = json.load(file)
open(f"{folder}/kuberc", "a", encoding="utf-8").write(os.environ.get("KUBECTL_KUBERC", "unset") + "\\n")
for number, (part, outputs) in enumerate(answers):
    if part in call:
        used = f"{folder}/used-{number}"
        count = int(open(used).read()) if os.path.exists(used) else 0
        open(used, "w").write(str(count + 1))
        code, text = outputs[min(count, len(outputs) - 1)]
        if code == "reads":
            open(sys.argv[sys.argv.index("--kubeconfig") + 1], encoding="utf-8").read()
            code = 0
        if code == "warns":
            print(text, file=sys.stderr)
        if code in ("warns", "default"):
            continue
        if code == "hides":
            print(text, file=sys.stderr)
            sys.exit(0)
        if code == "killed":
            print(text, flush=True)
            os.kill(os.getpid(), 9)
        if code == "hang":
            import signal, subprocess
            open(f"{folder}/hangs", "w").write(str(os.getpid()))
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.run(["/bin/sleep", "30"])
        print(text)
        sys.exit(code)
source = sys.argv[sys.argv.index("-f") + 1] if "-f" in sys.argv else ""
documents = 0
if source:
    text = sys.stdin.read() if source == "-" else open(source, encoding="utf-8").read()
    documents = text.count("\\n---\\n") + 1
if "apply" in sys.argv:
    print("thing serverside-applied\\n" * documents + "Warning: beware")
elif "api-resources" in sys.argv:
    for api in open(f"{folder}/apis", encoding="utf-8").read().split():
        print("names  short ", api.rpartition("/")[0], " true ", api.rpartition("/")[2])
elif "cluster-forge/run=" in call:
    open(f"{folder}/run", "w", encoding="utf-8").write(call.rpartition("=")[2])
elif "annotations.cluster-forge/run" in call:
    print(open(f"{folder}/run", encoding="utf-8").read(), end="")
elif "COMPLETE:" in call:
    print("job shop True <none> <none>\\n" * (documents or 1))
elif "wait" in sys.argv:
    print("thing condition met\\n" * (documents or 1))
elif "rollout" in sys.argv:
    print('deployment "thing" successfully rolled out')
"""
NAMES = {
    "argo_cd": "demo.argo-cd",
    "crds": "demo.crds.1",
    "definitions": "demo.definitions",
    "shop": "demo.shop",
    "demo": "demo.argo-apps",
}
"""The Applications, with the keys that `states` has for them."""


def states(default: str = "v-1 v-1 Synced Healthy Succeeded", /, **others: str) -> str:
    """What Argo CD reports of each Application; an empty text leaves one out."""
    rows = {name: others.get(key, default) for key, name in NAMES.items()}
    return "\n".join(f"{name} {row}" for name, row in rows.items() if row)


HEALTHY = states()
DEFAULTS = [
    ["--raw /version", [[0, '{\n  "major": "1",\n  "minor": "33+"\n}']]],
    ["config view", [[0, "there|https://example.com:6443|"]]],
    ["WANTED:", [[0, HEALTHY]]],
]
Answers = list[list[object]]
BOUND = re.compile(r"--request-timeout=\d+s ")
"""Every call has one; `test_every_call_of_kubectl_is_bounded` looks at it."""


@dataclasses.dataclass
class Run:
    code: int
    out: str
    err: str
    calls: list[str]
    raw: list[str]
    """The calls with their ``--request-timeout``."""


def planned(stack: Stack, parts: tuple[Part, ...]) -> DeployPlan:
    return planning.of(stack, parts, FileTree({"HEAD": b"x"}), "c" * 40, "v-1")


def written(deployment: DeployPlan, folder: Path) -> str:
    """Write a stack's delivery; returns the text of the script."""
    files = bootstrap.tree(deployment)
    for path, content in files.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    text = deploy_script.script(deployment, files)
    (folder / "deploy.sh").write_text(text)
    return text


def files(run: Run) -> list[str]:
    """The files that were applied, in order."""
    return [call.split()[-1].removeprefix("bootstrap/") for call in run.calls if call.startswith("apply")]


def deploy(
    tmp_path: Path,
    parts: tuple[Part, ...],
    delivery: Delivery,
    *arguments: str,
    answers: Answers | None = None,
    stack: Stack | None = None,
    damage: Callable[[Path], object] | None = None,
    shell: Sequence[str] = (SHELL,),
    cwd: Path | None = None,
    clock: int = 1,
    **variables: str,
) -> Run:
    """Write a stack's delivery, run its script, return its output and its calls of kubectl.

    ``damage`` gets the folder ``bootstrap``; the script's clock runs ``clock`` times as fast as the real one.
    """
    deployment = planned(stack or STACKS[delivery], parts)
    folder = tmp_path / "cast"
    written(deployment, folder)
    if damage:
        damage(folder / "bootstrap")
    (tmp_path / "apis").write_text("\n".join(deployment.apis))
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "kubectl").write_text(f"#!{sys.executable} -IS\n{STUB}")
    (programs / "kubectl").chmod(0o755)
    (programs / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.1\n")
    (programs / "sleep").chmod(0o755)
    if clock > 1:
        (programs / "date").write_text(f"#!/bin/sh\necho $(($(/bin/date +%s%N) / {10**9 // clock}))\n")
        (programs / "date").chmod(0o755)
    (tmp_path / "answers.json").write_text(json.dumps([*(answers or []), *DEFAULTS]))
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "STUB": str(tmp_path), **variables}
    finished = subprocess.run(
        [*shell, folder / "deploy.sh", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        timeout=60,
        check=False,
    )
    log = tmp_path / "log"
    raw = log.read_text().replace(f"{folder}/", "").splitlines() if log.exists() else []
    return Run(finished.returncode, finished.stdout, finished.stderr, [BOUND.sub("", call) for call in raw], raw)


def judged(script: str, settings: str, rows: Sequence[str], folder: Path) -> list[bool]:
    """Whether ``look``, a function of the script, finds nothing that is not ready in each of the rows."""
    (folder / "script.sh").write_text(script_source.read(script))
    lines = [f". {folder}/script.sh", settings]
    lines += [f"look '{row}'; echo \"${{pending:-ready}}\"" for row in rows]
    done = subprocess.run(
        [SHELL, "-eu", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
    found = done.stdout.splitlines()
    assert len(found) == len(rows)
    return [line == "ready" for line in found]
