"""The whole catalog, rendered from the mirror, for every component, size and Kubernetes version."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests import shared_store
from tests.corpus.catalog_trials import MIRRORED, NOT_MIRRORED, trials
from tests.corpus.conftest import Silent

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.catalog.library import packaged
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
