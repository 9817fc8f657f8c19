"""Differences as text and Markdown: nothing that a terminal or a browser obeys, and nothing without a bound."""

from __future__ import annotations

from typing import Any

import click
import pytest

from cluster_forge.cli.output import diff_markdown, diff_text
from cluster_forge.cli.output.diff_text import Sides
from cluster_forge.manifests.comparison import objects
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.manifests.comparison.objects import Comparison, ComponentDifference, ObjectDifference
from cluster_forge.manifests.identity import ObjectId

SIDES = Sides(before="old", after="new")
HOSTILE = "\x1b[31m</code>```` | `x` <script>"


def settings(name: str = "a", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def differing(before: dict[str, Any] | None, after: dict[str, Any] | None, remark: str = "") -> ObjectDifference:
    identity = ObjectId.of(before or after or {})
    difference = objects.compared(identity, "web", before, after, remark=remark)
    assert difference is not None
    return difference


def text_of(comparison: Comparison) -> str:
    return click.unstyle("\n".join(diff_text.unified(comparison, SIDES)))


def test_a_unified_diff() -> None:
    component = ComponentDifference(name="web", change=Change.CHANGED, before="1.0", after="1.1")
    comparison = Comparison(
        components=(component,),
        objects=(differing(settings(a="1", b="2"), settings(a="1", b="3"), "moved here from old"),),
        added_images=("example.com/web:2",),
    )
    assert text_of(comparison) == (
        "--- old: ConfigMap/a\n"
        "+++ new: ConfigMap/a\n"
        "@@ -4,4 +4,4 @@\n"
        "   name: a\n"
        " data:\n"
        '   a: "1"\n'
        '-  b: "2"\n'
        '+  b: "3"\n'
        "# moved here from old\n"
        "~ component web 1.0 → 1.1\n"
        "+ image example.com/web:2\n"
        "1 component changed; 1 object changed; 1 image added"
    )


def test_nothing_differs() -> None:
    assert text_of(Comparison()) == "no differences between old and new"
    assert diff_markdown.document(Comparison(), SIDES).endswith("\n\nNo differences.\n")


def test_an_object_that_is_too_long_for_a_unified_diff_is_shown_by_its_fields() -> None:
    long = {f"k{number:05}": "x" for number in range(11_000)}
    changed = {**dict.fromkeys(list(long)[:60], "y"), **dict(list(long.items())[60:])}
    lines = text_of(Comparison(objects=(differing(settings(**long), settings(**changed)),))).splitlines()
    assert lines[2:4] == ["# too long for a unified diff: 60 fields differ", "+ data.k00000"]
    assert lines[-2] == "# … and 10 fields more (--format json has all)"


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    hostile = differing(None, settings(HOSTILE, a=HOSTILE), HOSTILE)
    comparison = Comparison(
        components=(ComponentDifference(name="web", change=Change.ADDED, after=HOSTILE),),
        objects=(hostile,),
        added_images=(HOSTILE,),
    )
    for lines in (diff_text.unified(comparison, SIDES), diff_text.summary(comparison, SIDES)):
        assert "\x1b" not in click.unstyle("\n".join(lines))
    document = diff_markdown.document(comparison, Sides(before=HOSTILE, after="new"))
    outside, fenced, rest = document.partition("`````diff\n")
    assert fenced
    assert not {"\x1b", "<script>"} & {*outside}
    assert "<script>" not in outside
    assert rest.count("\n`````\n") == 1


def test_markdown_fits_into_a_comment_and_counts_the_rest() -> None:
    many = tuple(differing(None, settings(f"a{number}", a="x\n" * 300)) for number in range(100))
    images = tuple(f"example.com/{number}:1" for number in range(150))
    document = diff_markdown.document(Comparison(objects=many, added_images=images), SIDES)
    assert len(document) < 65_536
    assert "# … and 109 lines more" in document
    assert "- … and 50 images more" in document
    assert document.splitlines()[-1].endswith("`cluster-forge diff` shows all.")


@pytest.mark.parametrize(
    ("before", "after", "shown"), [("1", "2", "1 → 2"), ("1", "1", "1"), ("", "2", "2"), ("", "", "")]
)
def test_versions(before: str, after: str, shown: str) -> None:
    component = ComponentDifference(name="a", change=Change.CHANGED, before=before, after=after)
    assert diff_text.versions(component) == shown
