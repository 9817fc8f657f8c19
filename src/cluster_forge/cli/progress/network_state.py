"""What happens on the network now, as one line: pure, as `state` is."""

from __future__ import annotations

from typing import Final

from cluster_forge.cli.output.counts import size

_RECENT: Final = 2.0
"""Seconds for which the line stays after the last byte, and over which the speed is measured."""


class Network:
    """The bytes received, and the hosts that are waited for. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._total = 0
        self._recent: list[tuple[float, int]] = []
        self._waits: dict[str, tuple[float, str]] = {}
        """The longest wait for each host: until when, and why."""

    def received(self, count: int, now: float) -> None:
        if count:
            self._total += count
            self._recent = [*self._since(now), (now, count)]

    def waiting(self, host: str, until: float, reason: str) -> None:
        self._waits[host] = max(self._waits.get(host, (until, reason)), (until, reason))

    def line(self, now: float) -> tuple[str, str] | None:
        """What was received, and what else there is to say: the speed, and the longest wait. None if there is nothing."""
        self._recent = self._since(now)
        self._waits = {host: wait for host, wait in self._waits.items() if wait[0] > now}
        if not self._recent and not self._waits:
            return None
        speed = sum(count for _, count in self._recent) / _RECENT
        texts = [f"{size(int(speed))}/s"] if self._recent else []
        if self._waits:
            host, (until, reason) = max(self._waits.items(), key=lambda entry: entry[1][0])
            more = f" +{len(self._waits) - 1}" if len(self._waits) > 1 else ""
            texts.append(waiting_text(host, until - now, reason) + more)
        return size(self._total), "  ".join(texts)

    def _since(self, now: float) -> list[tuple[float, int]]:
        return [(at, count) for at, count in self._recent if now - at < _RECENT]


def waiting_text(host: str, seconds: float, reason: str) -> str:
    """``waiting 4 s for charts.example.com (429)``."""
    name = host.removesuffix(":443").removesuffix(":80")
    return f"waiting {max(1, round(seconds))} s for {name} ({reason})"
