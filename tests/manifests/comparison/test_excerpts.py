from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.patches.trees import deployments, edited

from cluster_forge.adapters.rendering.documents import DocumentReader, of_texts
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import emitter
from cluster_forge.manifests.comparison import excerpts, objects
from cluster_forge.manifests.comparison.objects import ObjectDifference
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.rendering import RenderJob

NAME: Final = ComponentName("web")
LONG: Final = {f"key{number}": "value " * 20 for number in range(40)}
BASE: Final = {
    "aliases": ["one", {"two": "|"}],
    "apiVersion": "example.com/v1",
    "data": {**LONG, "text": "first\n  'second\n\n"},
    "kind": "Shop",
    "metadata": {"annotations": {"a": "b"}, "name": "web", "namespace": "shop"},
    "rules": [{"verbs": ["get"]}, {"verbs": ["list"]}],
    "spec": {"text": "last\n\n", **LONG},
}
"""An object whose long fields are before and after those that name it."""


def read(text: bytes) -> Body | None:
    """The only object in a text, without a key twice; None if it is not one."""
    try:
        job = RenderJob(component=NAME)
        manifests = DocumentReader(GoYaml(PurePythonYaml())).manifests(of_texts([("file", text)]), job)
    except (ForgeError, ExceptionGroup):
        return None
    return manifests[0].body if len(manifests) == 1 and not manifests[0].facts.repeated_keys else None


def written(body: Mapping[str, Any]) -> bytes:
    return emitter.document(dict(sorted(body.items()))).encode()


def difference(before: Body, after: Body) -> ObjectDifference | None:
    return objects.as_written(ObjectId.of(before), "web", before, after)


def check(before: bytes, after: bytes) -> bool:
    """Whether there are excerpts; they say what both texts say."""
    found = excerpts.of(before, after)
    if found is None:
        return False
    old, new = map(read, found)
    assert old is not None
    if new is None:  # the whole text is read
        return False
    whole = read(after)
    assert whole is not None, after
    base = read(before)
    assert base is not None
    expected, shown = difference(base, whole), difference(old, new)
    assert (expected and (expected.id, expected.fields)) == (shown and (shown.id, shown.fields))
    assert ObjectId.of(new) == ObjectId.of(whole)
    return True


@pytest.mark.parametrize(
    "change",
    [
        (b"    a: b\n", b"    a: c\n"),
        (b"    a: b\n", b"    a: c\n    d: 'e'\n"),
        (b"  annotations:\n    a: b\n", b""),
        (b"  name: web\n", b"  name: shop\n"),
        (b"- verbs:\n  - get\n", b""),
        (b"rules:\n", b"# why\nroles: {}\nrules:\n"),
        (b"spec:\n", b"# why\nroles:\n- one\nspec:\n"),
        (b"aliases:\n- one\n", b"aliases:\n- two\n"),
    ],
)
def test_long_fields_that_are_the_same_are_left_out(change: tuple[bytes, bytes]) -> None:
    before = written(BASE)
    after = before.replace(*change)
    assert after != before
    assert check(before, after)
    found = excerpts.of(before, after)
    assert found
    assert max(map(len, found)) < 500


def test_an_addition_at_the_end_has_nothing_before_it() -> None:
    before = written(BASE)
    assert check(before, before + b"status: {}\ntop: 1")
    assert check(before, before + b"top: 1\n")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((b"rules:\n", b"spec: 1\nrules:\n"), id="a field twice"),
        pytest.param((b"rules:\n", b"kind: Other\nrules:\n"), id="the kind twice"),
        pytest.param((b"rules:\n", b"x: 'open\nrules:\n"), id="an open quote"),
        pytest.param((b"rules:\n", b"x: [open\nrules:\n"), id="an open bracket"),
        pytest.param((b"rules:\n", b"---\nrules:\n"), id="two documents"),
        pytest.param((b"rules:\n", b"...\nrules:\n"), id="the end of the document"),
        pytest.param((b"rules:\n", b"- x\nrules:\n"), id="an entry of what is before"),
        pytest.param((b"rules:\n", b"  x: 1\nrules:\n"), id="a member of what is before"),
        pytest.param((b"rules:\n", b"\n\nrules:\n"), id="lines of what is before"),
        pytest.param((b"rules:\n", b"x: 1 rules:\n"), id="no line of its own"),
        pytest.param((b"rules:\n", b"x: 1\rspec: 2\nrules:\n"), id="another line break"),
        pytest.param((b"rules:\n", b'"spec": 1\nrules:\n'), id="a quoted field"),
        pytest.param((b"rules:\n", b"? spec\n: 1\nrules:\n"), id="an explicit field"),
        pytest.param((b"rules:\n", b"<<: {spec: 1}\nrules:\n"), id="a merged field"),
        pytest.param((b"kind: Shop", b"kind: ShopList"), id="another kind"),
        pytest.param((b"\n", b"\r\n"), id="CRLF"),
        pytest.param((b"aliases:", b"\xef\xbb\xbfaliases:"), id="BOM"),
    ],
)
def test_what_may_concern_the_rest_is_read_as_a_whole(change: tuple[bytes, bytes]) -> None:
    before = written(BASE)
    after = before.replace(*change)
    assert after != before
    assert not check(before, after)


def test_a_short_object_is_read_as_a_whole() -> None:
    assert excerpts.of(b"apiVersion: v1\nkind: A\nmetadata: {}\n", b"apiVersion: v1\nkind: A\n") is None


def test_what_is_not_written_as_expected_is_read_as_a_whole() -> None:
    before = written(BASE).replace(b"kind: Shop", b"'kind': Shop")
    assert excerpts.of(before, before + b"x: 1\n") is None


@given(deployments(), st.integers(), st.integers(1, 3))
def test_an_edit_is_the_same_in_excerpts(body: Any, seed: int, edits: int) -> None:
    before = {**body, "data": LONG, "trailer": LONG}
    after = edited(before, random.Random(seed), edits)
    after.update(apiVersion=before["apiVersion"], kind=before["kind"])
    check(written(before), written(after))


PIECES: Final = (
    *(
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "  ",
        "\n",
        "\n\n",
        "#",
        "|",
        "|+",
        ">",
        "&a ",
        "*a",
        "!!str ",
        "? ",
        "---\n",
    ),
    *(
        "\r",
        "\t",
        "\u0085",
        "\u2028",
        "spec: 1\n",
        "kind: Shop\n",
        "x: 1\n",
        "# c\n",
        "- x\n",
        "<<: *a\n",
        "\n...\n",
        "%YAML 1.1\n",
    ),
)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(PIECES)), min_size=1, max_size=4))
def test_broken_text_is_never_taken_for_whole_fields(changes: list[tuple[float, int, str]]) -> None:
    """Pieces of YAML at random places near one another, some instead of text that was there."""
    text = written(BASE).decode()
    start = text.index("kind:")
    after = text
    for place, removed, piece in changes:
        at = start + int(place * (after.index("spec:", start) - start)) if "spec:" in after[start:] else start
        after = after[:at] + piece + after[at + removed :]
    check(text.encode(), after.encode())
