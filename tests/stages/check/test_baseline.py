"""Baselines: only new findings count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.check.baseline import Baseline, compare, read


def finding(**more: Any) -> Finding:
    values = {"code": "requests", "severity": Severity.WARNING, "message": "m", "where": "templates/a.yaml:3"}
    return Finding(**{**values, **more})


some = st.builds(
    finding,
    code=st.sampled_from(["requests", "spread"]),
    component=st.sampled_from([None, ComponentName("a"), ComponentName("b")]),
    object=st.none()
    | st.builds(ObjectId, group=st.just(""), kind=st.just("Pod"), namespace=st.just("n"), name=st.sampled_from("xy")),
    message=st.sampled_from(["m", "n", "o"]),
    field=st.sampled_from(["", "spec"]),
    where=st.sampled_from(["", "templates/a.yaml:3", "templates/a.yaml:9", "input/b.yaml"]),
)


@given(st.lists(some, max_size=8))
def test_a_baseline_of_all_findings_leaves_none_and_is_read_as_written(listed: list[Finding]) -> None:
    baseline = Baseline.of("demo", listed)
    assert read(baseline.to_json(), stack="demo", where="f") == baseline
    compared = compare(baseline.findings, list(reversed(listed)))
    assert (compared.new, compared.known, compared.mended) == ((), len(listed), ())
    assert Baseline.of("demo", reversed(listed)).to_json() == baseline.to_json()


@given(st.lists(some, max_size=8), st.lists(some, max_size=8))
def test_nothing_is_counted_twice(before: list[Finding], after: list[Finding]) -> None:
    compared = compare(Baseline.of("demo", before).findings, after)
    assert len(compared.new) + compared.known == len(after)
    assert len(compared.mended) + compared.known == len(before)


def test_a_finding_with_other_words_on_another_line_is_known() -> None:
    known = Baseline.of("demo", [finding(message="2 of 3", where="templates/a.yaml:3")]).findings
    assert compare(known, [finding(message="2 of 4", where="templates/a.yaml:8")]).known == 1


def test_a_second_one_about_the_same_object_is_new() -> None:
    known = Baseline.of("demo", [finding(message="container a")]).findings
    compared = compare(known, [finding(message="container b"), finding(message="container a")])
    assert [one.message for one in compared.new] == ["container b"]


def test_what_is_gone_is_mended() -> None:
    known = Baseline.of("demo", [finding(), finding(code="spread")]).findings
    assert [one.code for one in compare(known, [finding()]).mended] == ["spread"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a baseline"),
        (b"{}", "is not a baseline"),
        (b"[" * 2000, "is not a baseline"),
        (b'{"schema": "cluster-forge/smelt/v1", "stack": "demo", "findings": []}', "is not a baseline"),
        (Baseline.of("other", []).to_json(), "is the baseline of 'other', not of 'demo'"),
        (replace(Baseline.of("demo", [finding()]), stack="demo.production").to_json(), "baseline of 'demo.production'"),
    ],
)
def test_another_file_is_an_error_that_says_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(DescriptionError, match=message) as raised:
        read(content, stack="demo", where="known.json")
    assert raised.value.where == "known.json"
    assert raised.value.fix == "write it again: --write-baseline"
