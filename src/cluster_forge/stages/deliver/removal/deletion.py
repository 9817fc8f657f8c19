"""Deleting objects of a cluster, and waiting until they are gone: a finalizer that holds one is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ClusterError, DeploymentError, ForgeError, RefusedError
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Propagation
from cluster_forge.stages.deliver.patience import is_passing
from cluster_forge.stages.deliver.removal.bystanders import NO_OTHERS, Bystanders
from cluster_forge.stages.deliver.tools import DeliverTools

_LOOK: Final = 0.5
_LONGEST_LOOK: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """``deleted`` are gone; ``kept`` were left, each with the reason; ``absent`` were not there. ``holding`` are those of the
    kept ones that data or objects of others would go along with: they stay the stack's.
    """

    deleted: tuple[ObjectId, ...] = ()
    kept: tuple[tuple[ObjectId, str], ...] = ()
    absent: tuple[ObjectId, ...] = ()
    holding: frozenset[ObjectId] = frozenset()

    @property
    def released(self) -> set[ObjectId]:
        """What the stack need not claim any more: it is gone, or belongs to others."""
        return {*self.deleted, *self.absent, *dict(self.kept)} - self.holding

    @property
    def summary(self) -> str:
        """``3 objects deleted, 1 stays``."""
        numbers = (
            f"{counted(len(self.deleted), 'object')} deleted" if self.deleted else "",
            f"{len(self.kept)} {'stays' if len(self.kept) == 1 else 'stay'}" if self.kept else "",
        )
        return ", ".join(filter(None, numbers)) or "nothing left to delete"

    def __add__(self, other: Deletion) -> Deletion:
        return Deletion(
            deleted=self.deleted + other.deleted,
            kept=tuple(dict([*self.kept, *other.kept]).items()),
            absent=self.absent + other.absent,
            holding=self.holding | other.holding,
        )


def delete(
    targets: Iterable[ObjectId],
    tools: DeliverTools,
    *,
    spared: Callable[[Body], str],
    timeout: float,
    bystanders: Bystanders = NO_OTHERS,
) -> Deletion:
    """Delete those of the objects for which ``spared`` gives no reason to leave them, and wait until they are gone. What
    ``bystanders`` would go along with stays, too.

    Raises:
        DeploymentError, ExceptionGroup: for each one that is still there after ``timeout`` seconds.
        ClusterError: for each one of which the cluster does not say by then whether it is gone.
        RefusedError: for each one whose deletion is refused.
    """
    wanted = tuple(targets)
    bodies = tools.workers.map(tools.cluster.get, wanted)
    live = {target: body for target, body in zip(wanted, bodies, strict=True) if body}
    kept = {target: reason for target, body in live.items() if (reason := spared(body))}
    uids = {target: str(body["metadata"].get("uid", "")) for target, body in live.items() if target not in kept}
    holding = bystanders.reasons(uids, tools.cluster) if uids else {}
    doomed = {target: uid for target, uid in uids.items() if target not in holding}
    tools.workers.map(lambda target: tools.cluster.delete(target, Propagation.BACKGROUND, doomed[target]), doomed)
    _await_gone(doomed, tools, timeout)
    return Deletion(
        deleted=tuple(doomed),
        kept=tuple({**kept, **holding}.items()),
        absent=tuple(target for target in wanted if target not in live),
        holding=frozenset(holding),
    )


def _await_gone(doomed: Mapping[ObjectId, str], tools: DeliverTools, timeout: float) -> None:
    left, pause, end = dict(doomed), _LOOK, tools.clock.monotonic() + timeout
    while True:
        answers = tools.workers.map(partial(_seen, tools.cluster), left.items())
        there = {target: answer for target, answer in zip(list(left), answers, strict=True) if answer is not None}
        if not there:
            return
        if tools.clock.monotonic() >= end:
            raise_all(
                answer if isinstance(answer, ForgeError) else _held(target, answer, timeout)
                for target, answer in there.items()
            )
        left = {target: left[target] for target in there}
        tools.clock.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK)


def _seen(cluster: Cluster, doomed: tuple[ObjectId, str]) -> Body | ForgeError | None:
    """The object with this UID as it still is, or what the cluster says instead for a moment; None: it is gone."""
    target, uid = doomed
    try:
        body = cluster.get(target)
    except (ClusterError, RefusedError) as error:
        if not is_passing(error):
            raise
        return error
    return body if body and body["metadata"].get("uid", "") == uid else None


def _held(target: ObjectId, body: Body, timeout: float) -> ForgeError:
    metadata = body["metadata"]
    finalizers = [str(name) for name in metadata.get("finalizers") or ()]
    message = f"is still there {timeout:.0f} s after it was deleted"
    if finalizers:
        message = f"{message}: the finalizer {', '.join(finalizers)} holds it"
        fix = "see why its controller does not end it (its Pods, their logs), then run this again"
    else:
        message = f"{message}: {_remaining(body) or 'objects in it, or that it owns, are not gone yet'}"
        fix = "run this again; kubectl describe says what it waits for"
    return DeploymentError(message, where=str(target), fix=fix)


def _remaining(body: Body) -> str:
    """What the namespace controller says of a Namespace that does not end (its conditions)."""
    lines = [
        str(one.get("message", ""))
        for one in map(mapping, sequence(mapping(body.get("status")).get("conditions")))
        if one.get("status") == "True"
        and one.get("type")
        in ("NamespaceFinalizersRemaining", "NamespaceContentRemaining", "NamespaceDeletionDiscoveryFailure")
    ]
    return "; ".join(lines)
