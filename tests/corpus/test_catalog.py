"""The whole catalog, rendered from the mirror: what it promises for every component, size and Kubernetes version."""

from __future__ import annotations

import importlib.util
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.corpus.catalog_matrix import MINORS, Matrix, newest

from cluster_forge.catalog import rules, wiring
from cluster_forge.catalog.format import ALL_SIZES, minors
from cluster_forge.catalog.library import packaged
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.model import Size
from cluster_forge.stack.traced import Traced
from cluster_forge.stages import mined

pytestmark = pytest.mark.corpus
NAMES = packaged().names
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def matrix(corpus: Path) -> Matrix:
    return Matrix(corpus / "mirror")


@pytest.mark.parametrize("name", NAMES)
def test_every_size_renders_for_every_kubernetes(matrix: Matrix, name: str) -> None:
    """It parses, no object comes twice, and what is not for a version says so in its data."""
    component = matrix.library.component(name)
    for minor in MINORS:
        if not wiring.chosen_version(component, minor):
            assert all(minor not in minors(version.kubernetes) for version in component.versions)
            continue
        for size in ALL_SIZES:
            text = matrix.rendered(name, matrix.alone(name, minor, size), minor)
            objects = matrix.objects(name, component.namespace, text, minor)
            assert objects, (minor, size)
            different = {(each.id, each.document.json) for each in objects}  # a chart may say the same thing twice
            twice = [str(each) for each, count in Counter(identity for identity, _ in different).items() if count > 1]
            assert not twice, (minor, size, twice)


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_for_production_are_kept(matrix: Matrix, name: str) -> None:
    component = matrix.library.component(name)
    broken: dict[str, list[str]] = {}
    for version in component.versions:
        fitting = [minor for minor in MINORS if wiring.chosen_version(component, minor) is version]
        for size in ALL_SIZES if fitting else ():
            minor = max(fitting)
            text = matrix.rendered(name, matrix.alone(name, minor, size), minor)
            found = rules.breaches(
                matrix.objects(name, component.namespace, text, minor),
                size=Size(size),
                level=component.pod_security,
                exceptions=component.exceptions,
            )
            broken |= {f"{version.version} {size}": list(map(str, found))} if found else {}
    assert not broken


@pytest.mark.parametrize("name", NAMES)
def test_twice_gives_the_same(matrix: Matrix, name: str) -> None:
    component = matrix.library.component(name)
    minor = newest(component)
    made = {matrix.rendered_anew(name, matrix.alone(name, minor, "medium"), minor) for _ in range(2)}
    exempt = [each for each in component.exceptions if each.rule == "random"]
    assert (len(made) == 1) != bool(exempt), "draws random values" if not exempt else "the exception is not needed"


@pytest.mark.parametrize("name", NAMES)
def test_every_size_delta_changes_something(matrix: Matrix, name: str) -> None:
    component = matrix.library.component(name)
    minor = newest(component)
    for size in ALL_SIZES:
        whole = matrix.alone(name, minor, size)
        lacking = [layer for layer in whole if not layer.file.endswith(f"(size {size})")]
        if len(lacking) < len(whole):
            assert matrix.rendered(name, whole, minor) != matrix.rendered(name, lacking, minor), size


@pytest.mark.parametrize("name", NAMES)
def test_every_wiring_changes_something(matrix: Matrix, name: str) -> None:
    component = matrix.library.component(name)
    minor = newest(component)
    idle = []
    for number, each in enumerate(component.wiring):
        size = each.sizes[0]
        names = matrix.company(component, each, size, minor)
        if names is None:
            continue
        around = matrix.around(names, minor, size, domain="example.com" if wiring.DOMAIN in each.all_of else "")
        assert each in wiring.applying(component, around), f"wiring {number} ({each.purpose}) never applies"
        placed = around.placed[name]
        others = [one for one in component.wiring if one is not each]
        lacking = replace(placed, component=component.model_copy(update={"wiring": others}))
        apis = ("monitoring.coreos.com/v1",) if "monitoring.coreos.com" in each.all_of else ()
        made = [matrix.rendered(name, wiring.layers(one, around), minor, apis) for one in (placed, lacking)]
        if made[0] == made[1]:
            idle.append(f"{number}: {each.purpose}")
    assert not idle


@pytest.mark.parametrize("name", NAMES)
def test_every_example_changes_something(matrix: Matrix, name: str) -> None:
    component = matrix.library.component(name)
    minor = newest(component)
    assert len(component.examples) == 3 or not component.values  # what takes no values has nothing to be changed
    whole = matrix.alone(name, minor, "small")
    before = matrix.rendered(name, whole, minor)
    there = {
        called for each in matrix.objects(name, component.namespace, before, minor) for called in mined.names(each)
    }
    for each in component.examples:
        assert each.values or each.exclude, each.title
        assert set(each.exclude) <= there, each.title
        if each.values:
            changed = [*whole, Traced.of({"values": each.values}, Traced({}, "example"))]
            try:
                assert matrix.rendered(name, changed, minor) != before, each.title
            except ForgeError as error:
                pytest.fail(f"{each.title}: {error}")


def test_the_packaged_facts_are_current(matrix: Matrix) -> None:
    specification = importlib.util.spec_from_file_location("catalog_facts", PROJECT / "tools/catalog_facts.py")
    assert specification
    assert specification.loader
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    current = (PROJECT / "src/cluster_forge/catalog/data/facts.json").read_text(encoding="utf-8")
    assert tool.text(matrix) == current, "run `python tools/catalog_facts.py`"
