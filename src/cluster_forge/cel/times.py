"""Points in time and spans of time (``google.protobuf.Timestamp``, ``Duration``), in nanoseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from cluster_forge.cel.errors import EvaluationError, UnsupportedError

SECOND: Final = 1_000_000_000
_UNITS: Final = {
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000,
    "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
}  # fmt: skip
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION: Final = re.compile(r"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_TIMESTAMP: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_LONGEST: Final = 64
"""Characters of a text that is a time."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = -62135596800 * SECOND
_LAST: Final = 253402300799 * SECOND + SECOND - 1
_LARGEST: Final = (1 << 63) - 1
"""Nanoseconds of the largest duration: 292 years, as in Go."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    nanoseconds: int

    @classmethod
    def of(cls, nanoseconds: int) -> Duration:
        if abs(nanoseconds) > _LARGEST:
            raise EvaluationError("the duration is out of range")
        return cls(nanoseconds)

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Of a text as Go writes durations: ``1h30m``, ``-1.5s`` (``time.ParseDuration``)."""
        if len(text) > _LONGEST or not _DURATION.fullmatch(text):
            raise EvaluationError(f"{text[:_LONGEST]!r} is not a duration")
        total = sum(_nanoseconds(number, unit) for number, unit in _PART.findall(text))
        return cls.of(-total if text.startswith("-") else total)

    def __str__(self) -> str:
        seconds, rest = divmod(abs(self.nanoseconds), SECOND)
        fraction = f".{rest:09}".rstrip("0") if rest else ""
        return f"{'-' * (self.nanoseconds < 0)}{seconds}{fraction}s"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """``nanoseconds`` since 1970 in UTC."""

    nanoseconds: int

    @classmethod
    def of(cls, nanoseconds: int) -> Timestamp:
        if not _FIRST <= nanoseconds <= _LAST:
            raise EvaluationError("the timestamp is out of range")
        return cls(nanoseconds)

    @classmethod
    def parse(cls, text: str) -> Timestamp:
        """Of a text as RFC 3339 has it."""
        match = _TIMESTAMP.fullmatch(text) if len(text) <= _LONGEST else None
        if not match:
            raise EvaluationError(f"{text[:_LONGEST]!r} is not a time")
        *fields, fraction, sign, hours, minutes = match.groups()
        try:
            year, month, day, hour, minute, second = map(int, fields)
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError as error:
            raise EvaluationError(f"{text!r} is not a time") from error
        offset = (int(hours) * 60 + int(minutes)) * 60 * (-1 if sign == "-" else 1) if sign else 0
        seconds = (moment - _EPOCH) // timedelta(seconds=1) - offset
        return cls.of(seconds * SECOND + int((fraction or "0").ljust(9, "0")))

    def at(self, zone: str = "UTC") -> datetime:
        """As a date and a time of day, to the microsecond; ``zone`` is an offset such as ``-08:00``, or UTC.

        Names of zones are not supported: what they mean differs from machine to machine.
        """
        try:
            return (_EPOCH + timedelta(microseconds=self.nanoseconds // 1000)).astimezone(_zone(zone))
        except (OverflowError, ValueError) as error:
            raise EvaluationError(f"no time in the zone {zone[:_LONGEST]!r}") from error

    def __str__(self) -> str:
        rest = self.nanoseconds % SECOND
        fraction = f".{rest:09}".rstrip("0") if rest else ""
        return f"{self.at().strftime('%Y-%m-%dT%H:%M:%S').rjust(19, '0')}{fraction}Z"


def _nanoseconds(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    return int(whole or "0") * _UNITS[unit] + (int(fraction) * _UNITS[unit] // 10 ** len(fraction) if fraction else 0)


def _zone(name: str) -> timezone:
    match = _OFFSET.fullmatch(name)
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    if name != "UTC":
        raise UnsupportedError(f"the time zone {name[:_LONGEST]!r}")
    return UTC
