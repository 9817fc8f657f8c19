"""The rules of choosing, without a terminal: whatever is pressed, what is chosen makes sense and its words say it."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cli.prompts.choice import Choice, Mark, Row

NEEDS = {"a": (), "b": ("a",), "c": ("b",), "d": (), "e": ("d", "a")}
COLLECTIONS = {"ab": ("a", "b"), "abc": ("a", "b", "c"), "de": ("d", "e"), "one": ("c",)}
ROWS = [
    *(Row(name=name, members=members, about="group") for name, members in COLLECTIONS.items()),
    *(Row(name=name, members=(name,), about=f"chart {name}") for name in NEEDS),
]
KEYS = st.sampled_from(["up", "down", "end", "space", "all", "erase", "clear", "b", "group", "x"])


def with_needs(names: Iterable[str]) -> list[str]:
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting += [need for need in NEEDS[name] if need not in found]
    return sorted(found)


def press(choice: Choice, key: str) -> None:
    moves = {"up": -1, "down": 1, "end": 100}
    if key in moves:
        choice.move(moves[key])
    elif key in ("space", "all"):
        (choice.toggle if key == "space" else choice.toggle_shown)()
    elif key in ("erase", "clear"):
        choice.erase(1 if key == "erase" else None)
    else:
        choice.type(key)


def choice(chosen: Iterable[str] = (), *, needs_are_kept: bool = False) -> Choice:
    return Choice(ROWS, chosen, with_needs, needs_are_kept=needs_are_kept)


@given(st.lists(KEYS, max_size=30), st.booleans(), st.sets(st.sampled_from(sorted(NEEDS))))
def test_whatever_is_pressed(keys: list[str], needs_are_kept: bool, chosen: set[str]) -> None:
    made = choice(with_needs(chosen), needs_are_kept=needs_are_kept)
    for key in keys:
        press(made, key)
        assert (made.pointed is None) == (not made.shown)
        assert made.pointed is None or made.pointed in made.shown
        if needs_are_kept:
            assert sorted(made.chosen) == with_needs(made.chosen)
        said = [member for word in made.words() for member in COLLECTIONS.get(word, (word,))]
        assert sorted(set(said)) == sorted(made.chosen)
        assert len(made.words()) <= len(made.chosen)


@given(st.sampled_from(range(len(ROWS))))
def test_a_row_that_is_chosen_brings_what_it_needs(position: int) -> None:
    made = choice()
    for _ in range(position):
        made.move(1)
    made.toggle()
    assert made.mark(ROWS[position]) is Mark.ALL
    assert sorted(made.chosen) == with_needs(ROWS[position].members)


def test_what_is_needed_stays_and_the_message_says_who_needs_it() -> None:
    made = choice(NEEDS, needs_are_kept=True)
    made.move(100)
    made.move(-4)
    assert made.pointed == ROWS[4]
    made.toggle()
    assert made.message == "a stays: required by b, c, e"
    made.toggle_shown()
    assert made.chosen == ()


def test_without_that_rule_a_need_can_be_taken_out() -> None:
    made = choice(NEEDS)
    made.move(4)
    made.toggle()
    assert made.chosen == ("b", "c", "d", "e")
    assert made.mark(ROWS[0]) is Mark.SOME


def test_the_largest_collections_come_first_in_the_words() -> None:
    assert choice(NEEDS).words() == ("abc", "de")
    assert choice(["a", "b", "d"]).words() == ("ab", "d")
    assert choice(["c"]).words() == ("c",)


def test_all_and_none_mean_what_is_shown() -> None:
    made = choice(NEEDS)
    made.type("DE")
    assert [row.name for row in made.shown] == ["de"]
    made.toggle_shown()
    assert made.chosen == ("a", "b", "c")
