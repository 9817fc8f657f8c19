from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.stack.version_ranges import intersection, is_exact

VERSIONS = ("0.9.0", "1.0.0", "1.2.0", "1.2.7", "1.4.5", "1.9.0", "2.0.0", "2.3.1", "3.0.0")
RANGES = (
    *("^1", "~1.2", "1.x", "1.2", "=1.2.0", "1.2.0", "v1.2.0", ">=1.2.0 <2.0.0", ">=1.2.0, <2.0.0", "1.2 - 1.4.5"),
    *("!=1.2.0", "^1 || ^3", "1.2 - 1.4 || >=2.3", "*", "", ">2||<1", "~2.x"),
)


@given(st.sampled_from(RANGES), st.sampled_from(RANGES))
def test_what_is_in_both_ranges_is_in_the_intersection_as_helm_reads_it(one: str, other: str) -> None:
    engine = HelmSdk()
    both = engine.fits(intersection(one, other), VERSIONS)
    fits = [engine.fits(constraint or "*", VERSIONS) for constraint in (one, other)]
    assert both == [left and right for left, right in zip(*fits, strict=True)]


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        *((text, True) for text in ("1.2.3", "v1.2.3", "1.2.3-rc.1", "1.2.3+build.5", "sha256:ab", "1.2.3@sha256:ab")),
        *((text, False) for text in ("1.2", "1", "^1.2.3", "=1.2.3 || 1.2.4", "1.2.x", "", "*", "1.2.3.4")),
    ],
)
def test_an_exact_version_has_three_numbers(text: str, exact: bool) -> None:
    assert is_exact(text) == exact
