"""``python kubectl_apply.py FOLDER…``: apply all files of each folder by kubectl until that succeeds, one folder after the other,
and wait for all workloads. After each folder but the last, CRDs are awaited.

It prints the number of objects.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

_WORKLOADS: Final = "deployments,statefulsets,daemonsets"
_PATIENCE: Final = 900
"""Seconds for one folder, and for the workloads."""
_SHOWN: Final = 2000
"""Characters of what is wrong."""
Result = TypeVar("Result")


def main(*folders: str) -> int:
    """Raises:
    SystemExit: if an object is refused again and again, or a workload does not get ready.
    """
    objects = 0
    for folder in folders:
        applied = _until(partial(_applied, folder), lambda done: done.returncode == 0)
        if applied.returncode:
            sys.exit(f"kubectl apply of {folder} still fails after {_PATIENCE} s:\n{applied.stderr[-_SHOWN:]}")
        objects += len(applied.stdout.splitlines())
        if folder != folders[-1]:
            _kubectl("wait", "crd", "--all", "--for=condition=Established", f"--timeout={_PATIENCE}s")
    if waiting := _until(_unready, lambda waiting: not waiting, pause=1):
        sys.exit(f"not ready after {_PATIENCE} s: {', '.join(waiting)[:_SHOWN]}")
    print(objects)
    return 0


def _until(look: Callable[[], Result], is_done: Callable[[Result], bool], pause: float = 0) -> Result:
    """What a look gives when it is done, or the time is over."""
    end = time.monotonic() + _PATIENCE
    while not is_done(seen := look()) and time.monotonic() < end:
        time.sleep(pause)
    return seen


def _applied(folder: str) -> subprocess.CompletedProcess[str]:
    return _kubectl("apply", "--server-side", "--force-conflicts", "--recursive", "--filename", folder)


def _unready() -> Sequence[str]:
    """The workloads that do not have all their Pods, ready; what kubectl says where it cannot list them."""
    listed = _kubectl("get", _WORKLOADS, "--all-namespaces", "--output", "json")
    if listed.returncode:
        return [listed.stderr]
    return [_name(workload) for workload in json.loads(listed.stdout)["items"] if not _is_ready(workload)]


def _name(workload: dict[str, Any]) -> str:
    metadata = workload["metadata"]
    return f"{workload['kind']}/{metadata['namespace']}/{metadata['name']}"


def _is_ready(workload: dict[str, Any]) -> bool:
    status = workload.get("status", {})
    if workload["kind"] == "DaemonSet":
        return "desiredNumberScheduled" in status and status.get("numberReady", 0) == status["desiredNumberScheduled"]
    return bool(status.get("readyReplicas", 0) == workload["spec"].get("replicas", 1))


def _kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", *arguments], capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
