"""The events of a delivery as JSON, one object a line, while it runs (`event_schema.DeliveryEvent`)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from cluster_forge.cli.progress.transfer_relay import RunReporter
from cluster_forge.manifests.finding import Finding

_APPLYING: Final = "applying"
_REMOVING: Final = "removing"
_WAITING: Final = "waiting"


class JsonEvents:
    """`RunReporter` that passes every event to another reporter, and those of components to ``out``."""

    def __init__(self, inner: RunReporter, out: Callable[[dict[str, Any]], None], *, began: float) -> None:
        self._inner = inner
        self._out = out
        self._began = began
        self._lock = threading.Lock()
        self._since: dict[tuple[str, str], float] = {}
        self._said: dict[tuple[str, str], str] = {}

    def stage_started(self, stage: str, total: int) -> None:
        self._event("started", stage, total=total)
        self._inner.stage_started(stage, total)

    def item_started(self, stage: str, item: str) -> None:
        self._component(stage, item, _REMOVING if stage.partition(" ")[0] == "remove" else _APPLYING)
        self._inner.item_started(stage, item)

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        with self._lock:
            is_new = self._said.get((stage, item)) != reason
            self._said[stage, item] = reason
        if is_new:
            self._component(stage, item, _WAITING, reason)
        self._inner.item_waiting(stage, item, reason)

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        self._component(stage, item, str(facts.get("state") or "ready"), str(facts.get("message") or ""))
        self._inner.item_finished(stage, item, detail, **facts)

    def stage_finished(self, stage: str, summary: str) -> None:
        self._event("finished", stage, summary=summary)
        self._inner.stage_finished(stage, summary)

    def finding_reported(self, finding: Finding) -> None:
        self._inner.finding_reported(finding)

    def received(self, host: str, count: int) -> None:
        self._inner.received(host, count)

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        self._inner.waiting(host, seconds, reason)

    def _component(self, stage: str, item: str, state: str, reason: str = "") -> None:
        now = time.monotonic()
        with self._lock:
            since = self._since.setdefault((stage, item), now)
        optional = {"reason": reason} if reason else {}
        self._event("component", stage, component=item, state=state, seconds=round(now - since, 3), **optional)

    def _event(self, event: str, stage: str, **content: object) -> None:
        name, _, cluster = stage.partition(" ")
        place = {"cluster": cluster} if cluster else {}
        at = round(time.monotonic() - self._began, 3)
        with self._lock:  # one line at a time
            self._out({"event": event, "at": at, "stage": name, **place, **content})
