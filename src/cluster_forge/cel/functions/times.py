"""Parts of times and durations; the zone of a time is UTC, or an offset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.functions.overloads import Overload, Table
from cluster_forge.cel.times import SECOND, Duration, Timestamp

_MILLISECOND: Final = SECOND // 1000


def _of_time(part: Callable[[datetime], int]) -> list[Overload]:
    def call(_budget: Budget, time: Timestamp, zone: str = "UTC") -> int:
        return part(time.at(zone))

    return [Overload((Timestamp,), call), Overload((Timestamp, str), call)]


def _of_duration(unit: int) -> Overload:
    def call(_budget: Budget, duration: Duration) -> int:
        count = abs(duration.nanoseconds) // unit
        return -count if duration.nanoseconds < 0 else count

    return Overload((Duration,), call)


def _milliseconds(_budget: Budget, duration: Duration) -> Any:
    """The milliseconds beside the whole seconds."""
    rest = abs(duration.nanoseconds) % SECOND // _MILLISECOND
    return -rest if duration.nanoseconds < 0 else rest


GLOBALS: Final[Table] = {}
MEMBERS: Final[Table] = {
    "getFullYear": _of_time(lambda time: time.year),
    "getMonth": _of_time(lambda time: time.month - 1),
    "getDate": _of_time(lambda time: time.day),
    "getDayOfMonth": _of_time(lambda time: time.day - 1),
    "getDayOfWeek": _of_time(lambda time: time.isoweekday() % 7),
    "getDayOfYear": _of_time(lambda time: time.timetuple().tm_yday - 1),
    "getHours": [*_of_time(lambda time: time.hour), _of_duration(3600 * SECOND)],
    "getMinutes": [*_of_time(lambda time: time.minute), _of_duration(60 * SECOND)],
    "getSeconds": [*_of_time(lambda time: time.second), _of_duration(SECOND)],
    "getMilliseconds": [
        *_of_time(lambda time: time.microsecond // 1000),
        Overload((Duration,), _milliseconds),
    ],
}
