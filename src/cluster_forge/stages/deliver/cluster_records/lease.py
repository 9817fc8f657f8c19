"""The lease of a stack in a cluster: of two deployments at once, the second is refused (ADR 0039).

A Lease of ``coordination.k8s.io``, as the leader election of Kubernetes' controllers uses it (client-go,
``tools/leaderelection``): its holder renews it, and a lease that was not renewed for its duration may be taken over.
What was renewed is seen by the record's change, so that the clocks of two machines may differ.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from cluster_forge.foundation.errors import BusyError, ClusterError, ForgeError, RefusedError
from cluster_forge.gitops import git_server
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver.tools import DeliverTools

GROUP: Final = "coordination.k8s.io"
STAGE: Final = "deploy"
_SECONDS: Final = 30
"""Without a renewal for so long, the holder has crashed."""
_RENEWED: Final = 8.0
_DOUBTFUL: Final = 20.0
"""Seconds since the last renewal, after which it is not certain any more that the lease is held."""
_LOOK: Final = 1.0


class Lease:
    """The lease while it is held. Safe for several threads."""

    def __init__(self, tools: DeliverTools, stack: str, holder: str, since: str) -> None:
        self._cluster, self._clock = tools.cluster, tools.clock
        self._id, self._holder, self._since = lease_id(stack), holder, since
        self._last: Body | None = None
        """What was written last: no one else has written if the API server accepts the next one."""
        self._lost = ""
        self._is_over = False
        self._renewing = threading.Lock()
        self._renewed = self._times()

    def check(self) -> None:
        """To be called before each change that must not meet another deployment. A lease that may have expired is renewed
        first.

        Raises:
            BusyError: if another deployment has taken the lease over.
            ClusterError, RefusedError: if it may have expired, and cannot be renewed.
        """
        if self._is_doubtful:
            with self._renewing:
                if self._is_doubtful:
                    self._renew()
        self.check_kept()

    def check_kept(self) -> None:
        """To be called before each look of a wait: what another deployment does is not ours to report. Nothing is sent.

        Raises:
            BusyError: if another deployment is known to have taken the lease over.
        """
        if self._lost:
            raise BusyError(
                f"{self._lost} deploys the stack now: this deployment could not renew its lease in time",
                where=str(self._id),
                fix="run it again once the other one has ended",
            )

    def renew(self) -> None:
        """Write that the holder is still at work, unless another deployment has taken the lease over.

        Raises:
            ClusterError, RefusedError: if the cluster does not let it be written.
        """
        with self._renewing:
            self._renew()

    def end(self) -> None:
        """Give the lease back, if it is still there. A renewal that is on its way does not make it again."""
        self._is_over = True
        body = self._cluster.get(self._id)
        if body and _holder(body) == self._holder:
            self._cluster.delete(self._id, uid=body["metadata"]["uid"])

    def _renew(self) -> None:
        began = self._times()
        if not self._is_renewed():
            body = self._cluster.get(self._id)
            if self._is_over:
                return
            if body is None:
                now = _written(self._clock.time())
                creation.create(_body(self._id, self._holder, self._since, now), self._cluster)
            elif _holder(body) != self._holder:
                self._lost = _holder(body) or "another deployment"
                return
            else:
                self._last = self._replaced(body)
        self._renewed = began

    def _is_renewed(self) -> bool:
        """Renew the lease as it was written last; False if it was changed since then, or is not there."""
        last, self._last = self._last, None
        try:
            self._last = self._replaced(last) if last else None
        except RefusedError as error:
            if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                raise
        return self._last is not None

    def _replaced(self, body: Body) -> Body:
        now = _written(self._clock.time())
        return self._cluster.replace({**body, "spec": {**body["spec"], "renewTime": now}})

    @property
    def _is_doubtful(self) -> bool:
        """Whether it was not renewed for so long that it may expire before a change is made."""
        ages = (now - then for now, then in zip(self._times(), self._renewed, strict=True))
        return not self._lost and max(ages) > _DOUBTFUL

    def _times(self) -> tuple[float, float]:
        """By both clocks: the first one stands still while the machine sleeps, the second one may be set back."""
        return self._clock.monotonic(), self._clock.time()


def lease_id(stack: str) -> ObjectId:
    """The Lease of the stack of this name."""
    return ObjectId(group=GROUP, kind="Lease", namespace=git_server.NAMESPACE, name=f"deploy-{stack}")


@contextmanager
def held(stack: str, tools: DeliverTools, *, run: str) -> Iterator[Lease]:
    """The lease of the stack for as long as the context lasts; ``run`` names the holder (``HOST/PROCESS/TIME``).

    Raises:
        BusyError: if another deployment holds it, and is at work.
    """
    lease = _acquired(stack, tools, run)
    ended = threading.Event()
    thread = threading.Thread(target=_keep, args=(lease, ended), name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        thread.join(_RENEWED)
        with suppress(ForgeError):  # it expires by itself, and what happened before counts more
            lease.end()


def _keep(lease: Lease, ended: threading.Event) -> None:
    """Renew until the end. What fails is tried again; a deployment that has lost the lease sees it at its next change or look."""
    while not ended.wait(_RENEWED):
        with suppress(ForgeError):
            lease.renew()


def _acquired(stack: str, tools: DeliverTools, run: str) -> Lease:
    """Take a lease that is free; wait for the end of one that is not renewed."""
    cluster, target = tools.cluster, lease_id(stack)
    seen, began = "", tools.clock.monotonic()
    while True:
        since = _written(tools.clock.time())
        body = cluster.get(target)
        if body is None:
            if creation.create(_body(target, run, since, since), cluster):
                return Lease(tools, stack, run, since)
            continue
        renewed = str(_spec(body).get("renewTime", ""))
        if seen and renewed != seen:
            raise _busy(stack, body, target)
        if not seen:
            reason = (
                f"{_holder(body) or 'another deployment'} has the lease: ended if not renewed for {_duration(body):g} s"
            )
            tools.reporter.item_waiting(STAGE, stack, reason)
        seen = renewed
        if tools.clock.monotonic() - began > _duration(body) and _taken_over(cluster, body, target, run, since):
            return Lease(tools, stack, run, since)
        tools.clock.sleep(_LOOK)


def _taken_over(cluster: Cluster, body: Body, target: ObjectId, run: str, since: str) -> bool:
    """Put ourselves in the place of a holder that has crashed; False if another deployment was quicker."""
    mine = _body(target, run, since, since)
    transitions = _spec(body).get("leaseTransitions")
    mine["spec"]["leaseTransitions"] = (transitions if isinstance(transitions, int) else 0) + 1
    mine["metadata"]["resourceVersion"] = body["metadata"]["resourceVersion"]
    try:
        cluster.replace(mine)
    except RefusedError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        return False
    except ClusterError:  # the answer may be lost, and the lease ours
        if _holder(cluster.get(target) or {}) != run:
            raise
    return True


def _busy(stack: str, body: Body, target: ObjectId) -> BusyError:
    since = str(_spec(body).get("acquireTime", "")) or "an unknown time"
    return BusyError(
        f"the stack {stack} is being deployed by {_holder(body) or 'another deployment'} since {since}",
        where=str(target),
        fix="wait until it has ended, then run this again; nothing was changed",
    )


def _body(target: ObjectId, holder: str, since: str, renewed: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": target.kind,
        "metadata": {
            "name": target.name,
            "namespace": target.namespace,
            "labels": {"app.kubernetes.io/managed-by": "cluster-forge"},
        },
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": _SECONDS,
            "acquireTime": since,
            "renewTime": renewed,
        },
    }


def _spec(body: Body) -> dict[str, Any]:
    spec = body.get("spec")
    return spec if isinstance(spec, dict) else {}


def _holder(body: Body) -> str:
    return str(_spec(body).get("holderIdentity") or "")


def _duration(body: Body) -> float:
    """The seconds that the holder has asked for, within reason."""
    seconds = _spec(body).get("leaseDurationSeconds")
    return float(min(seconds, 10 * _SECONDS)) if isinstance(seconds, int) and seconds > 0 else float(_SECONDS)


def _written(seconds: float) -> str:
    """RFC 3339 with microseconds (``MicroTime``)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
