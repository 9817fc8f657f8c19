"""JSON patches; the cases with an RFC number are the examples of its appendix A."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.foundation.errors import PatchError
from cluster_forge.patches import json_operations, json_patch


def patched(body: Any, *operations: dict[str, Any]) -> Any:
    return json_patch.apply(body, json_operations.parse(list(operations)))


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        ({"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"baz": "qux", "foo": "bar"}),  # A.1
        (
            {"foo": ["bar", "baz"]},
            {"op": "add", "path": "/foo/1", "value": "qux"},
            {"foo": ["bar", "qux", "baz"]},
        ),  # A.2
        ({"baz": "qux", "foo": "bar"}, {"op": "remove", "path": "/baz"}, {"foo": "bar"}),  # A.3
        ({"foo": ["bar", "qux", "baz"]}, {"op": "remove", "path": "/foo/1"}, {"foo": ["bar", "baz"]}),  # A.4
        ({"baz": "qux"}, {"op": "replace", "path": "/baz", "value": "boo"}, {"baz": "boo"}),  # A.5
        (
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            {"op": "move", "from": "/foo/waldo", "path": "/qux/thud"},
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
        ),  # A.6
        (
            {"foo": ["a", "b", "c", "d"]},
            {"op": "move", "from": "/foo/1", "path": "/foo/3"},
            {"foo": ["a", "c", "d", "b"]},
        ),  # A.7
        (
            {"foo": "bar"},
            {"op": "add", "path": "/child", "value": {"grandchild": {}}},
            {"foo": "bar", "child": {"grandchild": {}}},
        ),  # A.10
        (
            {"foo": ["bar"]},
            {"op": "add", "path": "/foo/-", "value": ["abc", "def"]},
            {"foo": ["bar", ["abc", "def"]]},
        ),  # A.16
        ({"foo": 1}, {"op": "add", "path": "", "value": {"bar": 2}}, {"bar": 2}),
        ({"foo": 1}, {"op": "add", "path": "/foo", "value": None}, {"foo": None}),
        ({"foo": [1]}, {"op": "replace", "path": "/foo/0", "value": None}, {"foo": [None]}),
        ({"foo": {"a": 1}}, {"op": "copy", "from": "/foo", "path": "/foo/b"}, {"foo": {"a": 1, "b": {"a": 1}}}),
        ({"foo": {"a": 1}}, {"op": "move", "from": "/foo/a", "path": "/foo"}, {"foo": 1}),
        ({"foo": 1}, {"op": "move", "from": "/foo", "path": "/foo"}, {"foo": 1}),
        ({"a/b": {"m~n": 1, "": 2}}, {"op": "replace", "path": "/a~1b/m~0n", "value": 3}, {"a/b": {"m~n": 3, "": 2}}),
        ({"a": {"": 2}}, {"op": "remove", "path": "/a/"}, {"a": {}}),
        ({"a": {"~1": 2}}, {"op": "remove", "path": "/a/~01"}, {"a": {}}),
    ],
)
def test_operations(before: Any, operation: dict[str, Any], after: Any) -> None:
    shown = repr(before)
    assert patched(before, operation) == after
    assert repr(before) == shown


@pytest.mark.parametrize(
    ("value", "tested", "is_same"),
    [
        ("qux", "qux", True),
        (1, 1.0, True),
        ([1, {"a": 2.0}], [1.0, {"a": 2}], True),
        (1, True, False),
        ("10", 10, False),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (None, None, True),
    ],
)
def test_tests(value: Any, tested: Any, *, is_same: bool) -> None:
    operation = {"op": "test", "path": "/x", "value": tested}
    if is_same:
        assert patched({"x": value}, operation) == {"x": value}
    else:
        with pytest.raises(PatchError, match=r"operation 1 \(test /x\): the value differs: "):
            patched({"x": value}, operation)


def test_a_secret_value_is_not_shown() -> None:
    variable = {"name": "DB_PASSWORD", "value": "from the chart"}
    operation = {"op": "test", "path": "/spec/0/value", "value": "another"}
    with pytest.raises(PatchError, match=r"the value differs$"):
        patched({"spec": [variable]}, operation)


@pytest.mark.parametrize(
    ("present", "expected", "difference"),
    [
        ("a\nb\nc\n", "a\nx\nc\n", r"line 2 is 'b\\n', not 'x\\n'"),
        ("a\n", "a\nb\n", r"line 2 is '', not 'b\\n'"),
        ("a\n", "a", r"line 1 is 'a\\n', not 'a'"),
        ("a", "b", "'a', not 'b'"),
        ("a\n", 1, "not 1"),
        ({"a": 1}, [1, 2], "1 key, not 2 entries"),
    ],
)
def test_a_failed_test_shows_the_first_line_that_differs(present: Any, expected: Any, difference: str) -> None:
    with pytest.raises(PatchError, match=difference):
        patched({"x": present}, {"op": "test", "path": "/x", "value": expected})


def test_a_failed_test_does_not_tell_what_is_in_a_secret() -> None:
    with pytest.raises(PatchError) as caught:
        patched({"kind": "Secret", "data": {"a": "cGFzcw=="}}, {"op": "test", "path": "/data/a", "value": "b3RoZXI="})
    assert "cGFz" not in f"{caught.value} {caught.value.fix}"
    assert "b3Ro" not in f"{caught.value} {caught.value.fix}"


BODY = {"kind": "Pod", "spec": {"replicas": 1, "args": ["a", "b"]}}


@pytest.mark.parametrize(
    ("operation", "message", "fix"),
    [
        ({"op": "replace", "path": "/spec/replica", "value": 2}, "no such place", "/spec/replicas"),
        ({"op": "remove", "path": "/spec/xyz"}, "no such place", "the nearest is /spec;"),
        ({"op": "add", "path": "/spec/template/x", "value": 1}, "no such place", "the nearest is /spec;"),
        ({"op": "remove", "path": "/spec/args/2"}, "no such place", "/spec/args; the list has 2 entries"),
        ({"op": "remove", "path": "/spec/args/-"}, "no such place", "/spec/args"),
        ({"op": "remove", "path": "/spec/args/-1"}, "no such place", "/spec/args"),
        ({"op": "remove", "path": "/spec/args/01"}, "no such place", "/spec/args"),
        ({"op": "add", "path": "/spec/args/3", "value": 1}, "no such place", "/spec/args"),
        ({"op": "add", "path": "/spec/replicas/x", "value": 1}, "no such place", "/spec/replicas"),
        ({"op": "copy", "from": "/spek", "path": "/x"}, "no such place", "/spec"),
        ({"op": "move", "from": "/spec", "path": "/spec/args"}, "into itself", "copy"),
        ({"op": "test", "path": "/spec/nothing", "value": None}, "no such place", "/spec"),
        ({"op": "remove", "path": ""}, "leaves no object", "below"),
        ({"op": "replace", "path": "", "value": []}, "leaves no object", "below"),
    ],
)
def test_an_operation_that_does_not_fit_names_the_nearest_place(operation: Any, message: str, fix: str) -> None:
    with pytest.raises(PatchError) as caught:
        patched(BODY, {"op": "add", "path": "/x", "value": 1}, operation)
    assert str(caught.value).startswith(f"operation 2 ({operation['op']} ")
    assert message in str(caught.value)
    assert fix in str(caught.value.fix)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("replace", "operation 1: is not a mapping"),
        ({"op": "replaec", "path": "/x"}, "operation 1: unknown op `replaec`"),
        ({"path": "/x"}, "operation 1: unknown op `None`"),
        ({"op": [], "path": "/x"}, "operation 1: unknown op"),
        ({"op": "add", "path": "/x"}, "operation 1: add has no `value`"),
        ({"op": "remove"}, "operation 1: remove has no `path`"),
        ({"op": "copy", "path": "/x"}, "operation 1: copy has no `from`"),
        ({"op": "remove", "path": "/x", "value": 1}, "operation 1: `remove` takes no key `value`"),
        ({"op": "remove", "path": "x"}, "does not begin with `/`"),
        ({"op": "remove", "path": "/a~2"}, "neither `~0`"),
        ({"op": "remove", "path": 1}, "`path` is not text"),
    ],
)
def test_what_is_not_an_operation_is_an_error(operation: Any, message: str) -> None:
    with pytest.raises(PatchError) as caught:
        json_operations.parse([operation])
    assert message in str(caught.value)
    assert caught.value.fix


def test_all_wrong_operations_are_named_at_once() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        json_operations.parse([{"op": "x", "path": "/"}, {"op": "remove", "path": "/x"}, {"op": "remove"}])
    assert [str(error)[:12] for error in caught.value.exceptions] == ["operation 1:", "operation 3:"]
    with pytest.raises(PatchError, match="a list of operations"):
        json_operations.parse({"op": "remove", "path": "/x"})


def test_operations_are_written_as_they_were_read() -> None:
    written = [
        {"op": "add", "path": "/x", "value": None},
        {"op": "move", "path": "/x", "from": "/y"},
        {"op": "remove", "path": "/x"},
    ]
    assert [operation.as_json for operation in json_operations.parse(written)] == written


def test_a_value_that_copies_made_large_is_not_written_out() -> None:
    copies = [{"op": "copy", "from": "/a", "path": f"/a/{number}"} for number in range(60)]
    with pytest.raises(PatchError, match="61 keys, not 'x'"):
        patched({"a": {"b": 1}}, *copies, {"op": "test", "path": "/a", "value": "x"})
