"""The declared changes of the benchmark are keys of a description, and their change is in them."""

from __future__ import annotations

import yaml
from tools.bench import declared

from cluster_forge.stack.schema.changes import ChangesSchema


def test_they_are_changes_that_a_description_may_declare() -> None:
    ChangesSchema.model_validate(yaml.safe_load(declared.CHANGES))


def test_the_change_is_in_them() -> None:
    before, after = declared.CHANGED
    assert declared.CHANGES.count(before) == 1
    assert after not in declared.CHANGES
