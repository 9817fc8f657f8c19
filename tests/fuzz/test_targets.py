"""A small, seeded run of every target; `make fuzz` is the large one."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from tests.fuzz import trial
from tests.fuzz.target import ACCEPTED
from tests.fuzz.targets import TARGETS

NUMBER = 200
NEVER_ACCEPTED = ("mirror", "paths")
"""The files that these inputs name do not exist."""


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_is_answered_in_time(name: str) -> None:
    target = TARGETS[name]
    outcomes = Counter[str]()
    for origin, data in trial.inputs(target, trial.Part(seed=4, inputs=NUMBER, seconds=60), NUMBER):
        start = time.process_time()
        try:
            outcomes[target.outcome(data)] += 1
        except Exception as error:
            error.add_note(f"{origin}: {data[:2000]!r}")
            raise
        assert time.process_time() - start < trial.PATIENCE, f"{origin}: {data[:2000]!r}"
    assert outcomes.total() >= NUMBER
    assert len(outcomes) > bool(target.refusals), f"all inputs have the same outcome: {outcomes}"


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in NEVER_ACCEPTED])
def test_valid_inputs_are_accepted(name: str) -> None:
    target = TARGETS[name]
    assert [target.outcome(seed) for seed in target.seeds] == [ACCEPTED] * len(target.seeds)
