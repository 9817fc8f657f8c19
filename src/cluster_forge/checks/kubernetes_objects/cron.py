"""Schedules of CronJobs, as their controller reads them.

Source: robfig/cron v3, ``ParseStandard``: five fields, or a descriptor such as ``@daily`` or ``@every 1h30m``; Kubernetes,
``pkg/apis/batch/validation``, which takes no time zone in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

ZONES: Final = ("TZ=", "CRON_TZ=")
"""How a schedule with a time zone begins."""
_DESCRIPTORS: Final = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY: Final = re.compile(r"@every ([+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+\Z")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final[Sequence[tuple[str, int, int, Sequence[str], int]]] = (
    ("minute", 0, 59, (), 0),
    ("hour", 0, 23, (), 0),
    ("day of the month", 1, 31, (), 0),
    ("month", 1, 12, _MONTHS, 1),
    ("day of the week", 0, 6, _DAYS, 0),
)
"""Each field: its name, the least and the greatest number, names of numbers, and the number of the first name."""


def problem(schedule: str) -> str:
    """Why a text is not a schedule; empty if it is one."""
    if schedule.startswith(ZONES):
        return "it has a time zone, which stands in spec.timeZone"
    if schedule.startswith("@"):
        is_known = schedule in _DESCRIPTORS or bool(_EVERY.match(schedule))
        return (
            ""
            if is_known
            else f"{schedule.split(' ', maxsplit=1)[0]} is none of {', '.join(sorted(_DESCRIPTORS))} and @every"
        )
    parts = schedule.split()
    if len(parts) != len(_FIELDS):
        return f"it has {len(parts)} fields, and needs {len(_FIELDS)}"
    for part, field in zip(parts, _FIELDS, strict=True):
        for choice in filter(None, part.split(",")):
            if reason := _choice_problem(choice, field):
                return reason
    return ""


def _choice_problem(choice: str, field: tuple[str, int, int, Sequence[str], int]) -> str:
    """Of one choice of a field: ``*``, ``5``, ``1-5``, ``*/10``, ``mon-fri/2``."""
    name, least, most, names, first = field
    span, *steps = choice.split("/")
    low, *highs = span.split("-")
    if len(steps) > 1:
        return f"{choice!r} is not a valid {name}"
    numbers = [least, most]
    if low not in ("*", "?"):  # what stands behind a star and a hyphen is not read
        if len(highs) > 1:
            return f"{choice!r} is not a valid {name}"
        ends_of_span = [_number(text, names, first) for text in (low, *highs)]
        if None in ends_of_span:
            return f"{choice!r} is not a valid {name}"
        start, *ends = [number for number in ends_of_span if number is not None]
        numbers = [start, ends[0] if ends else most if steps else start]
    if steps and (not steps[0].isascii() or not steps[0].isdecimal() or int(steps[0][:9]) == 0):
        return f"{choice!r} has no proper step"
    if numbers[0] < least or numbers[1] > most:
        return f"{choice!r} is not a valid {name}, which is from {least} to {most}"
    return f"{choice!r} ends before it begins" if numbers[0] > numbers[1] else ""


def _number(text: str, names: Sequence[str], first: int) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + first
    return int(text[:9]) if text.isascii() and text.isdecimal() else None
