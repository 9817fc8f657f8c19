"""catalog new on real charts: it drafts a component's file in which everything has an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from tests import shared_store
from tests.catalog.conftest import MemoryFolder
from tests.corpus.catalog_trials import trials
from tests.corpus.conftest import Silent

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.catalog.library import Library, Packaged
from cluster_forge.catalog.trial_plan import TrialPlans
from cluster_forge.stages.catalog import new, test
from cluster_forge.stages.catalog.new import NewComponent
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

if TYPE_CHECKING:
    from pathlib import Path

CHARTS = [
    "external-dns",
    "grafana",
    "jobset",
    "keycloakx",
    "metrics-server",
    "reloader",
    "seaweedfs",
    "trivy-operator",
    "valkey",
]
LEFT_TO_PEOPLE = {
    *("replicas", "disruption-budget", "spread", "requests", "memory-limit", "plaintext-secret"),
    "missing-reference",
}
"""What a chart may lack a value for, or what only a person knows."""


@pytest.fixture(scope="module")
def tried(corpus: Path) -> TrialRenderer:
    return trials(corpus, shared_store.path())


@pytest.mark.parametrize("chart", CHARTS)
def test_a_draft_is_a_component_that_can_be_tested(tried: TrialRenderer, corpus: Path, chart: str) -> None:
    index = yaml.safe_load((corpus / "mirror/index.yaml").read_text())
    found = next(entry for entry in index["charts"] if entry["name"] == chart)
    helm = {"repository": found["repository"], "chart": chart, "version": found["version"]}
    wanted = NewComponent(name=f"my-{chart}", helm=helm, namespace="mine")
    draft = new.draft(wanted, tried, ThreadWorkers(1), Silent())
    own = MemoryFolder({f"components/{wanted.name}.yaml": new.text(draft)})
    library = Library((Packaged(), own))
    again = TrialRenderer(TrialPlans(library), tried.sources, tried.store, tried.renderer, tried.charts, tried.reader)
    (verdict,) = test.test([wanted.name], again, ThreadWorkers(1), Silent())
    assert [finding for finding in verdict.findings if finding.code not in LEFT_TO_PEOPLE] == []
