"""What goes over the pipes of a plug-in's process: any JSON, and nothing else gets through."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.plugins import frames
from cluster_forge.adapters.plugins.json_values import plain

SCALARS = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text()
JSON = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.lists(st.binary()))
def test_a_frame_comes_as_it_was_sent(value: Any, contents: list[bytes]) -> None:
    stream = io.BytesIO()
    frames.send(stream, value, contents)
    frames.send(stream, None)
    stream.seek(0)
    first, second = frames.receive(stream), frames.receive(stream)
    assert (first.value, list(first.contents)) == (value, contents)
    assert second == frames.Frame(None)


@given(st.binary() | st.binary().map(lambda rest: len(rest).to_bytes(8, "little") + rest))
def test_anything_else_is_refused(content: bytes) -> None:
    try:
        frames.receive(io.BytesIO(content))
    except (EOFError, ValueError):
        return
    raise AssertionError(content)


def test_a_frame_of_any_length_is_not_waited_for() -> None:
    for length in (frames.LONGEST + 1, (1 << 64) - 1):
        try:
            frames.receive(io.BytesIO(length.to_bytes(8, "little")))
        except ValueError:
            continue
        raise AssertionError(length)


@given(JSON)
def test_json_stays_as_it_is(value: Any) -> None:
    assert plain(value) == value
    assert plain({"a": (value,)}) == {"a": [value]}
