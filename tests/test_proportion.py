from __future__ import annotations

import pytest
from tests.proportion import assert_in_proportion


def test_what_takes_the_square_of_the_size_is_noticed() -> None:
    assert_in_proportion(lambda size: sum(range(size)), 6_000)
    with pytest.raises(AssertionError, match=r"1500: .* CPU s, 6000: .* CPU s"):
        assert_in_proportion(lambda size: [sum(range(size)) for _ in range(size)], 6_000)
