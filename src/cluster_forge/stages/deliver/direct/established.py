"""Waiting until the cluster serves the kinds of CRDs: one look at its discovery for all that wait (KEP-3352)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from math import inf
from threading import Lock
from typing import Any, Final

from cluster_forge.foundation.errors import ClusterError, DeploymentError, RefusedError
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests import health
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.health import Health, Status
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import Cluster, Patch
from cluster_forge.stages.deliver.patience import is_passing, tolerated

_INTERVAL: Final = 2.0
_LONGEST_INTERVAL: Final = 5.0
"""While the server gets no further: each look is one more request for it."""
_PAUSE: Final = 1.0
_PATIENCE: Final = 10.0
"""Seconds without one more that is served, of whatever component, after which the CRDs themselves are looked at: they say why
they are refused. Then ever more seldom: each look is one more request for a server that is slow.
"""
_LOOKED_AT: Final = 8
_ESTABLISHED: Final = "Established"
_MISSING: Final = Health(Status.IN_PROGRESS, "it is not there")


class Definitions:
    """The CRDs of a cluster whose kinds it serves, by name (``certificates.cert-manager.io``)."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._lock = Lock()
        self._served: frozenset[str] = frozenset()
        self._asked: float | None = None
        self._interval = _INTERVAL
        self._got_on = -inf
        """When more was served than before, the last time."""
        self._forgotten: dict[str, str] = {}
        """The resource versions at which CRDs seemed to be forgotten."""

    def served(self) -> frozenset[str]:
        """Those whose kinds are served; asked again when the last answer is some seconds old."""
        with self._lock:
            now = self._clock.monotonic()
            if self._asked is None or now - self._asked >= self._interval:
                kinds = self._cluster.served(is_fresh=self._asked is not None).kinds
                served = frozenset(f"{kind.plural}.{kind.group}" for kind in kinds)
                self._asked = self._clock.monotonic()
                if served == self._served:
                    self._interval = min(self._interval * 1.5, _LONGEST_INTERVAL)
                else:
                    self._interval, self._served, self._got_on = _INTERVAL, served, self._asked
            return self._served

    def wait(self, names: Iterable[str], seconds: float, say: Callable[[str], None]) -> None:
        """Return when the kinds of all CRDs are served.

        A cluster that does not answer for a moment is asked again.

        Raises:
            DeploymentError: if one is refused, or not served after ``seconds``.
            ClusterError, RefusedError: if the cluster does not say why.
        """
        wanted, began = frozenset(names), self._clock.monotonic()
        looks = began + _PATIENCE
        while missing := sorted(wanted - self._served_now(say)):
            say(f"CustomResourceDefinition/{missing[0]}: not established yet ({len(missing)} of {len(wanted)})")
            now = self._clock.monotonic()
            looks = max(looks, self._got_on + _PATIENCE)  # what the server refuses is left in the end
            if now >= looks or now - began >= seconds:
                looks = now + max(_PATIENCE, (now - began) / 2)
                for name in missing[:_LOOKED_AT]:
                    self._check(name, seconds, is_late=now - began >= seconds)
            self._clock.sleep(_PAUSE)

    def _served_now(self, say: Callable[[str], None]) -> frozenset[str]:
        """`served`, or what was served when the cluster answered last."""
        with tolerated(say):
            return self.served()
        return self._served

    def _check(self, name: str, seconds: float, *, is_late: bool) -> None:
        target = ObjectId(group=CRD[0], kind=CRD[1], namespace="", name=name)
        try:
            body = self._cluster.get(target)
        except (ClusterError, RefusedError) as error:
            if is_late or not is_passing(error):
                raise
            return
        state = health.of(body) if body else _MISSING
        if state.status is Status.FAILED:
            raise DeploymentError(f"is not accepted: {state.message}", where=str(target))
        if body and _is_forgotten(body):
            version = str(body["metadata"].get("resourceVersion"))
            if self._forgotten.get(name) == version:  # else it may only be slow
                self._remind(target, body)
            self._forgotten[name] = version
        if is_late:
            raise DeploymentError(f"is not served after {seconds:g} s: {state.message}", where=str(target))

    def _remind(self, target: ObjectId, body: Body) -> None:
        """Change the status of a CRD, which is what the API server waits for: without the condition it sets it again."""
        left = [condition for condition in _conditions(body) if condition.get("type") != _ESTABLISHED]
        with suppress(RefusedError, ClusterError):  # the user may not, or the server is busy: it stays as it is
            self._cluster.patch(
                target, {"status": {"conditions": left}}, Patch.MERGE, manager=FIELD_MANAGER, subresource="status"
            )


def _is_forgotten(body: Body) -> bool:
    """Whether its names were accepted, and it is not established yet. A server that ends at that moment forgets it: when it
    starts again, it establishes such a CRD at its next change only (apiextensions-apiserver, ``updateCustomResourceDefinition``
    in ``customresource_handler.go``; seen with 1.36).
    """
    states = {condition.get("type"): condition.get("status") for condition in _conditions(body)}
    return states.get("NamesAccepted") == "True" and states.get(_ESTABLISHED) == "False"


def _conditions(body: Body) -> Iterator[Mapping[str, Any]]:
    status = body.get("status")
    listed = status.get("conditions") if isinstance(status, Mapping) else None
    return (condition for condition in listed or () if isinstance(condition, Mapping))
