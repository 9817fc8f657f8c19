"""Regular expressions, by RE2: the syntax of Go, in a time that is linear in the text.

A pattern's cost is the size of its program: RE2 refuses repetitions of more than 1,000, and programs beyond its memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError, UnsupportedError
from cluster_forge.cel.functions.overloads import Overload, Table

_STEPS: Final = 200
"""Instructions for one character that RE2 runs in a unit of the budget."""
_MEMORY: Final = 1 << 20
"""Bytes of a program. A larger one is slow to build, and no schema has one."""


def _compiled(budget: Budget, pattern: str, text: str) -> Any:
    budget.traverse(len(pattern))
    program = _program(pattern)
    budget.spend(1 + program.programsize * len(text) // _STEPS)
    return program


@lru_cache(maxsize=500)
def _program(pattern: str) -> Any:
    try:
        import re2  # noqa: PLC0415 - 0.02 s, for few expressions
    except ImportError as error:
        raise UnsupportedError("regular expressions: RE2 is not installed on this platform") from error
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise EvaluationError(f"the regular expression {pattern[:100]!r} is invalid") from error


def _matches(budget: Budget, text: str, pattern: str) -> bool:
    return _compiled(budget, pattern, text).search(text) is not None


def _find(budget: Budget, text: str, pattern: str) -> str:
    match = _compiled(budget, pattern, text).search(text)
    return match[0] if match else ""


def _find_all(budget: Budget, text: str, pattern: str, limit: int = -1) -> list[str]:
    program = _compiled(budget, pattern, text)
    texts: list[str] = []
    for match in program.finditer(text):
        if len(texts) == limit:
            break
        budget.spend(1)
        texts.append(match[0])
    return texts


GLOBALS: Final[Table] = {"matches": [Overload((str, str), _matches)]}
MEMBERS: Final[Table] = {
    "matches": [Overload((str, str), _matches)],
    "find": [Overload((str, str), _find)],
    "findAll": [Overload((str, str), _find_all), Overload((str, str, int), _find_all)],
}
