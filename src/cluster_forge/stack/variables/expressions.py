"""Expressions in CEL: computed from names alone, without loops, bounded in size, and the same every time.

Bounded means: what one expression costs follows from its length and the sizes of the values that it uses. CEL has no
recursion; the macros that loop over lists (``map``, ``filter``, ``all``, ``exists``) are refused, and so is every function
but those in `FUNCTIONS`: none of them knows the time, files or the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import machinery, util
from typing import Any, Final

import orjson

from cluster_forge.foundation.names import did_you_mean

LONGEST: Final = 1000
"""Characters of an expression."""
MOST_ADDITIONS: Final = 50
"""Each one copies the texts or lists that it joins."""
LARGEST: Final = 64 << 10
"""Bytes of a value as JSON: of a variable, and of what an expression gives."""
_LARGEST_INTEGER: Final = 1 << 53
"""Up to here a number with a fraction holds every integer."""

FUNCTIONS: Final = ("contains", "double", "endsWith", "int", "size", "startsWith", "string")
"""Beside them only operators, and ``has(…)``. Regular expressions are not among them: one took a minute for 64 KiB."""
_SPACE: Final = r"(?:\s|//[^\n]*\n)*"
_LOOP: Final = re.compile(
    rf"\.{_SPACE}(all|exists|exists_one|existsOne|map|filter|transformList|transformMap|transformMapEntry){_SPACE}\("
)
_PARSER_ERROR: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)")

RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "null",
        "return",
        "true",
        "var",
        "void",
        "while",
        "component",
        "provides",
        "target",
        "vars",
    ]
)
"""Words that CEL reserves ("Language Definition", section "Syntax"), and names that are not variables."""


class ExpressionError(ValueError):
    """Why an expression has no value: ``offset`` is where in it, ``fix`` what to write."""

    def __init__(self, message: str, *, offset: int = 0, fix: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.fix = fix


def names_in(source: str) -> tuple[str, ...]:
    """The names that an expression uses, sorted.

    Raises:
        ExpressionError: if it is invalid, or not allowed.
    """
    references = _compiled(source).references()
    for function in references["functions"]:
        if function.isidentifier() and function not in FUNCTIONS:  # an operator is called `_+_`, or `@in`
            raise ExpressionError(
                f"there is no function {function!r}{did_you_mean(function, FUNCTIONS)}",
                offset=_offset(source, function),
                fix=f"the functions are {', '.join(FUNCTIONS)} and has",
            )
    return tuple(references["variables"])


def unknown(source: str, name: str, known: Iterable[str]) -> ExpressionError:
    """The error for a name that an expression uses and that stands for nothing."""
    names = sorted(known)
    return ExpressionError(
        f"unknown name {name!r}{did_you_mean(name, names)}",
        offset=_offset(source, name),
        fix=f"the names are {', '.join(names)}; text is written in quotes",
    )


def value(source: str, names: Mapping[str, Any]) -> Any:
    """What an expression gives, as JSON knows it; ``names`` are those that it uses, with their values.

    Raises:
        ExpressionError: if it has no value.
    """
    for name, named in names.items():
        if _has_large_integer(named):
            raise ExpressionError(f"a number in {name!r} has more than 64 bits", offset=_offset(source, name))
    try:
        result = _compiled(source).execute(dict(names))
    except (TypeError, ValueError, ArithmeticError, LookupError, RuntimeError) as error:
        raise _explained(error, source, names) from error
    return _plain(result)


@cache
def _engine() -> Any:
    """The extension of the package alone: what its own ``__init__`` loads besides is a command line, 0.3 s."""
    package = util.find_spec("cel")
    assert package is not None
    spec = machinery.PathFinder.find_spec("cel", package.submodule_search_locations)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compiled(source: str) -> Any:
    if len(source) > LONGEST:
        raise ExpressionError(
            f"the expression has {len(source):,} characters (limit {LONGEST:,})", fix="make several variables of it"
        )
    if not source.strip():
        raise ExpressionError("the expression is empty", fix="write one: `${{ target.size }}`")
    loop = _LOOP.search(source)
    if loop:
        raise ExpressionError(
            f"`{loop[1]}` loops over a list, and expressions have no loops",
            offset=loop.start(1),
            fix="write the list as a variable, or use `in`: `name in list`",
        )
    if source.count("+") > MOST_ADDITIONS:
        raise ExpressionError(f"more than {MOST_ADDITIONS} additions in one expression", fix="make variables of parts")
    try:
        return _engine().compile(source)
    except ValueError as error:
        raise _of_parser(str(error), source) from error


def _of_parser(message: str, source: str) -> ExpressionError:
    reported = _PARSER_ERROR.search(message)
    if not reported:
        return ExpressionError("the expression cannot be read", fix="see `cel.dev` for the syntax")
    line, column = int(reported[1]), int(reported[2])
    lines = source.splitlines(keepends=True)
    offset = sum(map(len, lines[: line - 1])) + column - 1
    offset = max(0, min(offset, len(source)))  # the parser's column may be 0
    return ExpressionError(_reason(reported[3], source, offset), offset=offset)


def _reason(text: str, source: str, offset: int) -> str:
    if "reserved identifier" in text:
        return f"{text.partition(': ')[2]!r} is a reserved word"
    here = source[offset : offset + 20].split("\n", maxsplit=1)[0]
    if here.startswith("=") and not here.startswith("=="):
        return "`=` compares nothing: equality is `==`"
    return f"syntax error at `{here}`" if here.strip() else "the expression ends too early"


def _explained(error: Exception, source: str, names: Mapping[str, Any]) -> ExpressionError:
    if isinstance(error, KeyError):
        key = str(error.args[0]).strip("'\"")
        near = did_you_mean(key, _keys(names))
        return ExpressionError(
            f"there is no {key!r}{near}",
            offset=_offset(source, key),
            fix=f"ask first whether it is there: `has(…{key}) ? … : …`, or `{key!r} in …`",
        )
    if isinstance(error, IndexError):
        return ExpressionError("the list has fewer entries", fix="ask first: `size(list) > 3 ? list[3] : …`")
    if isinstance(error, ZeroDivisionError):
        return ExpressionError("division by zero", offset=max(source.find("/"), source.find("%"), 0))
    if isinstance(error, OverflowError):
        return ExpressionError("the number is too large")
    if isinstance(error, TypeError):
        return ExpressionError(
            "an operator or function gets values of types that do not fit",
            fix="numbers and texts do not mix: write `string(…)`, `int(…)` or `double(…)` around one of them",
        )
    return ExpressionError(str(error).split(". ", 1)[0][:200])


def _has_large_integer(value: Any) -> bool:
    """Whether an integer does not fit into CEL's 64 bits: it would become another number."""
    if isinstance(value, int):
        return not -(1 << 63) <= value < 1 << 63
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(map(_has_large_integer, members))


def _keys(value: Any) -> set[str]:
    """The keys of all mappings in a value."""
    if isinstance(value, Mapping):
        return {str(key) for key in value}.union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


def _plain(result: Any) -> Any:
    """The result, if JSON can say it. A whole number stays whole: a field that wants one refuses ``3.0``."""
    if isinstance(result, float) and result.is_integer() and abs(result) < _LARGEST_INTEGER:
        return int(result)
    try:
        content = orjson.dumps(result, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError as error:
        kind = type(result).__name__
        raise ExpressionError(f"the expression gives a value of type {kind}, which YAML does not have") from error
    if isinstance(result, float) and content == b"null":
        raise ExpressionError("the expression gives a number that is infinite or none")
    if len(content) > LARGEST:
        raise ExpressionError(f"the expression gives {len(content):,} bytes (limit {LARGEST:,})")
    return result


def _offset(source: str, word: str) -> int:
    """Where a word is in an expression."""
    match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", source)
    return match.start() if match else 0
