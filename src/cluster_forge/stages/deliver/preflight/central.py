"""A central Argo CD makes Applications from ApplicationSets, and knows the clusters that it is to deliver to.

Sources: Argo CD, "Clusters" (declarative setup) and "Progressive Syncs".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.gitops import engine as engines
from cluster_forge.gitops.argocd import central
from cluster_forge.gitops.argocd.component import PARAMETERS_MAP
from cluster_forge.manifests.finding import Severity
from cluster_forge.stages.deliver.argocd import known_clusters
from cluster_forge.stages.deliver.preflight import engine_settings
from cluster_forge.stages.deliver.preflight.engine import MISSING
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "the clusters that Argo CD knows"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "engine-cluster": "A central Argo CD does not know a cluster of the description.",
}
CLUSTER: Final = "engine-cluster"
_PROGRESSIVE: Final = "applicationsetcontroller.enable.progressive.syncs"


def problems(situation: Situation) -> Iterator[Problem]:
    argocd = situation.plan.argocd
    if not situation.central or argocd is None:
        return
    if not situation.served.find(engines.GROUP, central.KIND):
        yield Problem(
            code=MISSING,
            message="the Argo CD in the cluster serves no ApplicationSet, with which it delivers to many clusters",
            where=str(situation.cluster.about()),
            fix="install Argo CD's ApplicationSet controller and its CRD",
        )
    yield from _of_settings(situation, argocd.namespace)
    known = {known_clusters.OWN, *(one.name for one in known_clusters.listed(argocd.namespace, situation.cluster))}
    for name in situation.central:
        if name not in known:
            yield Problem(
                code=CLUSTER,
                message=f"Argo CD knows no cluster {name!r}",
                where=f"Namespace/{argocd.namespace}",
                fix=f"argocd cluster add CONTEXT --name {name}; it knows: {', '.join(sorted(known))}",
                option=f"--allow {CLUSTER}",
            )


def _of_settings(situation: Situation, namespace: str) -> Iterator[Problem]:
    """Without waiting, all pins move at once: the order of the rollout is then Argo CD's."""
    if situation.options.waits or situation.central_steps == 1:
        return
    if engine_settings.data(situation, namespace, PARAMETERS_MAP).get(_PROGRESSIVE) != "true":
        yield engine_settings.problem(
            PARAMETERS_MAP,
            namespace,
            "nothing waits for a step of the rollout, and Argo CD does it only with progressive syncs on: all clusters "
            "may change at once",
            f'set {_PROGRESSIVE}: "true" (--enable-progressive-syncs), or let deploy wait',
            Severity.WARNING,
        )
