"""From the network to the reporter of the moment: adapters are constructed before there is one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from cluster_forge.ports.progress import NO_TRANSFERS, DeliveryReporter, Transfers


class RunReporter(DeliveryReporter, Transfers, Protocol):
    """Receives the events of stages, deliveries and the network."""


class TransferRelay:
    """`ports.progress.Transfers` that passes everything on, while there is one."""

    def __init__(self) -> None:
        self._receiver = NO_TRANSFERS

    @contextlib.contextmanager
    def passed_to(self, receiver: Transfers) -> Iterator[None]:
        """Pass events to ``receiver`` for as long as the context lasts."""
        self._receiver = receiver
        try:
            yield
        finally:
            self._receiver = NO_TRANSFERS

    def received(self, host: str, count: int) -> None:
        self._receiver.received(host, count)

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        self._receiver.waiting(host, seconds, reason)
