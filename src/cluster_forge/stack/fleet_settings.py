"""The sections of a description about where the stack is deployed to: clusters, their order, a central Argo CD."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.clusters import (
    Central,
    DescribedCluster,
    Fleet,
    Rollout,
    RolloutWait,
    context_errors,
    order_errors,
)
from cluster_forge.stack.schema.description import CentralSchema, ClusterSchema, GitOpsSchema, RolloutSchema
from cluster_forge.stack.schema.validation import validated
from cluster_forge.stack.settings import section_of
from cluster_forge.yaml.positioned import Positioned


def fleet(description: Positioned, errors: list[ForgeError]) -> Fleet:
    """The clusters and their order. What does not fit together goes into ``errors``."""
    listed = description.get("clusters")
    rollout = section_of(description, "rollout", RolloutSchema)
    gitops = section_of(description, "gitops", GitOpsSchema)
    errors += _wrong_delivery(description, gitops)
    described = Fleet(
        clusters=tuple(cluster for entry in (listed.items if listed else ()) if (cluster := _cluster(entry))),
        rollout=Rollout(
            order=tuple(rollout.order), wait=RolloutWait(rollout.wait), max_unavailable=rollout.max_unavailable
        ),
        central=_central(description, gitops.central) if gitops.central else None,
        has_folders=gitops.cluster_folders or gitops.central is not None,
    )
    errors.extend(order_errors(described, description.at(("rollout", "order")).where))
    errors.extend(context_errors(described))
    return described


def _central(description: Positioned, settings: CentralSchema) -> Central:
    where = description.at(("gitops", "central")).where
    return Central(context=settings.context, kubeconfig=settings.kubeconfig, where=where)


def _cluster(entry: Positioned) -> DescribedCluster | None:
    settings = validated(ClusterSchema, entry)
    if settings is None:
        return None
    return DescribedCluster(
        name=settings.name,
        context=settings.context or settings.name,
        kubeconfig=settings.kubeconfig,
        environment=settings.environment,
        labels=settings.labels,
        has_variables=bool(settings.variables),
        where=entry.where,
    )


def _wrong_delivery(description: Positioned, gitops: GitOpsSchema) -> Iterator[DescriptionError]:
    """A central Argo CD and folders of clusters need a repository that is not in one of the clusters."""
    if gitops.central and (gitops.engine != "argocd" or gitops.install or gitops.source != "external"):
        yield DescriptionError(
            "gitops: `central` is an Argo CD that is there already, and reads the stacks of all clusters from one Git "
            "repository",
            where=description.at(("gitops", "central")).where,
            fix="write `engine: argocd`, `install: false`, `source: external` and `url: https://…` beside it",
        )
    elif gitops.cluster_folders and (gitops.engine == "none" or gitops.source != "external"):
        yield DescriptionError(
            "gitops: `clusterFolders: true` is for a Git repository that an engine reads",
            where=description.at(("gitops", "clusterFolders")).where,
            fix="write `engine: argocd` or `engine: flux`, `source: external` and `url: https://…` beside it",
        )
