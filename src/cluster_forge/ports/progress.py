"""The events that stages report."""

from __future__ import annotations

from typing import Protocol

from cluster_forge.manifests.finding import Finding


class Reporter(Protocol):
    """What stages tell while they work. Every event may come from any thread."""

    def stage_started(self, stage: str, total: int) -> None:
        """A stage begins; ``total`` items will be told by `advanced`."""

    def item_started(self, stage: str, item: str) -> None:
        """An item is being worked on from now on."""

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        """One item is done: ``mine``, ``grafana``, ``12.11.1 from the mirror``.

        ``facts`` are for the record: ``seconds``, ``digest``, ``cached`` (nothing had to be made), ``objects``, ``bytes``.
        """

    def stage_finished(self, stage: str, summary: str) -> None:
        """The stage is done; ``summary`` says in a few words with what."""

    def finding_reported(self, finding: Finding) -> None:
        """Something that the user should know."""
