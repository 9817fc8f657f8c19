"""Parts of the starter: every choice of components gives a description that is right and keeps what was written."""

from __future__ import annotations

import itertools

import pytest

from cluster_forge.catalog import starter
from cluster_forge.stack import description_edits
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import parse_description

NAMES = starter.names()
CHOICES = sorted(
    {
        NAMES.with_needs(picked)
        for number in range(1, len(NAMES.components) + 1)
        for picked in itertools.combinations(NAMES.components, number)
    }
)


@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_every_part_can_be_read_and_keeps_every_comment(chosen: tuple[str, ...]) -> None:
    tree = starter.tree(chosen)
    files = {f"input/{path}": content for path, content in tree.files.items()}
    loaded = parse_description(InputFiles(files.get))
    assert {str(part.name) for part in loaded.stack.components} == set(chosen)
    assert {entry["name"] for entry in loaded.effective["define"]} >= set(NAMES.components) - set(chosen)
    whole, part = (each[starter.DESCRIPTION].decode().splitlines() for each in (starter.tree(), tree))
    assert sorted(line for line in whole if line.strip()) == sorted(
        line for line in part if line.strip() and line != "- metrics-server"
    )


def test_all_of_the_stack_is_the_file_as_it_is() -> None:
    assert starter.tree(NAMES.resolved.stack) == starter.tree()


def test_every_component_says_what_it_is() -> None:
    remarks = starter.remarks()
    assert set(remarks) == set(NAMES.components)
    assert all(remarks.values())


def test_a_description_without_define_gets_one() -> None:
    text = "name: a # the name\ncomponents:\n- b\n- {name: c} # here\n# at the end\ncollections: {}\n"
    assert description_edits.with_components(text, ["b"]).splitlines() == [
        "name: a # the name",
        "components:",
        "- b",
        "define:",
        "- {name: c} # here",
        "# at the end",
        "collections: {}",
    ]
