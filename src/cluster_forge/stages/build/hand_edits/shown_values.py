"""The values of a conflict as texts in which a reader sees how they differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from cluster_forge.patches.sameness import ABSENT
from cluster_forge.stages.build.hand_edits.file_merge import NOT_THERE

_LONGEST: Final = 80
"""Characters of a value that is shown whole."""
_LONGEST_PART: Final = 160
"""Characters of what is shown of a longer one."""
_BEFORE: Final = 20
"""Characters before the first difference."""


def texts(values: Sequence[Any], without_secrets: Callable[[str], str]) -> list[str]:
    """The values as JSON; `NOT_THERE` for one that is absent. Of long ones: of lists the entries that not all have, of others
    what begins shortly before the first difference.
    """
    present = iter(_present([value for value in values if value is not ABSENT], without_secrets))
    return [NOT_THERE if value is ABSENT else next(present) for value in values]


def _present(values: Sequence[Any], without_secrets: Callable[[str], str]) -> list[str]:
    whole = [without_secrets(json.dumps(value)) for value in values]
    if max(map(len, whole), default=0) <= _LONGEST:
        return whole
    if all(isinstance(value, list) for value in values):
        parts = [without_secrets(text) for text in _differing(values)]
        whole = parts if len({*parts}) == len({*whole}) else whole  # not those that differ in their order alone
    first = next((place for place, signs in enumerate(zip(*whole, strict=False)) if len({*signs}) > 1), 0)
    if first > _LONGEST // 2:
        whole = [f"…{text[first - _BEFORE :]}" for text in whole]
    return [text if len(text) <= _LONGEST_PART else f"{text[: _LONGEST_PART - 1]}…" for text in whole]


def _differing(lists: Sequence[Sequence[Any]]) -> list[str]:
    """Each list as JSON without the entries that are in all of them, for which ``…`` stands at its end."""
    entries = [[json.dumps(entry) for entry in one] for one in lists]
    common = set.intersection(*map(set, entries))
    shown = ([entry for entry in one if entry not in common] + (["…"] if common else []) for one in entries)
    return [f"[{', '.join(one)}]" for one in shown]
