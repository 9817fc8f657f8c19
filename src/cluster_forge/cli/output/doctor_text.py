"""What `doctor` found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from cluster_forge.cli.output.terminal_text import Styled, styled
from cluster_forge.stages.deliver.diagnosis.examination import Examined, State
from cluster_forge.stages.deliver.doctor import Diagnosis

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


def _line(item: Examined) -> Styled:
    where = f"{item.where}: " if item.where else ""
    head = (f"  {item.state:<{_WIDTH}}", {"fg": _COLORS[item.state]})
    remedy = f"\n{' ' * (_WIDTH + 4)}fix: {_indented(item.fix)}" if item.fix and item.state in _MENDED else ""
    return styled(head, f"  {item.name}: {where}{_indented(item.detail)}{remedy}")


def _indented(text: str) -> str:
    return text.replace("\n", f"\n{' ' * (_WIDTH + 6)}")


def _json(examined: Iterable[Examined]) -> list[dict[str, str]]:
    return [
        {"name": item.name, "state": item.state.value, "where": item.where, "detail": item.detail, "fix": item.fix}
        for item in examined
    ]
