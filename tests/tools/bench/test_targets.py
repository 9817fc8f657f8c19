"""Figures: the ratios, seconds and peaks of a run, and what a target makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tools.bench import declared, delivery
from tools.bench.delivery import Way
from tools.bench.measure import Run
from tools.bench.steps import Medians, Step
from tools.bench.targets import Figure, Unit, figures


def step(key: str, wall: float, *, cpu: float = 1, peak_mb: float = 1, objects: int = 0) -> Step:
    """A step by ``case/verb/state``."""
    case, verb, state = key.split("/")
    return Step(case=case, verb=verb, state=state, run=Run(wall=wall, cpu=cpu, peak_mb=peak_mb), objects=objects)


def by_name(*steps: Step) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(Medians(steps))}


FORGE = step("everything/forge/cold", 5, cpu=8, peak_mb=690)
ONE_BY_ONE = step("everything/helm template/one by one", 10, cpu=12, peak_mb=5000)
ALL_CORES = step("everything/helm template/all cores", 4)
SPLIT = step("everything/helm template/and split", 30, cpu=40)


def test_helm_in_its_three_ways_is_the_measure_of_a_cold_forge() -> None:
    found = by_name(FORGE, ONE_BY_ONE, ALL_CORES, SPLIT)
    measured = {name: (figure.value, figure.reached) for name, figure in found.items()}
    assert measured == {
        "helm one by one ÷ cold forge, wall": (2, True),
        "helm one by one ÷ cold forge, CPU": (1.5, None),
        "helm on all cores ÷ cold forge, wall": (0.8, False),
        "helm and split ÷ cold forge, CPU": (5, True),
        "peak of everything": (690, True),
    }


def test_what_hand_edits_add_is_the_difference_of_two_smelts_with_the_same_renders() -> None:
    plain, edited = step("everything/smelt/changed back", 2), step("everything/smelt/changed and edited", 2.25)
    figure = by_name(plain, edited)["merge of 50 edited objects"]
    assert (figure.value, figure.reached) == (0.25, True)
    assert "merge of 50 edited objects" not in by_name(plain)


def test_what_declared_changes_add_is_the_difference_of_two_smelts_with_cached_renders() -> None:
    plain, changed = step("everything/smelt/changed back", 2), step(f"{declared.CASE}/smelt/changed", 4.5)
    figure = by_name(plain, changed)["declared change of every object"]
    assert (figure.value, figure.reached) == (2.5, True)
    assert "declared change of every object" not in by_name(changed)


def test_a_figure_needs_all_of_its_commands() -> None:
    assert by_name() == {}
    assert by_name(ONE_BY_ONE) == {}
    assert by_name(step("v1-input/smelt/cold", 1)) == {}


def test_medians_count_and_the_commands_of_one_figure_are_added() -> None:
    smelts = [step("v1-input/smelt/cold", wall) for wall in (0.7, 9, 0.8)]
    found = by_name(*smelts, step("v1-input/cast/cold", 1.2), ONE_BY_ONE)
    assert found["smelt and cast of v1-input"].value == pytest.approx(2)
    assert found["helm one by one ÷ v1-input, CPU"].value == pytest.approx(6)


def test_many_objects_are_compared_with_few_by_the_time_for_each_object() -> None:
    found = by_name(
        step("10,000/forge/cold", 4, objects=10_000),
        step("50,000/forge/cold", 24, objects=50_000, peak_mb=900),
        step("50,000/smelt/cold", 19, objects=50_000, peak_mb=1100),
    )
    linear = found["50,000 ÷ 10,000 objects: cold forge, wall per object"]
    assert linear.value == pytest.approx(1.2)
    assert linear.reached is False
    assert found["cold smelt of 50,000 objects"].reached is True
    assert found["cold forge of 50,000 objects"].reached is False
    assert found["peak of 50,000 objects"].value == 1100


def test_names_are_unique() -> None:
    cases = {
        "everything": ("forge/cold", "smelt/warm", "cast/warm", "cast/cold"),
        "v1-input": ("smelt/cold", "cast/cold"),
        "10,000": ("smelt/cold", "forge/cold"),
        "50,000": ("smelt/cold", "forge/cold"),
        "program": ("--help/",),
        "platform": ("catalog test/all",),
    }
    ours = [step(f"{case}/{verb}", 1, objects=1) for case, verbs in cases.items() for verb in verbs]
    names = [figure.name for figure in figures(Medians([*ours, ONE_BY_ONE, ALL_CORES, SPLIT]))]
    assert len(names) == 21
    assert len(set(names)) == 21


@pytest.mark.parametrize(
    ("figure", "measured", "target", "reached"),
    [
        (
            Figure(name="", value=1.998, unit=Unit.TIMES, limit=2, goal=3, more_is_better=True),
            "2×",
            "≥ 2× (goal: 3×)",
            False,
        ),
        (Figure(name="", value=0.0996, unit=Unit.SECONDS, limit=0.1), "0.0996 s", "≤ 0.1 s", True),
        (Figure(name="", value=1234.5, unit=Unit.MB, limit=1024), "1234 MB", "≤ 1024 MB", False),
        (Figure(name="", value=31.44, unit=Unit.TIMES, more_is_better=True), "31.4×", "", None),
        (Figure(name="", value=2, unit=Unit.TIMES, limit=2, more_is_better=True), "2×", "≥ 2×", True),
    ],
)
def test_texts(figure: Figure, measured: str, target: str, *, reached: bool | None) -> None:
    assert (figure.measured(), figure.target(), figure.reached) == (measured, target, reached)


@pytest.mark.parametrize(
    ("value", "before", "more_is_better", "worsening"),
    [(2, 2.5, True, 0.25), (2.5, 2, True, -0.2), (500, 400, False, 0.25), (400, 500, False, -0.2), (7, 7, True, 0)],
)
def test_worsening(value: float, before: float, worsening: float, *, more_is_better: bool) -> None:
    figure = Figure(name="", value=value, unit=Unit.TIMES, more_is_better=more_is_better)
    assert figure.worsening(before) == pytest.approx(worsening)


def delivered(case: str) -> dict[str, tuple[float, bool | None]]:
    """The figures of a delivery in 60 s, 5 s with nothing changed, and kubectl in 150 s."""
    deploy = replace(step(f"{case}/deploy/cold", 60, peak_mb=250, objects=1000), requests=1300)
    found = by_name(deploy, step(f"{case}/deploy/unchanged", 5), step(f"{case}/kubectl apply/repeated", 150))
    return {name: (figure.value, figure.reached) for name, figure in found.items() if name.startswith(f"{case}: ")}


@pytest.mark.parametrize("case", [one.case for one in delivery.DELIVERIES if one.way is Way.DIRECT])
def test_a_delivery_is_compared_with_kubectl_and_with_one_that_changes_nothing(case: str) -> None:
    assert delivered(case) == {
        f"{case}: kubectl apply ÷ deploy, wall": (2.5, True),
        f"{case}: deploy ÷ deploy unchanged, wall": (12, True),
        f"{case}: requests of deploy, for each object": (1.3, False),
        f"{case}: peak of deploy": (250, True),
    }


@pytest.mark.parametrize(("engine", "reached"), [("argocd", True), ("flux", None)])
def test_an_engine_is_compared_with_kubectl_the_other_way_round(engine: str, reached: bool | None) -> None:
    case = f"deliver-platform-{engine}"
    assert delivered(case) == {
        f"{case}: deploy ÷ kubectl apply, wall": (0.4, reached),
        f"{case}: deploy ÷ deploy unchanged, wall": (12, True),
        f"{case}: peak of deploy": (250, True),
    }
