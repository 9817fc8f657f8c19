"""``python kubectl_apply.py FOLDER``: apply all files of a folder by kubectl until that succeeds, and wait for all workloads.

It prints the number of objects.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

_WORKLOADS = "deployments,statefulsets,daemonsets"
_MOST_TRIES = 20


def main(folder: str) -> int:
    """Raises:
    SystemExit: if an object is refused again and again.
    """
    applied = _applied(folder)
    for _ in range(_MOST_TRIES):
        if applied.returncode == 0:
            break
        applied = _applied(folder)
    else:
        sys.exit(applied.stderr[-2000:])
    while not _are_ready():
        time.sleep(1)
    print(len(applied.stdout.splitlines()))
    return 0


def _applied(folder: str) -> subprocess.CompletedProcess[str]:
    return _kubectl("apply", "--server-side", "--force-conflicts", "--recursive", "--filename", folder)


def _are_ready() -> bool:
    """Whether every workload has all its Pods, ready."""
    listed = _kubectl("get", _WORKLOADS, "--all-namespaces", "--output", "json")
    return listed.returncode == 0 and all(map(_is_ready, json.loads(listed.stdout)["items"]))


def _is_ready(workload: dict[str, Any]) -> bool:
    status = workload.get("status", {})
    if workload["kind"] == "DaemonSet":
        return "desiredNumberScheduled" in status and status.get("numberReady", 0) == status["desiredNumberScheduled"]
    return bool(status.get("readyReplicas", 0) == workload["spec"].get("replicas", 1))


def _kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", *arguments], capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
