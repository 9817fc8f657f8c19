"""The progress of a run, and the few lines that show it: pure, so that tests can try every width."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import click

from cluster_forge.cli.output.counts import clock


@dataclass(slots=True)
class _Stage:
    total: int = 0
    done: int = 0
    is_open: bool = False
    working: Counter[str] = field(default_factory=Counter)
    """The items in progress, in the order of their start; a component with two sources counts twice."""
    waiting: dict[str, tuple[float, str]] = field(default_factory=dict)
    """What items in progress wait for, and since when they have been in progress or waiting."""

    @property
    def share(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0


class Progress:
    """The stages of a verb, in their order, and how far each of them is."""

    def __init__(self, stages: Sequence[str]) -> None:
        self._stages = {name: _Stage() for name in stages}
        self._shown = 0.0

    def stage_started(self, stage: str, total: int) -> None:
        self._stages[stage] = _Stage(total=total, is_open=True)

    def item_started(self, stage: str, item: str) -> None:
        self._stages.setdefault(stage, _Stage(is_open=True)).working[item] += 1

    def item_finished(self, stage: str, item: str, *, is_again: bool = False) -> None:
        """``is_again``: it was finished before, and is counted."""
        state = self._stages.setdefault(stage, _Stage(is_open=True))
        state.done += not is_again
        if state.total:
            state.total = max(state.total, state.done)
        state.working[item] -= 1
        if state.working[item] <= 0:
            del state.working[item]
            state.waiting.pop(item, None)

    def item_waiting(self, stage: str, item: str, reason: str, at: float) -> None:
        """An item waits; ``at`` are the seconds of the run."""
        state = self._stages.setdefault(stage, _Stage(is_open=True))
        since, _ = state.waiting.get(item, (at, ""))
        state.waiting[item] = (since, reason)

    def stage_finished(self, stage: str) -> None:
        """Close a stage, and earlier ones that have not reported their end."""
        for name, state in self._stages.items():
            state.is_open, state.working, state.waiting = False, Counter(), {}
            state.done = state.total = max(state.total, 1)
            if name == stage:
                return

    @property
    def open(self) -> list[tuple[str, int, int, tuple[str, ...]]]:
        """The stages in progress: name, items done, items in total, items in progress."""
        return [
            (name, state.done, state.total, tuple(state.working))
            for name, state in self._stages.items()
            if state.is_open and (state.total or state.working)
        ]

    @property
    def waiting(self) -> list[tuple[str, float, str]]:
        """The items that wait: name, since when in seconds of the run, and for what."""
        return [
            (item, since, reason) for state in self._stages.values() for item, (since, reason) in state.waiting.items()
        ]

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1; stages count equally, and it never decreases."""
        now = sum(state.share for state in self._stages.values()) / max(len(self._stages), 1)
        self._shown = max(self._shown, now)
        return self._shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The characters of bars and cut texts."""

    full: str = "━"
    empty: str = "─"
    more: str = "…"


_ROWS: Final = 12
"""Lines for items that wait: more would push everything else off a terminal."""
UNICODE = Glyphs()
ASCII = Glyphs(full="#", empty="-", more="~")


def lines(
    progress: Progress,
    *,
    columns: int,
    seconds: float,
    glyphs: Glyphs = UNICODE,
    network: tuple[str, str] | None = None,
) -> list[str]:
    """A line for each item that waits, for each stage in progress, for the network if there is something to say
    (`network_state`), and for the whole run; all narrower than ``columns``.

    The last column stays free: a character there makes some terminals wrap.
    """
    room = max(columns - 1, 1)
    stages = progress.open
    heads = [(name, f"{done}/{total}" if total else str(done)) for name, done, total, _ in stages]
    heads.append(("total", f"{int(progress.share * 100)} %"))
    names, counts = (max(len(head[column]) for head in heads) for column in (0, 1))
    width = min(40, room // 3) if room >= 60 else room // 4 if room >= 30 else 0
    shares = [*(min(done / total, 1.0) if total else 0.0 for _, done, total, _ in stages), progress.share]
    left = room - names - counts - 2 - (width + 2 if width else 0) - 1
    tails = [*(_listed(working, left, glyphs.more) for _, _, _, working in stages), clock(seconds)]
    shown = [
        _line(f"{name:<{names}} {count:>{counts}}", _bar(share, width, glyphs), tail, room)
        for (name, count), share, tail in zip(heads, shares, tails, strict=True)
    ]
    if network:
        head = f"network {network[0]}"
        shown.insert(-1, _line(head, "", cut(network[1], room - cells(head) - 2, glyphs.more), room))
    return [*_waits(progress.waiting, seconds, room, glyphs.more), *shown]


def _waits(waiting: Sequence[tuple[str, float, str]], seconds: float, room: int, more: str) -> list[str]:
    """The table of what waits: name, for how long, for what; of a long one its beginning and a number."""
    listed = waiting if len(waiting) <= _ROWS else waiting[: _ROWS - 1]
    width = max((cells(item) for item, _, _ in listed), default=0)
    rows = [
        f"{item}{' ' * (width - cells(item))} {clock(max(seconds - since, 0)):>7}  {reason}"
        for item, since, reason in listed
    ]
    if len(listed) < len(waiting):
        rows.append(f"+{len(waiting) - len(listed)} more wait")
    return [cut(row, room, more) for row in rows]


def _line(head: str, bar: str, tail: str, room: int) -> str:
    """Join the parts that fit, from the left; a part with a color is never cut."""
    text = head
    for part in (bar, tail):
        if part and fits(click.unstyle(f"{text}  {part}"), room):
            text = f"{text}  {part}"
    return text if fits(click.unstyle(text), room) else cut(click.unstyle(text), room, "")


def _bar(share: float, width: int, glyphs: Glyphs) -> str:
    full = int(share * width)
    parts = ((glyphs.full * full, {"fg": "cyan"}), (glyphs.empty * (width - full), {"dim": True}))
    return "".join(click.style(text, **style) for text, style in parts if text)


def _listed(items: Sequence[str], room: int, more: str) -> str:
    """As many items as fit, and the number of the others."""
    text = ""
    for number, item in enumerate(items):
        rest = len(items) - number - 1
        longer = f"{text}, {item}" if text else item
        if not fits(f"{longer} +{rest}" if rest else longer, room):
            if text:
                return f"{text} +{rest + 1}"
            return cut(item, room, more)
        text = longer
    return text


def cells(text: str) -> int:
    """The number of columns that a text takes on a terminal."""
    return sum(_cell(char) for char in text)


def fits(text: str, room: int) -> bool:
    return cells(text) <= room


def cut(text: str, room: int, more: str) -> str:
    """The text; if it is too wide, its beginning and ``more``."""
    if fits(text, room):
        return text
    kept = ""
    for char in text:
        if cells(kept + char + more) > room:
            break
        kept += char
    return kept + more if fits(kept + more, room) else ""


def plain(texts: Iterable[str]) -> list[str]:
    """Texts without colors."""
    return [click.unstyle(text) for text in texts]


def _cell(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
