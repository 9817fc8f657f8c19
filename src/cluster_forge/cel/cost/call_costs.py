"""What the cost of a call is: a function of its arguments' estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cluster_forge.cel.cost.declared import Declared, Size, share
from cluster_forge.cel.cost.estimate import Estimate

PER_CHARACTER: Final = 0.1
"""For each character that is read."""

Result = tuple[int, Declared, Size | None]
"""Cost, type and size of a call; the size is None where the type says it."""
Cost = Callable[[Sequence[Estimate]], Result]


def read(one: Estimate, factor: float = PER_CHARACTER) -> int:
    """The cost of reading a text, or a part or multiple of that."""
    return share(one.known_size.most, factor)


def fixed(result: Declared) -> Cost:
    """A call of one unit, whatever its arguments are."""
    return lambda _: (1, result, None)
