"""What `doctor` found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from cluster_forge.cli.output.terminal_text import Styled, styled
from cluster_forge.stages.deliver.doctor import Diagnosis
from cluster_forge.stages.deliver.examination import Examined, State

_COLORS: Final = {State.GOOD: "green", State.ABSENT: None, State.DOUBTFUL: "yellow", State.MISSING: "red"}
_MENDED: Final = (State.DOUBTFUL, State.MISSING)
_WIDTH: Final = max(map(len, State))


def lines(diagnosis: Diagnosis) -> Iterator[Styled]:
    """A line for each thing, with the remedy below it where one is needed."""
    for title, examined in (("This machine", diagnosis.machine), ("The cluster", diagnosis.cluster)):
        if examined:
            yield styled((title, {"bold": True}))
            yield from map(_line, examined)
    yield styled("nothing that is needed is missing" if diagnosis.is_good else "something that is needed is missing")


def json(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "good": diagnosis.is_good,
        "machine": _json(diagnosis.machine),
        "cluster": _json(diagnosis.cluster),
    }


def _line(each: Examined) -> Styled:
    where = f"{each.where}: " if each.where else ""
    head = (f"  {each.state:<{_WIDTH}}", {"fg": _COLORS[each.state]})
    remedy = f"\n{' ' * (_WIDTH + 4)}fix: {_indented(each.fix)}" if each.fix and each.state in _MENDED else ""
    return styled(head, f"  {each.name}: {where}{_indented(each.detail)}{remedy}")


def _indented(text: str) -> str:
    return text.replace("\n", f"\n{' ' * (_WIDTH + 6)}")


def _json(examined: Iterable[Examined]) -> list[dict[str, str]]:
    return [
        {"name": each.name, "state": each.state.value, "where": each.where, "detail": each.detail, "fix": each.fix}
        for each in examined
    ]
