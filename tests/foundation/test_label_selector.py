"""Label selectors, as Kubernetes reads them."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.label_selector import LabelSelector

LABELS = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=back", True),
        ("app in (db, web)", True),
        ("app notin (db,web)", False),
        ("other notin (db)", True),
        ("other!=x", True),
        ("!other,app", True),
        ("other", False),
        ("app in (web),tier in (back)", False),
        ("app=", False),
    ],
)
def test_it_selects(selector: str, selects: bool) -> None:
    assert LabelSelector.parse(selector).selects(LABELS) is selects


@pytest.mark.parametrize("selector", ["=x", "a in b", "a in (b", "a=b c", "a b", "!", "a in (b c)"])
def test_what_cannot_be_a_requirement_is_quoted(selector: str) -> None:
    with pytest.raises(ValueError, match="is not a requirement of labels"):
        LabelSelector.parse(selector)


def test_a_selector_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="limit 4,096"):
        LabelSelector.parse("," * 5000)
