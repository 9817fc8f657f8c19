"""The rules of picking from a catalog, without a terminal: what is needed comes and goes with what needs it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.cli.prompts.catalog_choice import CatalogChoice, Come
from cluster_forge.cli.prompts.choice import Mark, Row

NEEDS = {"app": ("db",), "db": ("disk",), "disk": (), "site": ("disk",), "rival": ()}
COLLECTIONS = {"web": ("app", "site"), "all": ("app", "db", "disk", "site")}
ROWS = [
    *(Row(name=name, members=members) for name, members in COLLECTIONS.items()),
    *(Row(name=name, members=(name,)) for name in NEEDS),
]


def come_to(names: Sequence[str]) -> Come:
    found: dict[str, None] = {}
    waiting = [member for name in names for member in COLLECTIONS.get(name, (name,))]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += NEEDS[name]
    problems = ("app and rival exclude each other",) if {"app", "rival"} <= found.keys() else ()
    return Come(components=tuple(found), problems=problems)


def picks() -> CatalogChoice:
    return CatalogChoice(ROWS, come_to)


def pick(made: CatalogChoice, name: str) -> None:
    made.erase()
    made.move(-len(ROWS))
    made.move([row.name for row in made.rows].index(name))
    made.toggle()


def marks(made: CatalogChoice) -> dict[str, str]:
    return {row.name: str(made.mark(row)) for row in made.rows}


def test_what_is_needed_comes_along_and_goes_again() -> None:
    made = picks()
    assert "nothing is chosen" in made.problem
    pick(made, "app")
    assert made.message == "comes along, because it is needed: db, disk"
    assert made.chosen == ("app", "db", "disk")
    assert marks(made) == {
        "web": Mark.SOME,
        "all": Mark.SOME,
        "app": Mark.ALL,
        "db": Mark.NEEDED,
        "disk": Mark.NEEDED,
        "site": Mark.NONE,
        "rival": Mark.NONE,
    }
    pick(made, "site")
    pick(made, "app")
    assert made.message == "goes, because nothing needs it now: db"
    assert set(made.chosen) == {"disk", "site"}
    assert made.words == ("site",)
    assert made.problem == ""


def test_what_is_needed_stays_when_it_is_taken_out() -> None:
    made = picks()
    pick(made, "disk")
    pick(made, "app")
    pick(made, "disk")
    assert made.message == "stays, because it is needed: disk"
    assert made.words == ("app",)
    assert marks(made)["disk"] == Mark.NEEDED


def test_a_collection_stays_a_name() -> None:
    made = picks()
    pick(made, "web")
    pick(made, "rival")
    assert made.words == ("web", "rival")
    assert marks(made)["app"] == Mark.ALL
    assert made.problem == made.message == "app and rival exclude each other"


def test_all_that_is_shown() -> None:
    made = picks()
    made.type("d")
    made.toggle_shown()
    assert made.words == ("db", "disk")
    made.toggle_shown()
    assert not made.words
    assert not made.chosen


@given(st.lists(st.sampled_from([row.name for row in ROWS]), max_size=12))
def test_whatever_is_picked(names: list[str]) -> None:
    made = picks()
    for name in names:
        pick(made, name)
        assert set(made.chosen) == set(come_to(made.words).components)
    assert set(made.words) == {name for name in names if names.count(name) % 2}
