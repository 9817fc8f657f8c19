"""The rules of choosing from a catalog, without a terminal: required components are added and removed."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cli.prompts.catalog_choice import CatalogChoice, Requirements
from cluster_forge.cli.prompts.choice import Mark, Row

NEEDS = {"app": ("db",), "db": ("disk",), "disk": (), "site": ("disk",), "rival": ()}
COLLECTIONS = {"web": ("app", "site"), "all": ("app", "db", "disk", "site")}
ROWS = [
    *(Row(name=name, members=members) for name, members in COLLECTIONS.items()),
    *(Row(name=name, members=(name,)) for name in NEEDS),
]


def resolve(names: Sequence[str]) -> Requirements:
    required: dict[str, None] = {}
    waiting = [member for name in names for member in COLLECTIONS.get(name, (name,))]
    while waiting:
        name = waiting.pop(0)
        if name not in required:
            required[name] = None
            waiting += NEEDS[name]
    problems = ("app and rival exclude each other",) if {"app", "rival"} <= required.keys() else ()
    return Requirements(components=tuple(required), problems=problems)


def catalog_choice() -> CatalogChoice:
    return CatalogChoice(ROWS, resolve)


def choose(choice: CatalogChoice, name: str) -> None:
    choice.erase()
    choice.move(-len(ROWS))
    choice.move([row.name for row in choice.rows].index(name))
    choice.toggle()


def marks(choice: CatalogChoice) -> dict[str, str]:
    return {row.name: str(choice.mark(row)) for row in choice.rows}


def test_required_components_are_added_and_removed() -> None:
    choice = catalog_choice()
    assert "nothing chosen" in choice.problem
    choose(choice, "app")
    assert choice.message == "added, because it is required: db, disk"
    assert choice.chosen == ("app", "db", "disk")
    assert marks(choice) == {
        "web": Mark.SOME,
        "all": Mark.SOME,
        "app": Mark.ALL,
        "db": Mark.NEEDED,
        "disk": Mark.NEEDED,
        "site": Mark.NONE,
        "rival": Mark.NONE,
    }
    choose(choice, "site")
    choose(choice, "app")
    assert choice.message == "removed, because nothing requires it now: db"
    assert set(choice.chosen) == {"disk", "site"}
    assert choice.words == ("site",)
    assert choice.problem == ""


def test_a_required_component_cannot_be_removed() -> None:
    choice = catalog_choice()
    choose(choice, "disk")
    choose(choice, "app")
    choose(choice, "disk")
    assert choice.message == "stays, because it is required: disk"
    assert choice.words == ("app",)
    assert marks(choice)["disk"] == Mark.NEEDED


def test_a_collection_stays_a_name() -> None:
    choice = catalog_choice()
    choose(choice, "web")
    choose(choice, "rival")
    assert choice.words == ("web", "rival")
    assert marks(choice)["app"] == Mark.ALL
    assert choice.problem == choice.message == "app and rival exclude each other"


def test_all_that_is_shown() -> None:
    choice = catalog_choice()
    choice.type("d")
    choice.toggle_shown()
    assert choice.words == ("db", "disk")
    choice.toggle_shown()
    assert not choice.words
    assert not choice.chosen


@given(st.lists(st.sampled_from([row.name for row in ROWS]), max_size=12))
def test_any_order_of_choosing(names: list[str]) -> None:
    choice = catalog_choice()
    for name in names:
        choose(choice, name)
        assert set(choice.chosen) == set(resolve(choice.words).components)
    assert set(choice.words) == {name for name in names if names.count(name) % 2}
