"""Events as records: `Recorded` wraps a reporter, `Timings` computes from the records how long everything took."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.cli.progress.transfer_relay import RunReporter
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding

Event = Mapping[str, Any]
"""``event`` (the Reporter's method), ``at`` (seconds since the run began), ``stage``, ``item``, ``seconds`` and facts."""

_SLOWEST: Final = 10


class Recorded:
    """`RunReporter` that passes every event to another reporter, and a record of it to ``keep``.

    It measures the ``seconds`` of items and stages from start to finish, unless the stage reports them itself.
    """

    def __init__(self, inner: RunReporter, keep: Callable[[Event], None], *, began: float) -> None:
        self._inner = inner
        self._keep = keep
        self._began = began
        self._lock = threading.Lock()
        self._received = 0
        self._since: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def stage_started(self, stage: str, total: int) -> None:
        self._note("started", {"stage": stage, "total": total}, begins=True)
        self._inner.stage_started(stage, total)

    def item_started(self, stage: str, item: str) -> None:
        self._note("began", {"stage": stage, "item": item}, begins=True)
        self._inner.item_started(stage, item)

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        self._note("waits", {"stage": stage, "item": item, "reason": reason})
        self._inner.item_waiting(stage, item, reason)

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        optional = {"detail": detail} if detail else {}
        self._note("advanced", {"stage": stage, "item": item, **optional, **facts}, ends=True)
        self._inner.item_finished(stage, item, detail, **facts)

    def stage_finished(self, stage: str, summary: str) -> None:
        with self._lock:
            received, self._received = self._received, 0
        optional = {"received": received} if received else {}
        self._note("finished", {"stage": stage, "summary": summary, **optional}, ends=True)
        self._inner.stage_finished(stage, summary)

    def finding_reported(self, finding: Finding) -> None:
        content: dict[str, Any] = {"code": finding.code, "severity": finding.severity, "message": finding.message}
        optional = {"item": finding.component, "where": finding.where}
        self._note("noticed", content | {name: value for name, value in optional.items() if value})
        self._inner.finding_reported(finding)

    def received(self, host: str, count: int) -> None:
        with self._lock:
            self._received += count
        self._inner.received(host, count)

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        self._note("waiting", {"host": host, "for": round(seconds, 3), "reason": reason})
        self._inner.waiting(host, seconds, reason)

    def _note(self, event: str, content: dict[str, Any], *, begins: bool = False, ends: bool = False) -> None:
        with self._lock:
            now = time.monotonic() - self._began
            since = self._since[content.get("stage", ""), content.get("item", "")]
            if begins:
                since.append(now)
            elif ends and since:
                content.setdefault("seconds", round(now - since.pop(0), 3))
            self._keep({"event": event, "at": round(now, 3), **content})


class Timings:
    """How long stages (wall clock) and the slowest items took, and how many items came from the cache."""

    def __init__(self) -> None:
        self._spans: dict[str, tuple[float, float]] = {}
        self._items: list[tuple[float, str, str]] = []
        self._done: Counter[str] = Counter()
        self._cached: Counter[str] = Counter()

    def add(self, event: Event) -> None:
        stage = event.get("stage")
        if not stage:
            return
        first, _ = self._spans.get(stage, (event["at"], 0))
        self._spans[stage] = (first, event["at"])
        if event["event"] == "advanced":
            self._done[stage] += 1
            self._cached[stage] += bool(event.get("cached"))
            self._items.append((event.get("seconds", 0.0), stage, event["item"]))

    def json(self) -> dict[str, Any]:
        """Stages overlap: the sum of their seconds may exceed the run's."""
        stages = [
            {
                "stage": stage,
                "seconds": round(last - first, 3),
                "items": self._done[stage],
                "cached": self._cached[stage],
            }
            for stage, (first, last) in self._spans.items()
        ]
        slowest = [{"stage": stage, "item": item, "seconds": seconds} for seconds, stage, item in self._slowest()]
        return {"stages": stages, "slowest": slowest}

    def lines(self, seconds: float) -> Iterator[str]:
        """The same as text; ``seconds`` is how long the run took."""
        yield f"timings ({seconds:.2f} s in total):"
        for stage, (first, last) in self._spans.items():
            cached = f", {self._cached[stage]} from the cache" if self._cached[stage] else ""
            yield f"  {stage:<8} {last - first:>7.2f} s  {counted(self._done[stage], 'item')}{cached}"
        slowest = self._slowest()
        if slowest:
            yield "slowest:"
        for duration, stage, item in slowest:
            yield f"  {stage:<8} {duration:>7.2f} s  {item}"

    def _slowest(self) -> list[tuple[float, str, str]]:
        measured = [(seconds, stage, item) for seconds, stage, item in self._items if seconds > 0]
        return sorted(measured, key=lambda row: (-row[0], *row[1:]))[:_SLOWEST]
