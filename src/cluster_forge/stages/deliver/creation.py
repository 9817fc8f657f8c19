"""Creating objects that may be there already, also where the answer of the API server is lost."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.manifests.comparison import containment
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster

_ATTEMPTS: Final = 3
_UNSURE: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""What a gateway answers that does not know what became of the request."""


def create(body: Body, cluster: Cluster) -> bool:
    """Create an object; False if another one of its name is there already, which stays as it is.

    Where the answer is lost, the object is created again, and what has its name by then is ours if it has all of ``body``.

    Raises:
        ClusterError, RefusedError: if the cluster does not answer, or does not take it.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            cluster.create(body)
        except RefusedError as error:
            if error.status == HTTPStatus.CONFLICT:
                return attempt > 1 and containment.is_within(body, cluster.get(ObjectId.of(body)))
            if attempt == _ATTEMPTS or error.status not in _UNSURE:
                raise
        except ClusterError as error:
            if attempt == _ATTEMPTS or error.is_lasting:
                raise
        else:
            return True


def create_namespace(name: str, cluster: Cluster) -> bool:
    """Create a Namespace; False if it is there already.

    Raises:
        ClusterError, RefusedError: as `create`.
    """
    return create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, cluster)
