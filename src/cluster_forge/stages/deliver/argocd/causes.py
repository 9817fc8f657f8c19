"""Why an Application is not ready, in the words of `deploy` and of `status`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops.argocd.application_state import ApplicationState
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.kubernetes_apis import is_built_in
from cluster_forge.ports.cluster import Cluster, ServedKinds
from cluster_forge.stages.deliver import trouble

_MOST_LOOKED_AT, _MOST_SAID = 20, 5
"""Objects of an Application. Argo CD 3 may not say which are well, so that more are looked at than said."""
_INGRESS: Final = ("networking.k8s.io", "Ingress")


def of(state: ApplicationState, cluster: Cluster) -> tuple[str, ...]:
    """What its objects lack, as the cluster says it, then what Argo CD says: of its operation, conditions and objects.

    Nothing for an Application that is ready. The cause comes first, and what follows from it later.
    """
    if state.is_ready:
        return ()
    objects = tuple(islice(_of_objects(state, cluster), _MOST_SAID))
    if not (objects or state.messages or state.is_operating):
        objects = tuple(islice(_without_status(state, cluster), _MOST_SAID))
    return tuple(dict.fromkeys((*objects, *state.messages)))


def _of_objects(state: ApplicationState, cluster: Cluster) -> Iterator[str]:
    for target in state.unwell[:_MOST_LOOKED_AT]:
        if (cause := trouble.cause(target, cluster)) and cause.sentence:
            yield str(cause)


def _without_status(state: ApplicationState, cluster: Cluster) -> Iterator[str]:
    """Ingresses and custom resources that no controller has answered: Argo CD may wait for an address, or for a route to be
    accepted, where the cluster calls nothing unready (Argo CD, ``resource_customizations``, and gitops-engine,
    ``health_ingress.go``). Other built-in kinds may have an empty status for ever: a Service, a CronJob.
    """
    served = cluster.served()
    for target in islice((one for one in state.unwell if _is_answered_late(one, served)), _MOST_LOOKED_AT):
        if _is_unanswered(target, cluster):
            yield f"{target}: its status is empty: no controller has taken it up"


def _is_answered_late(target: ObjectId, served: ServedKinds) -> bool:
    kind = served.find(target.group, target.kind)
    is_asked = (target.group, target.kind) == _INGRESS or not is_built_in(target.group)
    return is_asked and kind is not None and "status" in kind.subresources


def _is_unanswered(target: ObjectId, cluster: Cluster) -> bool:
    try:
        live = cluster.get(target)
    except (ClusterError, RefusedError):
        return False
    return live is not None and not any(mapping(live.get("status")).values())
