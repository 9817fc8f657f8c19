"""Whatever a plug-in gives becomes an answer that a frame takes, or the one error for nonsense."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.plugins import answers, frames
from cluster_forge.plugin_api import Event, Finding, Severity, State

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None)),
    st.binary(),
    st.just(object()),
    st.just(dt.date(2026, 1, 1)),
    st.sets(st.integers()),
    st.builds(Finding, code=st.sampled_from(["ok", "no-owner", "Not Ok", "", "a/b"]), message=st.text()),
    st.builds(Finding, code=st.just("ok"), message=st.none(), severity=st.sampled_from(["error", "fatal", 3])),
    st.builds(Finding, code=st.just("ok"), message=st.just(""), object=st.just({"metadata": 3, "kind": ["x"]})),
    st.builds(Event, component=st.text(), state=st.sampled_from([*State, "other"])),
)
ANYTHING = st.recursive(
    STRANGE,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner)
    ),
    max_leaves=10,
)


def sent(value: dict[str, Any]) -> Any:
    stream = io.BytesIO()
    frames.send(stream, value)
    stream.seek(0)
    return frames.receive(stream).value


def tried(read: Callable[[Any], dict[str, Any]], value: Any) -> dict[str, Any] | None:
    """The answer; None for nonsense."""
    try:
        return read(value)
    except answers.NonsenseError:
        return None


@given(ANYTHING)
def test_a_transformer_may_give_anything(value: Any) -> None:
    for one in (value, [value], iter([value])):
        answer = tried(answers.transformed, one)
        if answer is not None:
            assert sent(answer) == answer
            assert all(isinstance(body, dict) for body in answer["objects"])


@given(ANYTHING)
def test_a_check_and_a_delivery_may_give_anything(value: Any) -> None:
    for answer in (tried(answers.checked, [value]), tried(answers.event, value)):
        assert answer is None or sent(answer) == answer


def test_a_generator_is_read_to_its_end() -> None:
    def generated() -> Iterator[Any]:
        yield {"kind": "A"}
        yield Finding(code="x", message="m", severity=Severity.NOTICE)
        yield {"kind": "B"}

    answer = answers.transformed(generated())
    assert [one["kind"] for one in answer["objects"]] == ["A", "B"]
    assert answer["findings"][0]["severity"] == "notice"


@pytest.mark.parametrize("value", ["text", 3, None, [b"x"]])
def test_a_source_gives_bytes(value: Any) -> None:
    with pytest.raises(answers.NonsenseError, match="not bytes"):
        answers.fetched(value, 10)
