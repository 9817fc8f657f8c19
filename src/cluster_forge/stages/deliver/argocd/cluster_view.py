"""Argo CD's view of its cluster, which it builds again when it is asked to, as by "Invalidate cache" in its user interface.

The request is an annotation with the time on the Secret that describes the cluster (Argo CD, "Cluster Bootstrapping";
``RefreshRequestedAt`` in ``types.go``, ``handleModEvent`` in ``controller/cache/cache.go``). For the cluster in which it runs Argo CD needs no
such Secret; the button makes one, which stays. Here it is there for a moment: when it goes, Argo CD takes its defaults again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.plan import ArgoCdPlan
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ApplyOptions, Patch
from cluster_forge.stages.deliver.argocd import known_clusters
from cluster_forge.stages.deliver.argocd.operations import REFRESH
from cluster_forge.stages.deliver.tools import DeliverTools

_NAME: Final = "cluster-forge-refresh"
_SEEN_SECONDS: Final = 2.0
"""Argo CD watches its Secrets."""
_QUIET_SECONDS: Final = 5.0
"""After the last new CRD. Argo CD 3.5 also looks for the kinds of each new API group by itself, again and again until it has
them, and would crash if it did so while its view is not there (argo-cd#28289; ``reconcileAPIServiceWatches`` and ``Invalidate``
in gitops-engine's ``pkg/cache/cluster.go``)."""


def forget_once_quiet(argocd: ArgoCdPlan, tools: DeliverTools, since: float) -> None:
    """The same as `forget`, when Argo CD has found the API groups of the CRDs that have been there ``since`` (`Clock.monotonic`)."""
    tools.clock.sleep(max(0.0, since + _QUIET_SECONDS - tools.clock.monotonic()))
    forget(argocd, tools)


def forget(argocd: ArgoCdPlan, tools: DeliverTools) -> None:
    """Ask for it. Who may not write Secrets there waits for Argo CD as it is, which is slower.

    An event of a CRD that waits in the old view may still come into the new one, and make the CRD there as it was before it was
    established: the old watch sees that it has ended at one of its next events only (``watchEvents``, in the same file). Argo CD
    itself would see that after ten minutes (``watchResyncTimeout``).
    """
    with suppress(RefusedError):
        annotations = {REFRESH: datetime.fromtimestamp(tools.clock.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        if known := _known(argocd, tools):
            change = {"metadata": {"annotations": annotations}}
            tools.cluster.patch(known, change, Patch.MERGE, manager=FIELD_MANAGER)
            return
        secret = _secret(argocd.namespace, annotations)
        tools.cluster.apply(secret, ApplyOptions(manager=FIELD_MANAGER))
        try:
            tools.clock.sleep(_SEEN_SECONDS)
        finally:
            tools.cluster.delete(ObjectId.of(secret))


def _known(argocd: ArgoCdPlan, tools: DeliverTools) -> ObjectId | None:
    """The Secret that describes this cluster, if there is one of others."""
    listed = known_clusters.listed(argocd.namespace, tools.cluster)
    return next((one.id for one in listed if one.server == applications.CLUSTER and one.id.name != _NAME), None)


def _secret(namespace: str, annotations: Mapping[str, str]) -> Body:
    """What Argo CD takes for the cluster without such a Secret: its name, and no login."""
    data = {"name": "in-cluster", "server": applications.CLUSTER, "config": '{"tlsClientConfig":{"insecure":false}}'}
    metadata = {"name": _NAME, "namespace": namespace, "labels": dict(known_clusters.KIND), "annotations": annotations}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}
