from __future__ import annotations

import pytest

from cluster_forge.patches.sameness import ABSENT
from cluster_forge.stages.build.hand_edits import shown_values

SAME = [f"--option-{number}=value" for number in range(9)]


def texts(*values: object) -> list[str]:
    return shown_values.texts(values, lambda text: text.replace("hunter2", "***"))


def test_short_values_are_whole() -> None:
    assert texts(1, ["a"], {"b": None}) == ["1", '["a"]', '{"b": null}']
    assert texts(ABSENT, True, ABSENT) == ["(not there)", "true", "(not there)"]
    assert texts(ABSENT, ABSENT, ABSENT) == ["(not there)"] * 3


def test_of_long_lists_the_entries_that_differ() -> None:
    base, theirs, mine = (["--v=2", *SAME], ["--v=2", *SAME, "--new"], ["--v=4", *SAME])
    assert texts(base, theirs, mine) == ['["--v=2", …]', '["--v=2", "--new", …]', '["--v=4", …]']
    assert texts(ABSENT, [*SAME, "a"], [*SAME, "b"]) == ["(not there)", '["a", …]', '["b", …]']
    assert len({*texts(SAME, [*SAME, *SAME[:1]], [*SAME[:8], SAME[0], SAME[8]])}) == 3
    assert len({*texts(SAME, [*reversed(SAME)], [*SAME[:3], SAME[4], SAME[3], *SAME[5:]])}) == 3


def test_of_long_texts_what_is_around_the_first_difference() -> None:
    same = "x" * 100
    base, theirs, mine = texts(f"{same}1{same}", f"{same}2", f"{same}3")
    assert (base[:22], theirs, mine) == (f"…{same[:20]}1", f'…{same[:20]}2"', f'…{same[:20]}3"')
    assert texts(ABSENT, same * 9, same) == ["(not there)", *texts(same * 9, same)]


@pytest.mark.parametrize("size", [1, 100, 10_000, 1_000_000])
def test_what_is_shown_is_bounded_and_without_secrets(size: int) -> None:
    shown = texts("a" * size + "hunter2", ["b" * size, "hunter2"], {"c" * size: "hunter2"})
    assert all(len(text) <= 200 for text in shown)
    assert not any("hunter2" in text for text in shown)


def test_different_values_look_different() -> None:
    images = [f"registry.example.com/a/long/path/of/a/repository/with/many/parts/webwebweb:1.{n}" for n in range(3)]
    assert len(set(texts(*images))) == 3
    assert len(set(texts(*([*SAME, image] for image in images)))) == 3
