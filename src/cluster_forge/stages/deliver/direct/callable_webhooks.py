"""Waiting until the API server can call webhooks: it has a certificate to trust, and their Services have a ready endpoint.

A webhook whose failures are ignored would otherwise be left out silently, and the next objects stored without its changes.
Asking it (a dry run of an object that its rules match) would not tell: the API server ignores that failure, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from cluster_forge.foundation.errors import ClusterError, DeploymentError, RefusedError
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import ClusterReader, Query
from cluster_forge.stages.deliver.direct.observations import Observations
from cluster_forge.stages.deliver.direct.readiness import Readiness
from cluster_forge.stages.deliver.patience import is_passing

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_LACK: Final = "cannot be called"
_SERVICE_NAME: Final = "kubernetes.io/service-name"
"""The label of EndpointSlices (Kubernetes, "EndpointSlices")."""


@dataclass(slots=True, kw_only=True)
class CallableWebhooks:
    """One call that waits for the webhooks of ``targets``, for at most ``seconds``. ``say`` gets what is waited for.

    ``observations`` watch the configurations, for all that wait for one.
    """

    cluster: ClusterReader
    observations: Observations
    clock: Clock
    targets: Sequence[ObjectId]
    seconds: float
    say: Callable[[str], None]

    def wait(self) -> None:
        """Return when all can be called.

        Raises:
            DeploymentError: if one cannot in time.
            RefusedError, ClusterError: if the cluster does not say.
        """
        until = self.clock.monotonic() + self.seconds
        trusted = Readiness(
            observations=self.observations,
            clock=self.clock,
            targets=self.targets,
            seconds=self.seconds,
            say=self.say,
            lack=_LACK,
        )
        try:
            trusted.wait()
        except RefusedError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            return  # the user may not look: what comes next finds out
        callers = {service: target for target in self.targets for service in self.observations.services(target)}
        for service, target in sorted(callers.items()):
            self._await_endpoint(service, target, until)

    def _await_endpoint(self, service: tuple[str, str], caller: ObjectId, until: float) -> None:
        pause = _FIRST_PAUSE
        while lack := self._lack(service):
            self.say(f"{caller.kind}/{caller.name}: {lack}")
            if self.clock.monotonic() >= until:
                raise DeploymentError(f"{_LACK} after {self.seconds:g} s: {lack}", where=str(caller))
            self.clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _lack(self, service: tuple[str, str]) -> str:
        """What keeps the API server from calling a Service; empty if nothing does."""
        try:
            return "" if self._has_endpoint(*service) else f"Service {'/'.join(service)} has no ready endpoint"
        except (ClusterError, RefusedError) as error:
            if isinstance(error, RefusedError) and error.status == HTTPStatus.FORBIDDEN:
                return ""
            if not is_passing(error):
                raise
            return error.message

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
