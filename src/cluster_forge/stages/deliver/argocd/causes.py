"""Why an Application is not ready, in the words of `deploy` and of `status`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops.argocd.application_state import ApplicationState
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import trouble

_MOST_LOOKED_AT, _MOST_SAID = 20, 5
"""Objects of an Application. Argo CD 3 may not say which are well, so that more are looked at than said."""


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
    """Objects that no controller has answered: Argo CD may wait for an Ingress's address, or for a route to be accepted, where
    the cluster calls nothing unready (Argo CD, ``resource_customizations``, and gitops-engine, ``health_ingress.go``).
    """
    for target in state.unwell:
        kind = cluster.served().find(target.group, target.kind)
        if kind and "status" in kind.subresources and _is_unanswered(target, cluster):
            yield f"{target}: its status is empty: no controller has taken it up"


def _is_unanswered(target: ObjectId, cluster: Cluster) -> bool:
    try:
        live = cluster.get(target)
    except (ClusterError, RefusedError):
        return False
    return live is not None and not any(mapping(live.get("status")).values())
