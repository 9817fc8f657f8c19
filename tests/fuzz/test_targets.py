"""The small, seeded run of every target; `make fuzz` is the large one."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from tests.fuzz import trial
from tests.fuzz.target import ACCEPTED
from tests.fuzz.targets import TARGETS

NUMBER = 200
NEVER_WHOLE = ("mirror", "paths")
"""What a mirror's index or a path names is not there."""


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_gets_an_answer_in_time(name: str) -> None:
    target = TARGETS[name]
    outcomes = Counter[str]()
    for each, data in trial.inputs(target, trial.Part(seed=4, inputs=NUMBER, seconds=60), NUMBER):
        began = time.process_time()
        try:
            outcomes[target.outcome(data)] += 1
        except Exception as error:
            error.add_note(f"{each}: {data[:2000]!r}")
            raise
        assert time.process_time() - began < trial.PATIENCE, f"{each}: {data[:2000]!r}"
    assert outcomes.total() >= NUMBER
    assert len(outcomes) > bool(target.refusals), f"the inputs show no difference: {outcomes}"


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in NEVER_WHOLE])
def test_what_is_well_formed_is_accepted(name: str) -> None:
    target = TARGETS[name]
    assert [target.outcome(seed) for seed in target.seeds] == [ACCEPTED] * len(target.seeds)
