"""Where a run stands, and the few lines that show it: pure, so that every width can be tried."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import click


@dataclass(slots=True)
class _Stage:
    total: int = 0
    done: int = 0
    is_open: bool = False
    working: Counter[str] = field(default_factory=Counter)
    """What is being worked on, in the order of its beginning; a component with two sources is there twice."""

    @property
    def share(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0


class Progress:
    """The stages that a verb goes through, in their order, and how far each of them is."""

    def __init__(self, stages: Sequence[str]) -> None:
        self._stages = {name: _Stage() for name in stages}
        self._shown = 0.0

    def stage_started(self, stage: str, total: int) -> None:
        self._stages[stage] = _Stage(total=total, is_open=True)

    def item_started(self, stage: str, item: str) -> None:
        self._stages.setdefault(stage, _Stage(is_open=True)).working[item] += 1

    def item_finished(self, stage: str, item: str) -> None:
        found = self._stages.setdefault(stage, _Stage(is_open=True))
        found.done += 1
        if found.total:
            found.total = max(found.total, found.done)  # a chart may have to be rendered twice
        found.working[item] -= 1
        if found.working[item] <= 0:
            del found.working[item]

    def stage_finished(self, stage: str) -> None:
        """A stage that is done has no line any more, and neither has an earlier one that never said so."""
        for name, each in self._stages.items():
            each.is_open, each.working = False, Counter()
            each.done = each.total = max(each.total, 1)
            if name == stage:
                return

    @property
    def open(self) -> list[tuple[str, int, int, tuple[str, ...]]]:
        """Each stage that is going on: name, items done, items, what is being worked on."""
        return [
            (name, each.done, each.total, tuple(each.working))
            for name, each in self._stages.items()
            if each.is_open and (each.total or each.working)
        ]

    @property
    def share(self) -> float:
        """How much of everything is done, 0 to 1; each stage counts alike, and it never goes back."""
        now = sum(each.share for each in self._stages.values()) / max(len(self._stages), 1)
        self._shown = max(self._shown, now)
        return self._shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the bars are drawn with."""

    full: str = "━"
    empty: str = "─"
    more: str = "…"


UNICODE = Looks()
ASCII = Looks(full="#", empty="-", more="~")


def lines(progress: Progress, *, columns: int, seconds: float, looks: Looks = UNICODE) -> list[str]:
    """A line for each stage that is going on, and one for everything; each narrower than ``columns``.

    The last column stays free: what stands there makes some terminals wrap.
    """
    room = max(columns - 1, 1)
    going = progress.open
    heads = [(name, f"{done}/{total}" if total else str(done)) for name, done, total, _ in going]
    heads.append(("total", f"{int(progress.share * 100)} %"))
    names, counts = (max(len(head[column]) for head in heads) for column in (0, 1))
    width = min(40, room // 3) if room >= 60 else room // 4 if room >= 30 else 0
    shares = [*(min(done / total, 1.0) if total else 0.0 for _, done, total, _ in going), progress.share]
    left = room - names - counts - 2 - (width + 2 if width else 0) - 1
    tails = [*(_listed(working, left, looks.more) for _, _, _, working in going), clock(seconds)]
    return [
        _line(f"{name:<{names}} {count:>{counts}}", _bar(share, width, looks), tail, room)
        for (name, count), share, tail in zip(heads, shares, tails, strict=True)
    ]


def clock(seconds: float) -> str:
    """``3.2 s``, ``42 s``, ``1:05``, ``1:00:00``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def _line(head: str, bar: str, tail: str, room: int) -> str:
    """Put together so that what does not fit any more is left out from the right, never cut in a colour."""
    text = head
    for part in (bar, tail):
        if part and fits(click.unstyle(f"{text}  {part}"), room):
            text = f"{text}  {part}"
    return text if fits(click.unstyle(text), room) else cut(click.unstyle(text), room, "")


def _bar(share: float, width: int, looks: Looks) -> str:
    full = int(share * width)
    parts = ((looks.full * full, {"fg": "cyan"}), (looks.empty * (width - full), {"dim": True}))
    return "".join(click.style(text, **style) for text, style in parts if text)


def _listed(items: Sequence[str], room: int, more: str) -> str:
    """As many items as fit, and how many there are beside them."""
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
    """How many columns of a terminal the text takes."""
    return sum(_cell(char) for char in text)


def fits(text: str, room: int) -> bool:
    return cells(text) <= room


def cut(text: str, room: int, more: str) -> str:
    """The text, or its beginning and ``more`` where it is too wide."""
    if fits(text, room):
        return text
    kept = ""
    for char in text:
        if cells(kept + char + more) > room:
            break
        kept += char
    return kept + more if fits(kept + more, room) else ""


def plain(texts: Iterable[str]) -> list[str]:
    """Without colours."""
    return [click.unstyle(text) for text in texts]


def _cell(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
