"""Functions of text (cel-go, ``ext.Strings``, version 2). Places are counted in characters."""

from __future__ import annotations

from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions import formatting
from cluster_forge.cel.functions.overloads import LIST, Overload, Table

_UPPER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_LOWER: Final = {code + 32: code for code in _UPPER}
_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_QUOTED: Final = str.maketrans(
    {
        "\\": "\\\\",
        '"': '\\"',
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
    }
)


def _char_at(_budget: Budget, text: str, place: int) -> str:
    return text[_checked(text, place) :][:1]


def _index(budget: Budget, text: str, part: str, start: int = 0) -> int:
    budget.traverse(len(text))
    return text.find(part, _checked(text, start))


def _last_index(budget: Budget, text: str, part: str, end: int | None = None) -> int:
    budget.traverse(len(text))
    return text.rfind(part) if end is None else text.rfind(part, 0, _checked(text, end) + len(part))


def _joined(budget: Budget, parts: Any, separator: str = "") -> str:
    if not all(isinstance(part, str) for part in parts):
        raise EvaluationError("join takes a list of strings")
    budget.traverse(sum(map(len, parts)) + len(parts) * (len(separator) + 1))
    return separator.join(parts)


def _replaced(budget: Budget, text: str, old: str, new: str, count: int = -1) -> str:
    budget.traverse(len(text))
    occurrences = text.count(old) if count < 0 else min(text.count(old), count)
    budget.traverse(occurrences * len(new))
    return text.replace(old, new, count)


def _split(budget: Budget, text: str, separator: str, count: int = -1) -> list[str]:
    budget.spend(1 + len(text))
    if count == 0:
        return []
    if not separator:
        parts = [*text] if count < 0 or count > len(text) else [*text[: count - 1], text[count - 1 :]]
        return [part for part in parts if part]
    return text.split(separator, count - 1 if count > 0 else -1)


def _substring(budget: Budget, text: str, start: int, end: int | None = None) -> str:
    budget.traverse(len(text))
    stop = len(text) if end is None else _checked(text, end)
    if _checked(text, start) > stop:
        raise EvaluationError("the part ends before it begins")
    return text[start:stop]


def _checked(text: str, place: int) -> int:
    if not 0 <= place <= len(text):
        raise EvaluationError(f"the text has no place {place}")
    return place


def _formatted(budget: Budget, template: str, values: Any) -> str:
    text = formatting.formatted(template, values, budget)
    budget.traverse(len(text))
    return text


def _quoted(budget: Budget, text: str) -> str:
    budget.traverse(len(text))
    return f'"{text.translate(_QUOTED)}"'


def _lower(budget: Budget, text: str) -> str:
    budget.traverse(len(text))
    return text.translate(_UPPER)


def _upper(budget: Budget, text: str) -> str:
    budget.traverse(len(text))
    return text.translate(_LOWER)


def _trimmed(budget: Budget, text: str) -> str:
    budget.traverse(len(text))
    return text.strip(_SPACE)


GLOBALS: Final[Table] = {"strings.quote": [Overload((str,), _quoted)]}
MEMBERS: Final[Table] = {
    "charAt": [Overload((str, int), _char_at)],
    "format": [Overload((str, LIST), _formatted)],
    "indexOf": [Overload((str, str), _index), Overload((str, str, int), _index)],
    "join": [Overload((LIST,), _joined), Overload((LIST, str), _joined)],
    "lastIndexOf": [Overload((str, str), _last_index), Overload((str, str, int), _last_index)],
    "lowerAscii": [Overload((str,), _lower)],
    "replace": [Overload((str, str, str), _replaced), Overload((str, str, str, int), _replaced)],
    "reverse": [Overload((str,), lambda _, text: text[::-1])],
    "split": [Overload((str, str), _split), Overload((str, str, int), _split)],
    "substring": [Overload((str, int), _substring), Overload((str, int, int), _substring)],
    "trim": [Overload((str,), _trimmed)],
    "upperAscii": [Overload((str,), _upper)],
}
