"""The events that stages report."""

from __future__ import annotations

from typing import Final, Protocol

from cluster_forge.manifests.finding import Finding


class Reporter(Protocol):
    """Receives the events of stages, from any thread."""

    def stage_started(self, stage: str, total: int) -> None:
        """A stage starts; it will finish about ``total`` items."""

    def item_started(self, stage: str, item: str) -> None:
        """Work on an item starts."""

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        """An item is done: ``mine``, ``grafana``, ``12.11.1 from the mirror``.

        ``facts`` are for the log: ``seconds``, ``digest``, ``cached`` (nothing was rendered or built), ``objects``, ``bytes``;
        ``again``: the item is in the stage's total already, and was finished before.
        """

    def stage_finished(self, stage: str, summary: str) -> None:
        """The stage is done; ``summary`` is its result in a few words."""

    def finding_reported(self, finding: Finding) -> None:
        """A stage has a finding for the user."""


class _Unreported:
    """A `Reporter` for what belongs to another stage."""

    def stage_started(self, stage: str, total: int) -> None: ...
    def item_started(self, stage: str, item: str) -> None: ...
    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None: ...
    def stage_finished(self, stage: str, summary: str) -> None: ...
    def finding_reported(self, finding: Finding) -> None: ...


UNREPORTED: Final[Reporter] = _Unreported()


class Waits(Protocol):
    """Receives what the items of a stage wait for, from any thread."""

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        """An item waits: ``deploy``, ``grafana``, ``Deployment/grafana: 0 of 1 replica available``."""


class DeliveryReporter(Reporter, Waits, Protocol):
    """Receives the events of a delivery."""


class _UnreportedDelivery(_Unreported):
    def item_waiting(self, stage: str, item: str, reason: str) -> None: ...


UNREPORTED_DELIVERY: Final[DeliveryReporter] = _UnreportedDelivery()
"""For a delivery that is only tried."""


class Transfers(Protocol):
    """Receives what happens on the network, from any thread. ``host`` is ``name:port``."""

    def received(self, host: str, count: int) -> None:
        """So many more bytes of a download are there."""

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        """A request failed and is sent again in ``seconds``; ``reason`` is the HTTP status, or a few words."""


class _NoTransfers:
    """`Transfers` that are not looked at."""

    def received(self, host: str, count: int) -> None: ...
    def waiting(self, host: str, seconds: float, reason: str) -> None: ...


NO_TRANSFERS: Final[Transfers] = _NoTransfers()
