"""The clusters that an Argo CD delivers to, each described by a Secret (Argo CD, "Clusters" in "Declarative Setup")."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops.argocd import application_state
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ClusterReader, Query

KIND: Final[Mapping[str, str]] = {"argocd.argoproj.io/secret-type": "cluster"}
"""The label of such a Secret."""
OWN: Final = "in-cluster"
"""What Argo CD calls the cluster that it runs in, unless a Secret names it."""
_LABEL: Final = "=".join(*KIND.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCluster:
    """A cluster by its name and its address; ``secret`` describes it. ``is_paused``: from 3.4 on Argo CD looks at no Application
    of it (``IsManagedCluster`` in ``controller/sharding/cache.go``).
    """

    name: str
    server: str
    secret: Body
    is_paused: bool

    @property
    def id(self) -> ObjectId:
        """That of the Secret."""
        return ObjectId.of(self.secret)


def listed(namespace: str, cluster: ClusterReader) -> Iterator[KnownCluster]:
    """Those of the Argo CD in ``namespace``. Nothing else is taken from the Secrets, which have the logins.

    Raises:
        ClusterError, RefusedError: if the cluster does not say.
    """
    query = Query(group="", kind="Secret", namespace=namespace, labels=_LABEL)
    for body in cluster.list(query).items:
        data = mapping(body.get("data"))
        yield KnownCluster(
            name=_decoded(data.get("name")),
            server=_decoded(data.get("server")),
            secret={"apiVersion": "v1", "kind": "Secret", "metadata": body["metadata"]},
            is_paused=application_state.is_paused(body),
        )


def _decoded(text: object) -> str:
    try:
        return base64.b64decode(text, validate=True).decode() if isinstance(text, str) else ""
    except ValueError:
        return ""
