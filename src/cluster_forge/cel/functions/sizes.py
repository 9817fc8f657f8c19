"""``size``, and whether text begins, ends with or holds other text."""

from __future__ import annotations

from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.functions.overloads import LIST, MAP, Overload, Table


def _size(_budget: Budget, value: Any) -> int:
    return len(value)


def _contains(budget: Budget, text: str, part: str) -> bool:
    budget.traverse(len(text))
    return part in text


_SIZES: Final = [Overload((kind,), _size) for kind in (str, LIST, MAP, bytes)]
GLOBALS: Final[Table] = {"size": _SIZES}
MEMBERS: Final[Table] = {
    "size": _SIZES,
    "contains": [Overload((str, str), _contains)],
    "startsWith": [Overload((str, str), lambda _, text, part: text.startswith(part))],
    "endsWith": [Overload((str, str), lambda _, text, part: text.endswith(part))],
}
