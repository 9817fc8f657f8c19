"""The whole catalog, rendered from the mirror, for every component, size and Kubernetes version."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests import shared_store
from tests.checks.checked_stacks import checked_stack
from tests.corpus.catalog_trials import MIRRORED, NOT_MIRRORED, trials
from tests.corpus.conftest import Silent

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.catalog import versions
from cluster_forge.catalog.library import packaged
from cluster_forge.checks import registry
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stages.catalog import test

if TYPE_CHECKING:
    from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

pytestmark = pytest.mark.corpus
NAMES = MIRRORED
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tried(corpus: Path) -> TrialRenderer:
    return trials(corpus, shared_store.path())


@pytest.mark.rotates
@pytest.mark.parametrize("name", NAMES)
def test_every_component_has_no_findings(tried: TrialRenderer, name: str) -> None:
    """It renders for every size and version, and everything in its file has an effect."""
    (verdict,) = test.test([name], tried, ThreadWorkers(1), Silent())
    assert verdict.findings == {}


@pytest.mark.rotates
@pytest.mark.parametrize("name", NAMES)
def test_every_version_is_accepted_by_the_oldest_kubernetes_that_it_supports(tried: TrialRenderer, name: str) -> None:
    component = packaged().component(name)
    oldest: dict[str, int] = {}
    for minor in kubernetes_apis.minors():
        if version := versions.chosen_version(component, minor):
            oldest.setdefault(version.version, minor)
    for minor in oldest.values():
        objects = tried.alone(name, minor, "small")
        checked = checked_stack(objects, minor=minor)
        findings = registry.check_acceptance(objects, Scopes.of(minor, objects))
        findings += [
            one for check in (*registry.SCHEMAS, *registry.CUSTOM_RESOURCES) for one in check.findings(checked)
        ]
        assert [str(one) for one in findings if one.severity is Severity.ERROR] == [], f"1.{minor}"


@pytest.mark.parametrize("name", sorted(NOT_MIRRORED))
def test_what_is_not_tried_is_not_in_the_mirror(corpus: Path, name: str) -> None:
    index = (corpus / "mirror" / "index.yaml").read_text(encoding="utf-8")
    urls = [url for version in packaged().component(name).versions for url in version.manifests]
    assert urls
    assert not any(url in index for url in urls)


@pytest.mark.parametrize("name", NAMES)
def test_every_component_has_three_examples(name: str) -> None:
    component = packaged().component(name)
    assert len(component.examples) == 3 or not component.values  # without values there is nothing to change


def test_the_packaged_facts_are_current(tried: TrialRenderer) -> None:
    specification = importlib.util.spec_from_file_location("catalog_facts", PROJECT / "tools/catalog_facts.py")
    assert specification
    assert specification.loader
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    current = (PROJECT / "src/cluster_forge/catalog/data/facts.json").read_text(encoding="utf-8")
    assert tool.text(tried) == current, "run `python tools/catalog_facts.py`"
