from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.options import Option, parse


def test_common_options_come_first_and_each_has_its_place() -> None:
    found = parse(b"mine: {jobs: 2}\nskip: [a, b]\noffline: true\n", "options/ci.yaml")
    assert found == (
        Option(verb="", name="skip", value=("a", "b"), where="options/ci.yaml:2"),
        Option(verb="", name="offline", value=True, where="options/ci.yaml:3"),
        Option(verb="mine", name="jobs", value=2, where="options/ci.yaml:1"),
    )
    assert parse(b"mine: {set: {a: 1}}", "f")[0].value == {"a": 1}


def test_an_empty_file_sets_nothing() -> None:
    assert parse(b"", "f") == ()


def test_a_list_is_refused() -> None:
    with pytest.raises(DescriptionError, match="mapping"):
        parse(b"- jobs", "f")
