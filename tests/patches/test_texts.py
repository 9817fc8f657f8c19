from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.patches import alignment, texts
from cluster_forge.patches.texts import Clash

lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "}\n", "\n"]), max_size=8)
some_text = st.builds(lambda body, end: "".join(body) + end, lines, st.sampled_from(["", "end"]))


def merged(base: str, theirs: str, mine: str) -> str:
    """The merge without clashes."""
    pieces = texts.merge(base, theirs, mine)
    assert not [piece for piece in pieces if isinstance(piece, Clash)]
    return "".join(piece for piece in pieces if isinstance(piece, str))


@given(some_text, some_text)
def test_a_side_that_changed_nothing_gets_the_other_one(base: str, other: str) -> None:
    assert merged(base, other, base) == other
    assert merged(base, base, other) == other
    assert merged(base, other, other) == other


@given(some_text, some_text, some_text)
def test_taking_one_side_in_every_clash_gives_its_lines_and_the_changes_of_the_other(
    base: str, theirs: str, mine: str
) -> None:
    pieces = texts.merge(base, theirs, mine)
    clashes = [piece for piece in pieces if isinstance(piece, Clash)]
    if not clashes:
        assert merged(base, mine, theirs) == "".join(piece for piece in pieces if isinstance(piece, str))
    for clash in clashes:
        assert len({clash.base, clash.theirs, clash.mine}) == 3
        own = mine.split("\n")[clash.lines.start - 1 : clash.lines.stop - 1]
        assert clash.mine.split("\n")[: len(own)] == own


@given(some_text, some_text)
def test_an_alignment_pairs_equal_lines_in_their_order(old: str, new: str) -> None:
    before, after = old.split("\n"), new.split("\n")
    found = alignment.pairs(before, after)
    assert all(before[place] == after[other] for place, other in found.items())
    assert list(found) == sorted(found)
    assert list(found.values()) == sorted(set(found.values()))
    if before == after:
        assert len(found) == len(before)


def test_changes_with_a_line_between_them_are_merged() -> None:
    assert merged("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n") == "A\nb\nC\n"
    assert merged("a\nb\nc\n", "new\na\nb\nc\n", "a\nb\nc\nlast\n") == "new\na\nb\nc\nlast\n"
    assert merged("a\nb\nc\n", "b\nc\n", "a\nb\nc\nd") == "b\nc\nd"


def test_changes_of_adjacent_lines_clash() -> None:
    pieces = texts.merge("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n")
    assert pieces == (Clash(base="a\nb\n", theirs="A\nb\n", mine="a\nB\n", lines=range(1, 3)), "c\n")


def test_two_insertions_at_the_same_place_clash() -> None:
    pieces = texts.merge("a\nb\n", "a\nx\nb\n", "a\ny\nb\n")
    assert pieces == ("a\n", Clash(base="", theirs="x\n", mine="y\n", lines=range(2, 3)), "b\n")


def test_a_missing_line_break_at_the_end_is_a_change_of_the_last_line() -> None:
    assert merged("a\nb\nc\n", "a\nb\nc", "A\nb\nc\n") == "A\nb\nc"


def test_only_line_feeds_end_lines() -> None:
    base = "a\u2028b\r\nc\nd\n"
    assert merged(base, base.replace("c", "C"), base) == base.replace("c", "C")
    assert len(texts.merge(base, base.replace("d", "D"), base)) == 3


def test_blocks_that_are_repeated_are_not_taken_for_one_another() -> None:
    block = "[{name}]\nhost = localhost\nport = 1\n\n"
    base = "".join(block.format(name=name) for name in ("a", "b", "c"))
    theirs = base.replace("[b]", "[new]\nhost = localhost\nport = 1\n\n[b]")
    mine = base.replace("[c]\nhost = localhost", "[c]\nhost = mine")
    assert merged(base, theirs, mine) == theirs.replace("[c]\nhost = localhost", "[c]\nhost = mine")


def test_large_texts_take_no_quadratic_time() -> None:
    chance = random.Random(1)
    base = [f"line {chance.randint(0, 3)}\n" for _ in range(40_000)]
    theirs, mine = list(base), list(base)
    theirs[100] = "theirs\n"
    mine[30_000] = "mine\n"
    begin = time.process_time()
    result = merged("".join(base), "".join(theirs), "".join(mine))
    assert result.count("theirs\n") == result.count("mine\n") == 1
    shuffled = chance.sample(base, len(base))
    texts.merge("".join(base), "".join(shuffled), "".join(mine))
    assert time.process_time() - begin < 5
