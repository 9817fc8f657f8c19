"""Expressions: what they give, what they refuse, and that no text makes them slow or ends the program."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cluster_forge.stack.variables import expressions
from cluster_forge.stack.variables.expressions import ExpressionError

NAMES: dict[str, Any] = {
    "size": "large",
    "replicas": 3,
    "ratio": 0.5,
    "zones": ["a", "b"],
    "labels": {"team": "shop", "x-y": None},
    "enabled": True,
    "none": None,
}
SECONDS = 2.0
"""CPU time of one hostile expression; usual ones take 0.0001."""


def value(source: str, names: dict[str, Any] = NAMES) -> Any:
    used = expressions.names_in(source)
    return expressions.value(source, {name: names[name] for name in used})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('size == "large" ? 3 : 1', 3),
        ("replicas * 2 + 1", 7),
        ("7 / 2", 3),
        ("7 % 2", 1),
        ("ratio * 4.0", 2),
        ("ratio", 0.5),
        ('"a" in zones', True),
        ("size(zones)", 2),
        ("zones + ['c']", ["a", "b", "c"]),
        ("zones[1]", "b"),
        ("labels.team", "shop"),
        ('labels["x-y"]', None),
        ("has(labels.other)", False),
        ('has(labels.other) ? labels.other : "none"', "none"),
        ("!enabled || replicas > 2 && size != 'small'", True),
        ("'n-' + string(replicas)", "n-3"),
        ('int("4") + replicas', 7),
        ("size.startsWith('la') && size.endsWith('ge') && size.contains('r')", True),
        ('{"a": {"b": replicas}}', {"a": {"b": 3}}),
        ("-replicas", -3),
        ("double(replicas) / 2.0", 1.5),
        ("// a comment\nreplicas", 3),
        (r"r'\d' + 'é'", r"\dé"),
    ],
)
def test_what_expressions_give(source: str, expected: Any) -> None:
    result = value(source)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("replicas +", "the expression ends too early", ""),
        ("replicas = 3", "`=` compares nothing: equality is `==`", "= 3"),
        ("1 + 2 3", "syntax error at `3`", "3"),
        (" ", "the expression is empty", " "),
        ("namespace == 'a'", "'namespace' is a reserved word", "namespace"),
        ("1 + now()", "there is no function 'now'", "now()"),
        ("size.startWith('l')", "there is no function 'startWith', did you mean 'startsWith'?", "startWith"),
        ("size.matches('^l')", "there is no function 'matches'", "matches"),
        ("timestamp('2020-01-01T00:00:00Z')", "there is no function 'timestamp'", "timestamp"),
        ("zones.map(z, z)", "`map` loops over a list, and expressions have no loops", "map"),
        ("zones . // x\n exists ( z, true)", "`exists` loops over a list, and expressions have no loops", "exists"),
        ("labels.taem", "there is no 'taem', did you mean 'team'?", "taem"),
        ("zones[5]", "the list has fewer entries", "zones"),
        ("1 / 0", "division by zero", "/ 0"),
        ("9223372036854775807 + 1", "the number is too large", "9"),
        ("1 + size", "an operator or function gets values of types that do not fit", "1"),
        ("b'x'", "the expression gives a value of type bytes, which YAML does not have", "b"),
        ("1.0 / 0.0", "the expression gives a number that is infinite or none", "1"),
    ],
)
def test_what_they_refuse_points_into_them(source: str, message: str, place: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(source)
    assert str(caught.value) == message
    assert source[caught.value.offset :].startswith(place)


BIG = {"big": "x" * (expressions.LARGEST - 2), "list": list(range(10_000)), "n": 9}


@pytest.mark.parametrize(
    "source",
    [
        "(" * 400 + "1" + ")" * 400,
        "[" * 400 + "]" * 400,
        "!" * 990 + "true",
        "-" * 990 + "1",
        "true?1:" * 140 + "1",
        "n" + ".n" * 490,
        "n" + "[n" * 300 + "]" * 300,
        "+".join(["big"] * 51),
        "+".join(["big"] * 200),
        "[" + ",".join(["big"] * 200) + "]",
        "[" + ",".join(["list"] * 190) + "]",
        "list + list + list + list + list + list",
        "big.matches('(x+x+)+y')",
        "big.matches('(x{0,200}){0,200}y')",
        "big.matches('[xy]*x[xy]{900}z')",
        "big == big && " * 60 + "true",
        "list in list || " * 60 + "true",
        ".all(x, [1,2,3].all(y, " * 40,
        "[0,1,2,3,4,5,6,7,8,9].map(a, [0,1,2,3,4,5,6,7,8,9].map(b, big))",
        "cel.bind(a, big + big, cel.bind(b, a + a, b + b))",
        "x" * 5000,
        "\x00",
        "'" * 900,
        "\\" * 900,
        "9" * 900,
        "1e" + "9" * 900,
        "'\\U00110000'",
        "'\\ud800'",
    ],
)
def test_no_expression_is_slow_or_large(source: str) -> None:
    began = time.process_time()
    try:
        result = value(source, BIG)
    except (ExpressionError, KeyError):
        result = None
    assert time.process_time() - began < SECONDS
    assert len(orjson.dumps(result)) <= expressions.LARGEST


TOKENS = [
    "size",
    "replicas",
    "zones",
    "labels",
    "none",
    "enabled",
    "ratio",
    "1",
    "2.5",
    "1u",
    "'a'",
    "b'a'",
    "null",
    "true",
]
TOKENS += ["+", "-", "*", "/", "%", "==", "<", "in", "&&", "||", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"]
TOKENS += ["has(", "size(", "string(", "int(", ".matches(", ".team", "x", "\n", "//", "type(", "dyn("]


@example("has( has( size")  # the parser's column is 0
@given(st.lists(st.sampled_from(TOKENS), max_size=30).map(" ".join) | st.text(max_size=60))
def test_any_text_gives_json_or_an_error_of_its_own(source: str) -> None:
    offset = 0
    try:
        result = value(source)
    except ExpressionError as error:
        result, offset = None, error.offset
    except KeyError:
        result = None  # a name that is unknown
    else:
        assert value(source) == result, "the same every time"
    assert orjson.loads(orjson.dumps(result)) == result
    assert 0 <= offset <= len(source)
