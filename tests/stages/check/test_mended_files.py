"""What `check --fix` takes out of a description, and what it leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests.finding import Finding, Mending, Severity
from cluster_forge.stages.check.mended_files import MendedFiles, mended
from cluster_forge.yaml import positioned_reader

FILE = "input/config.yaml"


def result(text: str, *mendings: Mending) -> MendedFiles:
    findings = [Finding(code="unused-ignore", severity=Severity.WARNING, message="m", mending=one) for one in mendings]
    return mended(findings, {FILE: text.encode()}.get)


def after(text: str, *mendings: Mending) -> str | None:
    files = result(text, *mendings).files
    return files[0].after if files else None


def at(line: int, key: str = "", item: str = "") -> Mending:
    return Mending(where=f"{FILE}:{line}", key=key, item=item)


def test_what_is_empty_then_goes_too() -> None:
    text = "name: a  # kept\nchecks:\n  ignore:\n  - {code: b, reason: c}\nother: 1\n"
    assert after(text, at(4)) == "name: a  # kept\nother: 1\n"


def test_an_empty_value_that_was_there_stays() -> None:
    text = "define: []\nchecks:\n  ignore:\n  - {code: b, reason: c}\n"
    assert after(text, at(4)) == "define: []\n"


def test_several_in_one_list() -> None:
    text = "checks:\n  ignore:\n  - {code: a}\n\n  - {code: b}  # stays\n  # why\n  - {code: c}\n"
    assert after(text, at(3), at(7)) == "checks:\n  ignore:\n\n  - {code: b}  # stays\n  # why\n"


def test_line_ends_a_byte_order_mark_and_comments_stay() -> None:
    text = "\ufeffname: a\r\nchecks:\r\n  # known\r\n  ignore:\r\n  - {code: b}  # goes\r\n  # end\r\nother: 1"
    assert after(text, at(5)) == "\ufeffname: a\r\n  # known\r\n  # end\r\nother: 1"


@pytest.mark.parametrize(
    ("before", "mending", "expected"),
    [
        ("- {name: a, exclude: [v, w]}  # c", at(2, "exclude", "v"), "- {name: a, exclude: [w]}  # c"),
        ("- {name: a, exclude: [v, w]}", at(2, "exclude", "w"), "- {name: a, exclude: [v]}"),
        ("- {name: a, wave: 1}", at(2, "wave"), "- {name: a}"),
        ("- {wave: 1, name: a}", at(2, "wave"), "- {name: a}"),
        ("- name: a\n  syncwave: 1\n", at(2, "wave"), "- name: a\n"),
        ("- {name: a, sourced-exclude: [v, w]}", at(2, "exclude", "v"), "- {name: a, sourced-exclude: [w]}"),
        ("- {name: a,\n   wave: 1,  # c\n   needs: []}", at(2, "wave"), "- {name: a,\n   needs: []}"),
        (
            "- {name: a,\n   # c\n   needs: [],\n   wave: 1\n  }",
            at(2, "wave"),
            "- {name: a,\n   # c\n   needs: [],\n  }",
        ),
        ("- wave: 1  # goes\n  name: a", at(2, "wave"), "- name: a"),
        ("- wave: 1\n  # stays\n  name: a", at(2, "wave"), "-\n  # stays\n  name: a"),
        ("- name: a\n  wave:\n    1\n  # c\n", at(2, "wave"), "- name: a\n  # c\n"),
    ],
)
def test_only_the_entry_changes(before: str, mending: Mending, expected: str) -> None:
    start, end = "components:\n", "\nother: &x {b: 1}\nmore: *x\n"
    assert after(start + before + end, mending) == start + expected + end


@pytest.mark.parametrize(
    ("text", "mending", "reason"),
    [
        ("checks: {ignore: [{code: a}, {code: b}]}\n", at(1), "several entries begin in this line"),
        ("components:\n- {name: a}\n", at(2, "wave"), "this entry has no `wave` of its own"),
        ("components:\n- {name: a, exclude: [x]}\n", at(2, "exclude", "y"), "does not have 'y'"),
        ("components:\n- {name: a}\n", at(7), "no entry of a list begins there"),
        ("components:\n- &a {name: a, wave: 1}\n- *a\n", at(2, "wave"), "would not mean the same"),
        ("components:\n- {name: a, wave: &w 1}\n- {name: b, wave: *w}\n", at(2, "wave"), "line 3 uses its anchor &w"),
        ("d: &d {wave: 1}\ncomponents:\n- <<: *d\n  name: a\n", at(3, "wave"), "this entry has no `wave` of its own"),
        ("components:\n- {name: a,\n   # c\n   wave: 1}\n", at(2, "wave"), "a comment stands between"),
        ("checks:\n  ignore:\n  - {code: a}\n", at(3), "nothing would be left"),
        ("components: [\n", at(1), "the file cannot be read"),
        ("", at(1), "the file is empty"),
        ("a: 1\n", Mending(where="../base.yaml:1"), "not in a file below input/"),
        ("a: 1\n", Mending(where="input/gone.yaml:1"), "not in a file below input/"),
    ],
)
def test_what_is_not_certain_stays_with_the_reason(text: str, mending: Mending, reason: str) -> None:
    of_text = result(text, mending)
    assert of_text.files == ()
    assert [reason in left.reason for left in of_text.left] == [True]


def test_what_cannot_be_edited_keeps_nothing_else_from_it() -> None:
    text = "components:\n- {name: a, wave: &w 1}\n- {name: b, wave: *w}\n- &c {name: c, wave: 2}\n- {name: d, wave: 3}\nx: *c\n"
    of_text = result(text, at(2, "wave"), at(4, "wave"), at(5, "wave"))
    assert of_text.files[0].after == text.replace("d, wave: 3", "d")
    assert [left.finding.mending for left in of_text.left] == [at(2, "wave"), at(4, "wave")]


_WORD = st.sampled_from(
    ["a", "b-1", "'c # no'", '"d\\n"', "é😀", "1", "true", "|\n      # text\n\n      more", ">-\n      fold"]
)
_NOISE = st.sampled_from(["", "", "# remark", "    # deep remark", "   "])


@st.composite
def _descriptions(draw: st.DrawFn) -> tuple[str, list[int], list[bool]]:
    """A description with ignores, the line of each, and which of them go."""
    lines: list[str] = ["name: &n 'x'", "checks:"]

    def noise(column: int) -> None:
        text = draw(_NOISE)
        if text:
            lines.append(" " * column + text)

    noise(2)
    lines.append("  ignore:")
    places = []
    for _ in range(draw(st.integers(1, 5))):
        noise(2)
        match draw(st.integers(0, 3)):
            case 0:
                lines.append("  - {code: a, reason: *n}" + draw(st.sampled_from(["", "  # same line"])))
                places.append(len(lines))
            case 1:
                lines.append("  - code: a" + draw(st.sampled_from(["", "  # same line"])))
                places.append(len(lines))
                lines += f"    reason: {draw(_WORD)}".split("\n")
            case 2:
                lines.append("  -")
                noise(4)
                lines.append("    code: a")
                places.append(len(lines))
            case _:
                lines.append("  - {code: a,")
                places.append(len(lines))
                noise(5)
                lines.append("     reason: 'b'}")
    noise(0)
    lines.append("components: [{name: a}, *n]")
    gone = draw(st.lists(st.booleans(), min_size=len(places), max_size=len(places)))
    break_ = draw(st.sampled_from(["\n", "\r\n"]))
    text = draw(st.sampled_from(["", "\ufeff"])) + break_.join(lines) + draw(st.sampled_from(["", break_]))
    return text, places, gone


@given(_descriptions())
def test_every_other_line_of_any_description_stays(description: tuple[str, list[int], list[bool]]) -> None:
    text, places, gone = description
    of_text = result(text, *(at(line) for line, is_gone in zip(places, gone, strict=True) if is_gone))
    left = {int(one.finding.mending.where.rpartition(":")[2]) for one in of_text.left if one.finding.mending}
    taken = {number for number, (line, is_gone) in enumerate(zip(places, gone, strict=True)) if is_gone} - {
        number for number, line in enumerate(places) if line in left
    }
    if not taken:
        assert of_text.files == ()
        return
    written = of_text.files[0].after
    ignores = positioned_reader.read(text.encode(), FILE).value["checks"]["ignore"]
    kept = [ignore for number, ignore in enumerate(ignores) if number not in taken]
    value = positioned_reader.read(written.encode(), FILE).value
    assert value.get("checks", {}).get("ignore", []) == kept
    rest = iter(text.splitlines(keepends=True))
    assert all(line in rest for line in written.splitlines(keepends=True)), "a line changed, or its place"
    assert written.count("\n# remark") == text.count("\n# remark")
    assert written.count("\n  # remark") == text.count("\n  # remark")
