"""The result of a rollout through a central Argo CD, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cluster_forge.cli.output import deploy_text, rollout_text
from cluster_forge.foundation.names import counted
from cluster_forge.stages.deliver.rollout import Verdict

if TYPE_CHECKING:
    from cluster_forge.ports.cluster import ClusterFacts
    from cluster_forge.stack.clusters import DescribedCluster
    from cluster_forge.stages.deliver.argocd.central import CentralRequest
    from cluster_forge.stages.deliver.results import ComponentResult
    from cluster_forge.stages.deliver.rollout import ClusterOutcome

    Outcomes = Sequence[ClusterOutcome[tuple[ComponentResult, ...]]]


def lines(outcomes: Outcomes, request: CentralRequest, facts: ClusterFacts) -> Iterator[str]:
    """A line for each cluster, and one for each of its components."""
    versions = _versions(request)
    for outcome in outcomes:
        yield rollout_text.title(outcome)
        yield from deploy_text.lines(outcome.result or ())
        if outcome.verdict is Verdict.DONE:
            components = counted(len(outcome.result or ()), "component")
            yield f"{versions[outcome.cluster.name]} is deployed to {outcome.cluster.name}: {components}, by the Argo CD of {facts}"


def json(outcomes: Outcomes, request: CentralRequest, facts: ClusterFacts) -> list[dict[str, Any]]:
    versions = _versions(request)
    return [
        {
            **rollout_text.json(outcome),
            "stack": versions[outcome.cluster.name].partition(" ")[0],
            "version": versions[outcome.cluster.name].partition(" ")[2],
            "central": {"context": facts.context, "server": facts.server},
            "components": deploy_text.components_json(outcome.result or ()),
        }
        for outcome in outcomes
    ]


def trial(clusters: Sequence[DescribedCluster], facts: ClusterFacts) -> str:
    """What a dry run says: nothing is asked of the clusters themselves."""
    names = ", ".join(cluster.name for cluster in clusters)
    return f"the Argo CD of {facts} can deliver to {names}; nothing was changed"


def _versions(request: CentralRequest) -> dict[str, str]:
    """The stack and its version, by cluster."""
    return {one.name: f"{one.deployment.name} {one.deployment.plan.version}" for one in request.clusters}
