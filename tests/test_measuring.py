"""Which tests count for the coverage."""

from __future__ import annotations

from pathlib import Path

import coverage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import measuring


class Place(pytest.Item):
    """A test in a file of the project."""

    def runtest(self) -> None: ...


@pytest.fixture
def place(request: pytest.FixtureRequest) -> pytest.Item:
    return Place.from_parent(request.session, name="test_it")


@pytest.mark.parametrize(
    ("file", "is_measured"),
    [
        ("oci/test_layer.py", True),
        ("stages/build/test_cast.py", True),
        ("test_record.py", True),
        ("cli/test_build.py", False),
        ("cli/prompts/test_questions.py", False),
        ("cli/output/findings/test_formats.py", False),
        ("docs/test_docs.py", False),
    ],
)
def test_rooms_are_left_out_with_the_rooms_in_them(place: pytest.Item, file: str, is_measured: bool) -> None:
    place.path = measuring.TESTS / file
    assert measuring.counts(place) is is_measured


def test_every_room_that_is_left_out_is_there() -> None:
    assert [room for room in measuring.UNMEASURED if not (measuring.TESTS / room).is_dir()] == []


def test_what_is_outside_the_tests_counts(place: pytest.Item, tmp_path: Path) -> None:
    place.path = tmp_path / "cli" / "test_other.py"
    assert measuring.counts(place)


@pytest.mark.parametrize("marker", measuring.MARKERS)
def test_marked_tests_are_left_out(place: pytest.Item, marker: str) -> None:
    place.path = measuring.TESTS / "oci" / "test_layer.py"
    place.add_marker(marker)
    assert not measuring.counts(place)


@given(number=st.just(1))
def test_a_property_is_left_out(number: int) -> None:
    """This one: Hypothesis marks it."""
    assert coverage.Coverage.current() is None


def test_measuring_goes_on_afterwards() -> None:
    before = coverage.Coverage.current()
    with measuring.stopped():
        assert coverage.Coverage.current() is None
        with measuring.stopped():
            assert coverage.Coverage.current() is None
    assert coverage.Coverage.current() is before
