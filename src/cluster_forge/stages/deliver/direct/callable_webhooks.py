"""Waiting until the API server can call webhooks: it has a certificate to trust, and their Services have a ready endpoint.

A webhook whose failures are ignored would otherwise be left out silently, and the next objects stored without its changes.
Asking it (a dry run of an object that its rules match) would not tell: the API server ignores that failure, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from cluster_forge.foundation.errors import ClusterError, DeploymentError, RefusedError
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import webhooks
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import ClusterReader, Query

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_SERVICE_NAME: Final = "kubernetes.io/service-name"
"""The label of EndpointSlices (Kubernetes, "EndpointSlices")."""


@dataclass(slots=True, kw_only=True)
class CallableWebhooks:
    """One call that waits for the webhooks of ``targets``, for at most ``seconds``. ``say`` gets what is waited for."""

    cluster: ClusterReader
    clock: Clock
    targets: Sequence[ObjectId]
    seconds: float
    say: Callable[[str], None]
    _answering: set[tuple[str, str]] = field(default_factory=set)

    def wait(self) -> None:
        """Return when all can be called.

        Raises:
            DeploymentError: if one cannot in time.
            RefusedError, ClusterError: if the cluster does not say.
        """
        until, pause = self.clock.monotonic() + self.seconds, _FIRST_PAUSE
        left = list(self.targets)
        while left:
            lack = self._lack(left[0])
            if not lack:
                left.pop(0)
                continue
            self.say(f"{left[0].kind}/{left[0].name}: {lack}")
            if self.clock.monotonic() >= until:
                raise DeploymentError(f"cannot be called after {self.seconds:g} s: {lack}", where=str(left[0]))
            self.clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _lack(self, target: ObjectId) -> str:
        """What keeps the API server from calling the webhooks of a configuration; empty if nothing does."""
        try:
            return self._lacking(target)
        except ClusterError as error:
            if error.is_lasting:
                raise
            return error.message
        except RefusedError as error:
            if error.status == HTTPStatus.FORBIDDEN:  # the user may not look: what comes next finds out
                return ""
            if error.status < HTTPStatus.TOO_MANY_REQUESTS:
                raise
            return error.message

    def _lacking(self, target: ObjectId) -> str:
        body = self.cluster.get(target)
        if body is None:
            return "is not there"
        if name := webhooks.untrusted(body):
            return f"webhook {name} has no caBundle yet, which its operator or cert-manager writes"
        for service in sorted(webhooks.services(body) - self._answering):
            if not self._has_endpoint(*service):
                return f"Service {'/'.join(service)} has no ready endpoint"
            self._answering.add(service)
        return ""

    def _has_endpoint(self, namespace: str, name: str) -> bool:
        query = Query(
            group="discovery.k8s.io", kind="EndpointSlice", namespace=namespace, labels=f"{_SERVICE_NAME}={name}"
        )
        # A condition that is not there means ready (Kubernetes, API reference of EndpointSlice).
        return any(
            mapping(mapping(endpoint).get("conditions")).get("ready") is not False
            for piece in self.cluster.list(query).items
            for endpoint in sequence(piece.get("endpoints"))
        )
