"""Why an Application is not ready, in the words of `deploy` and of `status`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from cluster_forge.gitops.argocd.application_state import ApplicationState
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
    return tuple(dict.fromkeys((*islice(_of_objects(state, cluster), _MOST_SAID), *state.messages)))


def _of_objects(state: ApplicationState, cluster: Cluster) -> Iterator[str]:
    for target in state.unwell[:_MOST_LOOKED_AT]:
        if (cause := trouble.cause(target, cluster)) and cause.sentence:
            yield str(cause)
