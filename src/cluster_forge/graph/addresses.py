"""The Services that objects call by their addresses in the cluster: ``http://loki.logging.svc:3100``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.reference import Strength, Target
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.manifest import Manifest

_MARK: Final = b".svc"
_ADDRESS: Final = re.compile(rb"(?<![\w.-])([a-z][a-z0-9-]{0,62})\.([a-z0-9][a-z0-9-]{0,62})\.svc(?![\w-])")


def edges(manifests: Sequence[Manifest], objects: Mapping[Target, Manifest]) -> Iterator[Edge]:
    """From objects to the Services whose addresses are anywhere in their text. They only inform."""
    for manifest in manifests:
        if manifest.id.kind == CRD_KIND or _MARK not in (content := manifest.document.json):
            continue
        for name, namespace in sorted(set(_ADDRESS.findall(content))):
            service = objects.get(("", "Service", namespace.decode(), name.decode()))
            if service is not None and service is not manifest:
                detail = f"{name.decode()}.{namespace.decode()}.svc"
                yield Edge(
                    source=manifest, target=service, reason=Reason.CALLS, strength=Strength.INFORMS, detail=detail
                )
