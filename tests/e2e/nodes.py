"""What KWOK plays: nodes, and what happens to the Pods on them.

A Pod starts within a second and gets ready, unless its annotation ``e2e.cluster-forge/fate`` names another `Fate`; a Pod of a
Job completes. A Pod with a process behind it (`tests.e2e.stand_in.git_servers`) gets ready when that process has.
Source: KWOK, "Stages configuration" and "Logs".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from cluster_forge.gitops.git_server import COMMIT

ADDRESS = "192.0.2.1"
"""Of each node. The API server takes no loopback address into an EndpointSlice."""
LOAD_BALANCER = "192.0.2.10"
FATE = "e2e.cluster-forge/fate"
TEMPLATES = Path(__file__).with_name("kwok")
SIZE = {"cpu": "32", "memory": "256Gi", "pods": "250", "ephemeral-storage": "500Gi"}

Expression = Mapping[str, Any]


class Fate(StrEnum):
    """What happens to a Pod."""

    READY = "ready"
    SLOW = "slow"
    """It gets ready after 20 s."""
    PENDING = "pending"
    """It is scheduled, and nothing more."""
    UNREADY = "unready"
    """It runs, and never gets ready."""
    NO_IMAGE = "no-image"
    """Its image cannot be pulled."""
    CRASHING = "crashing"
    """Its containers end again and again."""
    FAILED = "failed"
    """It ends with exit code 1, as a Pod of a Job may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """When a Pod starts, in milliseconds, and of what the kubelet would warn: reason and message."""

    delay: int = 200
    jitter: int = 800
    warning: tuple[str, str] = ("", "")


STARTS = {
    Fate.READY: Start(),
    Fate.SLOW: Start(delay=20_000, jitter=0),
    Fate.UNREADY: Start(warning=("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")),
    Fate.NO_IMAGE: Start(warning=("Failed", "Failed to pull image: failed to authorize: 401 Unauthorized")),
    Fate.CRASHING: Start(warning=("BackOff", "Back-off restarting failed container")),
    Fate.FAILED: Start(),
}
"""Those that start at all."""


def node(number: int) -> dict[str, Any]:
    """A node that KWOK plays."""
    name = f"node-{number}"
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"allocatable": SIZE, "capacity": SIZE},
    }


def configuration(log: Path) -> bytes:
    """KWOK's configuration; ``log`` is what every container has printed (in the format of a container runtime)."""
    logs = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "every-container"},
        "spec": {"logs": [{"logsFile": str(log), "previousLogsFile": str(log)}]},
    }
    return yaml.safe_dump_all([*_stages(), logs], sort_keys=False).encode()


def log_line(text: str) -> str:
    """A line of a container's log as the runtime writes it (CRI: time, stream, whole or partial, text)."""
    return f"2026-01-01T00:00:00.000000000Z stderr F {text}\n"


def _stages() -> Iterator[Mapping[str, Any]]:
    is_ready = '.status.conditions.[] | select(.type == "Ready") | .status'
    yield _stage("node-ready", "Node", [_key(is_ready, "NotIn", "True")], {"statusTemplate": _template("node-ready")})
    for fate, start in STARTS.items():
        others = [str(other) for other in Fate if other is not fate]
        is_fate = (
            _key(_annotation(FATE), "NotIn", *others) if fate is Fate.READY else _key(_annotation(FATE), "In", fate)
        )
        expressions = [
            _key(".status.startTime", "DoesNotExist"),
            _key(".spec.nodeName", "Exists"),
            _key(_annotation(COMMIT), "DoesNotExist"),
            is_fate,
        ]
        reason, message = start.warning
        event = {"event": {"type": "Warning", "reason": reason, "message": message}} if reason else {}
        delay = {"durationMilliseconds": start.delay, "jitterDurationMilliseconds": start.delay + start.jitter}
        yield _stage(f"pod-{fate}", "Pod", expressions, {**event, "statusTemplate": _template("pod-started")}, delay)
    expressions = [
        _key(".status.phase", "In", "Running"),
        _key(".metadata.ownerReferences.[].kind", "In", "Job"),
        _key(is_ready, "In", "True"),
    ]
    delay = {"durationMilliseconds": 200, "jitterDurationMilliseconds": 1000}
    yield _stage("pod-completed", "Pod", expressions, {"statusTemplate": _template("pod-completed")}, delay)
    expressions = [_key(".spec.type", "In", "LoadBalancer"), _key(".status.loadBalancer.ingress", "DoesNotExist")]
    status = f"loadBalancer: {{ingress: [{{ip: {LOAD_BALANCER}}}]}}"
    yield _stage("service-load-balancer", "Service", expressions, {"statusTemplate": status})
    unpublished = [_key(".status.loadBalancer.ingress", "DoesNotExist")]
    yield _stage("ingress-published", "Ingress", unpublished, {"statusTemplate": status}, group="networking.k8s.io/v1")
    yield _stage(
        "pod-deleted", "Pod", [_key(".metadata.deletionTimestamp", "Exists")], {"delete": True}, is_alive=False
    )


def _stage(  # noqa: PLR0917
    name: str,
    kind: str,
    expressions: Sequence[Expression],
    following: Mapping[str, Any],
    delay: Mapping[str, int] | None = None,
    is_alive: bool = True,
    group: str = "v1",
) -> Mapping[str, Any]:
    alive = [_key(".metadata.deletionTimestamp", "DoesNotExist")] if is_alive else []
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": group, "kind": kind},
            "selector": {"matchExpressions": [*alive, *expressions]},
            **({"delay": dict(delay)} if delay else {}),
            "next": dict(following),
        },
    }


def _key(path: str, operator: str, *values: str) -> Expression:
    """A condition on what jq finds at ``path``."""
    return {"key": path, "operator": operator, **({"values": [str(value) for value in values]} if values else {})}


def _annotation(name: str) -> str:
    return f'.metadata.annotations["{name}"]'


def _template(name: str) -> str:
    return (TEMPLATES / f"{name}.tmpl").read_text()
