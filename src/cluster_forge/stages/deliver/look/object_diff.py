"""What applying an object would change in a cluster.

The API server says what each object would be, by a dry run of server-side apply: so its defaults and
what webhooks add do not count (Kubernetes, "Server-Side Apply", "API Concepts: Dry-run"). The dry run takes the fields of
other managers: a value that another manager has set is a difference, a field that the stack does not set is not.
"""

from __future__ import annotations

from typing import Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.comparison import comparable, objects
from cluster_forge.manifests.comparison.objects import ObjectDifference
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import PartObject
from cluster_forge.ports.cluster import ApplyOptions, Cluster

STAYS: Final = "stays in the cluster: data would be lost with it"
"""The remark of an object that has left the stack and is not pruned."""
_NOT_FOUND: Final = 404
_NO_PERMISSION: Final = " cannot patch resource "
"""What RBAC's refusal of the request says, and no refusal of an admission plug-in (status 403, too)."""


def of(
    item: PartObject, component: str, before: Body | None, manager: str, cluster: Cluster
) -> ObjectDifference | None:
    """What ``manager`` would change in an object, which is in the cluster as ``before``.

    Raises:
        ClusterError, RefusedError: if the cluster does not say.
    """
    after: Body | None = item.body
    remark = ""
    try:
        if before is not None:
            after = comparable.autoscaled(before, _applied(item.body, manager, cluster))
    except RefusedError as error:
        if _NO_PERMISSION in error.message:
            raise
        if error.status != _NOT_FOUND:  # it was deleted meanwhile
            after, remark = before, f"the cluster refuses it: {error.message}"
    return objects.compared(item.id, component, before, after, remark=remark)


def _applied(body: Body, manager: str, cluster: Cluster) -> Body:
    return cluster.apply(body, ApplyOptions(manager=manager, force=True, is_trial=True)).body
