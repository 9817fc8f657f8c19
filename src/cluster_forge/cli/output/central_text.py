"""The result of a rollout through a central Argo CD, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cluster_forge.cli.output import deploy_text
from cluster_forge.foundation.names import counted

if TYPE_CHECKING:
    from cluster_forge.ports.cluster import ClusterFacts
    from cluster_forge.stack.clusters import DescribedCluster
    from cluster_forge.stages.deliver.argocd.central import CentralCluster
    from cluster_forge.stages.deliver.central import CentralResult


def lines(cluster: CentralCluster, result: CentralResult, facts: ClusterFacts) -> Iterator[str]:
    """A line for each component of one cluster, and one for all."""
    yield from deploy_text.lines(result.components)
    if result.is_good:
        name = f"{cluster.deployment.name} {cluster.deployment.plan.version}"
        parts = counted(len(result.components), "component")
        yield f"{name} is deployed to {cluster.name} as release {result.release}: {parts}, by the Argo CD of {facts}"


def json(cluster: CentralCluster, result: CentralResult, facts: ClusterFacts) -> dict[str, Any]:
    return {
        "stack": cluster.deployment.name,
        "version": cluster.deployment.plan.version,
        "deployed": result.is_good,
        "release": result.release,
        "central": {"context": facts.context, "server": facts.server},
        "components": deploy_text.components_json(result.components),
    }


def trial(clusters: Sequence[DescribedCluster], facts: ClusterFacts) -> str:
    """What a dry run says: nothing is asked of the clusters themselves."""
    names = ", ".join(cluster.name for cluster in clusters)
    return f"the Argo CD of {facts} can deliver to {names}; nothing was changed"
