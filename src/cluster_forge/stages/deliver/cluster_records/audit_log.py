"""Who changed a stack in a cluster: the ConfigMap ``audit-<stack>``, a line of JSON for each deployment, way back and removal.

It outlives releases, of which only the last are kept; with an Event beside it for those who watch a cluster's Events.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import ClusterError, ForgeError, RefusedError
from cluster_forge.gitops import git_server, ownership, release
from cluster_forge.gitops.audit_entry import Entry
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.release import Result
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Patch, Query
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver.tools import DeliverTools

LABEL: Final = "cluster-forge/audit"
_KEY: Final = "log"
_MOST: Final = 500
"""Entries that are kept."""


def removal(stack: str, component: str, run: str, tools: DeliverTools, cluster: str = "") -> Entry:
    """The entry about a component that was removed, or about all of them in one cluster of a central Argo CD."""
    action, user = f"remove {component}".rstrip(), tools.cluster.about().user
    return Entry(time=now(tools), stack=stack, action=action, user=user, run=run, cluster=cluster)


def record_id(stack: str) -> ObjectId:
    """The ConfigMap with the entries of the stack of this name."""
    return ObjectId(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, name=f"audit-{stack}")


def append(tools: DeliverTools, stack: str, entry: Entry) -> None:
    """Add an entry, also to the history of the workspace, and an Event where the user may. The caller holds the lease of the
    stack.
    """
    note(tools, entry)
    cluster, target = tools.cluster, record_id(stack)
    lines = [*_lines(cluster.get(target) or {}), json_codec.dump(entry).decode()][-_MOST:]
    data = {_KEY: "".join(f"{line}\n" for line in lines)}
    labels = {"app.kubernetes.io/managed-by": "cluster-forge", STACK_LABEL: stack, LABEL: "log"}
    metadata = {"name": target.name, "namespace": target.namespace, "labels": labels}
    if not creation.create({"apiVersion": "v1", "kind": target.kind, "metadata": metadata, "data": data}, cluster):
        cluster.patch(target, {"data": data}, Patch.MERGE, manager=FIELD_MANAGER)
    with suppress(ClusterError, RefusedError):  # the log has it, and it must not fail what was done
        creation.create(_event(stack, entry, lines), cluster)


def note(tools: DeliverTools, entry: Entry) -> None:
    """Add an entry to the history of the workspace alone: the log of a stack that was removed goes with it."""
    tools.history(entry, tools.cluster.about())


@contextmanager
def failure_kept(tools: DeliverTools, entry: Entry) -> Iterator[None]:
    """For a removal, of which no release says that it has failed or was stopped: an entry does."""

    def keep(result: Result, message: str) -> None:
        with suppress(ForgeError):  # what has ended the removal counts more
            append(tools, entry.stack, entry.ended(result, message))

    try:
        yield
    except (ForgeError, ExceptionGroup) as error:
        keep(Result.FAILED, "; ".join(map(str, expected(error))))
        raise
    except (KeyboardInterrupt, SystemExit):
        keep(Result.INTERRUPTED, release.STOPPED)
        raise


def read(cluster: Cluster, stack: str = "") -> tuple[Entry, ...]:
    """The entries of a stack, or of all, oldest first; lines that are none are left out."""
    query = Query(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, labels=LABEL)
    logs = [
        body for body in cluster.list(query).items if not stack or body["metadata"]["name"] == record_id(stack).name
    ]
    entries = [entry for body in logs for line in _lines(body) if (entry := _entry(line))]
    return tuple(sorted(entries, key=lambda entry: entry.time))


def now(tools: DeliverTools) -> str:
    """The time as entries and releases have it: ``2026-11-30T08:00:00Z``."""
    return datetime.fromtimestamp(tools.clock.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry(line: str) -> Entry | None:
    try:
        return json_codec.load(Entry, line.encode())
    except json_codec.DecodeError:
        return None


def _lines(body: Body) -> list[str]:
    log = (body.get("data") or {}).get(_KEY)
    return log.splitlines() if isinstance(log, str) else []


def _where(entry: Entry) -> str:
    return f"{entry.action} ({entry.cluster})" if entry.cluster else entry.action


def _event(stack: str, entry: Entry, lines: list[str]) -> Body:
    """An Event about the claim of the stack (Kubernetes, ``core/v1``); its name is the number of the line and the time."""
    claim = ownership.claim_id(stack)
    is_bad = entry.result == "failed"
    digits = "".join(filter(str.isdigit, entry.time))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{claim.name}.{digits}.{len(lines)}", "namespace": claim.namespace},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": claim.kind,
            "namespace": claim.namespace,
            "name": claim.name,
        },
        "type": "Warning" if is_bad else "Normal",
        "reason": "StackFailed" if is_bad else "StackChanged",
        "message": f"{_where(entry)}: {entry.version or entry.stack} by {entry.user} ({entry.run}) {entry.result}".strip(),
        "source": {"component": "cluster-forge"},
        "firstTimestamp": entry.time,
        "lastTimestamp": entry.time,
        "count": 1,
    }
