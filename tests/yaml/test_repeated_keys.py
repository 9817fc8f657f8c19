"""Keys that stand twice in a mapping."""

from __future__ import annotations

import pytest

from cluster_forge.yaml.repeated_keys import repeated_keys


@pytest.mark.parametrize(
    ("document", "keys"),
    [
        ("a: 1\nb: 2\n", ()),
        ("a: 1\na: 2\n", ("a (line 2)",)),
        ("a: 1\n'a': 2\n", ("a (line 2)",)),
        ("spec:\n  a: 1\n  b:\n    a: 1\n  a: 2\n", ("spec.a (line 5)",)),
        ("a: {b: 1, b: 2}\n", ("a.b (line 1)",)),
        ("a:\n- b: 1\n- b: 1\n  c: {}\n  b: 2\n", ("a.1.b (line 5)",)),
        ("a: |\n  b: 1\n  b: 2\n", ()),
        ("x: &x {a: 1}\ny:\n  <<: *x\n  a: 2\n", ()),
        ("x: &x {a: 1}\ny: *x\nz: *x\ny: *x\n", ("y (line 4)",)),
        ('{"a": 1, "a": 2}\n', ("a (line 1)",)),
        ("a: [\n", ()),
        ("", ()),
    ],
)
def test_repeated_keys_have_their_path_and_line(document: str, keys: tuple[str, ...]) -> None:
    assert repeated_keys(document) == keys


def test_the_number_is_limited() -> None:
    assert len(repeated_keys("a: 1\n" * 1000)) == 20
