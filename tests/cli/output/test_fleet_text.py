"""Several clusters in one table."""

from __future__ import annotations

import pytest

from cluster_forge.cli.output import fleet_text
from cluster_forge.foundation.errors import ClusterError, ForgeError, PreflightError
from cluster_forge.stack.clusters import DescribedCluster
from cluster_forge.stages.deliver.rollout import ClusterOutcome, Verdict
from cluster_forge.stages.deliver.status import StackStatus


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ClusterError("connection refused", where="https://eu.example.com", fix="start it"), "no answer"),
        (PreflightError("no Argo CD runs in the cluster", fix="install Argo CD"), "not known"),
    ],
)
def test_a_cluster_without_a_status_is_a_row_and_its_error_is_below(error: ForgeError, word: str) -> None:
    cluster = DescribedCluster(name="eu", context="eu", environment="production")
    outcome: ClusterOutcome[StackStatus] = ClusterOutcome(cluster=cluster, verdict=Verdict.FAILED, errors=(error,))
    head, row, reason = fleet_text.status_lines([outcome])
    assert head.startswith("CLUSTER")
    assert row.split(maxsplit=5) == ["eu", "production", "-", "-", "-", word]
    assert reason == f"eu: {error}\n  {error.fix}"
