"""Patches and merges of the objects of real charts."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.corpus.typical_edits import Edit, edits
from tests.corpus.upgrades import MINOR, Renderings, Upgrade, upgrades
from tests.patches.trees import edit

from cluster_forge.composition.rendering import small_reader
from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests import emitter
from cluster_forge.manifests.comparison import excerpts, fields, objects
from cluster_forge.manifests.field_schema import FieldSchema
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Document
from cluster_forge.manifests.merge_keys import MergeKeys
from cluster_forge.patches.sameness import ABSENT, same
from cluster_forge.patches.smallest import StrategicPatch, smallest
from cluster_forge.patches.three_way import Conflict, merge

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

ROUNDS = 2
SHORT = 100_000
"""Bytes of JSON up to which the emitted text is compared, too; it follows from the JSON, and takes longer."""
LONG = 300_000
"""Bytes of JSON up to which excerpts are compared: writing more takes longer."""


def test_a_smallest_patch_gives_the_edited_object_byte_for_byte(everything: Forged) -> None:
    chance = random.Random(22)
    contents = [manifest.document.json for manifest in everything.manifests]
    definitions = (orjson.loads(content) for content in contents if b'"CustomResourceDefinition"' in content)
    keys = MergeKeys.of(everything.stack.target.kubernetes.minor, definitions)
    forms: Counter[type] = Counter()
    for content in contents * ROUNDS:
        before, after = orjson.loads(content), orjson.loads(content)
        for _ in range(chance.randint(1, 3)):
            edit(after, chance)
        schema = keys.of_object(before)
        patch = smallest(before, after, schema)
        result = patch.apply(before, schema)
        made, edited = (Document(json=orjson.dumps(body, option=orjson.OPT_SORT_KEYS)) for body in (result, after))
        assert made.json == edited.json
        assert len(content) > SHORT or made.text == edited.text
        forms[type(patch)] += 1
    assert forms.total() >= 2_000
    assert forms[StrategicPatch] > 0.5 * forms.total()


def test_excerpts_say_what_whole_objects_say(everything: Forged) -> None:
    """Random edits, mostly of the fields that name an object, as people make them."""
    chance = random.Random(22)
    blocks = small_reader()
    found = 0
    for manifest in everything.manifests:
        content = manifest.document.json
        if len(content) > LONG:
            continue
        before, after = orjson.loads(content), orjson.loads(content)
        edit(after if chance.random() < 0.3 else after["metadata"], chance)
        old, new = (emitter.document(body).encode() for body in (before, dict(sorted(after.items()))))
        if excerpt := excerpts.of(old, new):
            found += 1
            parts = [blocks.read(text.decode()) for text in excerpt]
            whole, shown = (objects.as_written(manifest.id, "", *bodies) for bodies in ((before, after), parts))
            assert (whole and whole.fields) == (shown and shown.fields)
            assert len(excerpt.before) < len(old) - 4_000
    assert found >= 200


TAKEN = "as upstream"


class Outcome(StrEnum):
    """What becomes of an edit when its object's chart is upgraded."""

    SURVIVED = "survived"
    OBSOLETE = "obsolete"
    CONFLICT = "conflict"
    GONE = "object gone"


def outcome(edit: Edit, newer: Mapping[ObjectId, bytes], keys: MergeKeys) -> tuple[Outcome, tuple[Conflict, ...]]:
    content = newer.get(edit.id)
    if edit.mine is None:
        return (Outcome.OBSOLETE if content is None else Outcome.SURVIVED), ()
    if content is None:
        return Outcome.GONE, ()
    theirs = orjson.loads(content)
    if edit.what != TAKEN:
        assert_saved(edit, edit.mine, theirs, keys.of_object(theirs))
    merged = merge(edit.base, theirs, edit.mine, keys.of_object(theirs))
    for conflict in merged.conflicts:
        assert_true(conflict, edit.base, theirs, edit.mine)
    assert edit.is_in(dict(merged.value)), edit
    if merged.conflicts:
        return Outcome.CONFLICT, merged.conflicts
    return (Outcome.OBSOLETE if same(merged.value, theirs) else Outcome.SURVIVED), ()


