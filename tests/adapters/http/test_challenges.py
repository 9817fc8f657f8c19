from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.http import challenges


def of(*headers: str) -> list[tuple[str, dict[str, str]]]:
    return [(challenge.scheme, dict(challenge.parameters)) for challenge in challenges.parse(headers)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="charts"', [("basic", {"realm": "charts"})]),
        ("BASIC REALM=charts , charset=UTF-8", [("basic", {"realm": "charts", "charset": "UTF-8"})]),
        ("Negotiate", [("negotiate", {})]),
        ("Negotiate YII+/=, NTLM", [("negotiate", {}), ("ntlm", {})]),
        (
            'Basic realm="a, b", Bearer realm="https://t/x",service="s",scope="repository:a:pull,push"',
            [
                ("basic", {"realm": "a, b"}),
                ("bearer", {"realm": "https://t/x", "service": "s", "scope": "repository:a:pull,push"}),
            ],
        ),
        (
            r'Basic realm="say \"hello\" \\"',
            [("basic", {"realm": rb"say \"hello\" \\".decode("unicode_escape")})],
        ),
        (
            'Bearer realm = "x" ,, error="insufficient_scope"',
            [("bearer", {"realm": "x", "error": "insufficient_scope"})],
        ),
        ('Bearer realm="first",realm="second"', [("bearer", {"realm": "first"})]),
        ('Basic, Bearer realm=""', [("basic", {}), ("bearer", {"realm": ""})]),
    ],
)
def test_challenges_are_read_as_the_rfc_writes_them(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert of(header) == expected


def test_a_header_may_come_several_times() -> None:
    assert [scheme for scheme, _ in of("Basic realm=a", "Bearer realm=b, Negotiate")] == [
        "basic",
        "bearer",
        "negotiate",
    ]


@pytest.mark.parametrize(
    "header", ["", "=x", 'realm="x"', '"', "\\", 'Basic realm="open', "Basic \x00", ",,,,", "é", "Basic realm=é"]
)
def test_what_is_damaged_is_left_out(header: str) -> None:
    assert of(header) in ([], [("basic", {})])


@pytest.mark.parametrize("unit", ['a="', "a ", "a,", 'a b="c",', "\\", ' "\\', "a=b,", "=", "\t,"])
def test_a_hostile_header_is_read_in_a_moment(unit: str) -> None:
    found = challenges.parse([unit * 100_000] * 2)
    assert len(found) <= 64
    assert all(len(challenge.parameters) <= 32 for challenge in found)


TOKENS = st.text("abcXYZ019!#$%&'*+.^_`|~-", min_size=1, max_size=12)
PARAMETERS = st.dictionaries(TOKENS.map(str.lower), st.text(max_size=20), min_size=1, max_size=5)


@given(st.lists(st.tuples(TOKENS.map(str.lower), PARAMETERS), min_size=1, max_size=4))
def test_what_is_written_by_the_rfc_is_read_again(written: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in written
    )
    assert of(header) == written
