"""Creating objects that may be there already."""

from __future__ import annotations

from http import HTTPStatus

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ClusterWriter


def create(body: Body, cluster: ClusterWriter) -> bool:
    """Create an object; False if one of its name is there already, which stays as it is.

    Raises:
        ClusterError, RefusedError: if the cluster does not answer, or does not take it.
    """
    try:
        cluster.create(body)
    except RefusedError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        return False
    return True


def create_namespace(name: str, cluster: ClusterWriter) -> bool:
    """Create a Namespace; False if it is there already.

    Raises:
        ClusterError, RefusedError: as `create`.
    """
    return create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, cluster)
