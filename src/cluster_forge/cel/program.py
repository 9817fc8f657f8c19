"""An expression, compiled once and evaluated for many values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cluster_forge.cel import parser
from cluster_forge.cel.budget import Budget
from cluster_forge.cel.compiler import Evaluate, compiled
from cluster_forge.cel.syntax import Bind, Loop, Name, Node
from cluster_forge.cel.values import TYPES

MOST: Final = 100_000
"""Units for one evaluation: a tenth of a second, as the API server allows (``PerCallLimit``)."""


@dataclass(frozen=True, slots=True)
class Program:
    """``names`` are those that the expression needs."""

    source: str
    names: frozenset[str]
    _evaluate: Evaluate

    def value(self, names: Mapping[str, Any], budget: Budget) -> Any:
        """The expression's value, for at most `MOST` units of the budget.

        Raises:
            EvaluationError: if it has none.
            BudgetExceededError: if it takes too long.
            UnsupportedError: for a value that this program does not know, such as a time zone.
        """
        own = Budget(min(MOST, budget.left))
        before = own.left
        try:
            return self._evaluate(names, own)
        finally:
            budget.left -= before - max(own.left, 0)


@lru_cache(maxsize=5000)
def program(source: str) -> Program:
    """The program of an expression.

    Raises:
        InvalidExpressionError: if it cannot be read.
        UnsupportedError: if it uses an unknown function, or is too large.
    """
    tree = parser.parse(source)
    evaluate = compiled(tree)  # before the names: it limits the depth
    return Program(source, frozenset(_free(tree)) - TYPES.keys(), evaluate)


def _free(node: Node) -> Iterator[str]:
    """The names of a tree that it does not bind itself."""
    if isinstance(node, Name):
        yield node.name
    for part in node.parts:
        yield from _free(part)
    if isinstance(node, Bind | Loop):
        names, parts = node.bound
        yield from (name for part in parts for name in _free(part) if name not in names)
