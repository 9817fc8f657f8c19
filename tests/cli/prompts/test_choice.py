"""The rules of choosing, without a terminal: for any keys, the choice is consistent and its words select it."""

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
    needed, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting += [need for need in NEEDS[name] if need not in needed]
    return sorted(needed)


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
    options = choice(with_needs(chosen), needs_are_kept=needs_are_kept)
    for key in keys:
        press(options, key)
        assert (options.pointed is None) == (not options.shown)
        assert options.pointed is None or options.pointed in options.shown
        if needs_are_kept:
            assert sorted(options.chosen) == with_needs(options.chosen)
        result = [member for word in options.words for member in COLLECTIONS.get(word, (word,))]
        assert sorted(set(result)) == sorted(options.chosen)
        assert len(options.words) <= len(options.chosen)


@given(st.sampled_from(range(len(ROWS))))
def test_a_row_that_is_chosen_brings_what_it_needs(position: int) -> None:
    options = choice()
    for _ in range(position):
        options.move(1)
    options.toggle()
    assert options.mark(ROWS[position]) is Mark.ALL
    assert sorted(options.chosen) == with_needs(ROWS[position].members)


def test_what_is_needed_stays_and_the_message_says_who_needs_it() -> None:
    options = choice(NEEDS, needs_are_kept=True)
    options.move(100)
    options.move(-4)
    assert options.pointed == ROWS[4]
    options.toggle()
    assert options.message == "a stays: required by b, c, e"
    options.toggle_shown()
    assert options.chosen == ()


def test_without_that_rule_a_need_can_be_taken_out() -> None:
    options = choice(NEEDS)
    options.move(4)
    options.toggle()
    assert options.chosen == ("b", "c", "d", "e")
    assert options.mark(ROWS[0]) is Mark.SOME


def test_the_largest_collections_come_first_in_the_words() -> None:
    assert choice(NEEDS).words == ("abc", "de")
    assert choice(["a", "b", "d"]).words == ("ab", "d")
    assert choice(["c"]).words == ("c",)


def test_all_and_none_mean_what_is_shown() -> None:
    options = choice(NEEDS)
    options.type("DE")
    assert [row.name for row in options.shown] == ["de"]
    options.toggle_shown()
    assert options.chosen == ("a", "b", "c")