def assert_saved(edit: Edit, mine: Any, theirs: Any, schema: FieldSchema | None) -> None:
    """The edit as a patch fits the newer version, and changes nothing of it that was not edited; or the version changes its text."""
    try:
        patched = smallest(edit.base, mine, schema).apply(theirs, schema)
    except PatchError:
        assert edit.what.startswith("line ")
        assert edit.base["data"] != theirs["data"]
        return
    assert edit.is_in(dict(patched)), edit
    edited = [without_places(change.path) for change in fields.changes(edit.base, mine, schema)]
    for change in fields.changes(theirs, patched, schema):
        path = without_places(change.path)
        assert any(path.startswith(known) or known.startswith(path) for known in edited), (edit, change)


def without_places(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def assert_true(conflict: Conflict, base: Any, theirs: Any, mine: Any) -> None:
    """Each side has at the conflict's path what it says, and all three are different; read here without the library."""
    sides = (base, conflict.base), (theirs, conflict.theirs), (mine, conflict.mine)
    for body, value in sides:
        there = at(body, conflict.path)
        assert value in there if conflict.lines else there == value, conflict
    assert conflict.theirs != conflict.base != conflict.mine != conflict.theirs


STEP = re.compile(r'\.?([\w-]+)|\["([^"]*)"\]|\[((?:\w+="?[^",\]]*"?,?)+)\]')


def at(body: Any, path: str) -> Any:
    """What is at a path as `field_path` writes it."""
    value = body
    for name, quoted, keys in STEP.findall(path):
        if keys:
            wanted = dict(pair.split("=", 1) for pair in keys.split(","))
            found = [
                entry
                for entry in (value if isinstance(value, list) else ())
                if all(json.dumps(entry.get(key, "TCP")) == text for key, text in wanted.items())
            ]
            value = found[0] if found else ABSENT
        else:
            value = value.get(name or quoted, ABSENT) if isinstance(value, dict) else ABSENT
    return value


EDITS = 20
Result = tuple[Edit, Outcome, tuple[Conflict, ...]]


def results(upgrade: Upgrade, renderings: Renderings) -> list[Result]:
    """Each edit of the older version, and what becomes of it in the newer one."""
    older, newer = renderings.both(upgrade)
    definitions = (orjson.loads(content) for content in newer.values() if b'"CustomResourceDefinition"' in content)
    keys = MergeKeys.of(MINOR, definitions)
    tried = (*edits(older, EDITS), *itertools.islice(taken_upstream(older, newer), 1))
    return [(edit, *outcome(edit, newer, keys)) for edit in tried]


def taken_upstream(older: Mapping[ObjectId, bytes], newer: Mapping[ObjectId, bytes]) -> Iterator[Edit]:
    """Objects that somebody changed to what they are in the newer version."""
    for identity in sorted(older.keys() & newer.keys()):
        base, theirs = orjson.loads(older[identity]), orjson.loads(newer[identity])
        if not same(base, theirs):
            yield Edit(what=TAKEN, id=identity, base=base, mine=theirs, is_in=partial(same, theirs))


def test_edits_outlive_an_upgrade_or_truly_conflict_with_it(corpus: Path) -> None:
    renderings = Renderings(corpus)
    counted: Counter[Outcome] = Counter()
    pairs = upgrades(corpus / "mirror")
    for upgrade in pairs:
        counted.update(outcome for _, outcome, _ in results(upgrade, renderings))
    assert len(pairs) >= 25
    assert counted.total() >= 0.9 * EDITS * len(pairs)
    assert counted[Outcome.SURVIVED] > 0.75 * counted.total(), counted
    assert counted[Outcome.CONFLICT] > 0
    assert counted[Outcome.OBSOLETE] >= 25
