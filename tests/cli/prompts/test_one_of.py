"""The rules of choosing one option, without a terminal: the pointer is always on an option, and letters find it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cli.prompts.one_of import OneOf, Option

NAMES = ("small", "medium", "large", "largest")
KEYS = st.sampled_from(["up", "down", "end", "home", "erase", "clear", "s", "m", "la", "large", "x", "LARGES"])


def options(default: str = "small") -> OneOf:
    return OneOf([Option(name=name) for name in NAMES], default)


def press(choice: OneOf, key: str) -> None:
    moves = {"up": -1, "down": 1, "end": 100, "home": -100}
    if key in moves:
        choice.move(moves[key])
    elif key in ("erase", "clear"):
        choice.erase(1 if key == "erase" else None)
    else:
        choice.type(key)


@given(st.lists(KEYS, max_size=30), st.sampled_from(NAMES))
def test_whatever_is_pressed_an_option_is_pointed_at(keys: list[str], default: str) -> None:
    choice = options(default)
    for key in keys:
        press(choice, key)
        assert choice.pointed.name in NAMES
        if not choice.problem:
            assert choice.pointed.name.startswith(choice.typed.casefold())


def test_arrows_go_round_and_longer_steps_stop() -> None:
    choice = options()
    choice.move(-1)
    assert choice.pointed.name == "largest"
    choice.move(1)
    assert choice.pointed.name == "small"
    choice.move(-2)
    assert choice.pointed.name == "small"
    choice.move(100)
    assert choice.pointed.name == "largest"


def test_letters_point_to_the_first_option_that_begins_with_them() -> None:
    choice = options()
    choice.type("lar")
    assert choice.pointed.name == "large"
    choice.type("gest")
    assert choice.pointed.name == "largest"
    choice.erase(2)
    assert choice.pointed.name == "large"


def test_letters_without_an_option_are_a_problem_until_they_are_erased() -> None:
    choice = options("medium")
    choice.type("lx")
    assert choice.problem == "no option begins with 'lx': esc clears it"
    choice.erase()
    assert not choice.problem
    choice.type("q")
    choice.move(1)  # arrows mean another option, not these letters
    assert not choice.problem
