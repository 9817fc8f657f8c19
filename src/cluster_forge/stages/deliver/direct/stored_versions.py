"""CRDs that lose a version in which objects may be stored: the API server refuses them, as it could not read these objects.

Source: Kubernetes, "Versions in CustomResourceDefinitions", "Upgrade existing objects to a new stored version".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests import immutable_fields
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ClusterReader, Query
from cluster_forge.stages.deliver.direct import refusals

_STORED: Final = "status.storedVersions"
_VERSIONS: Final = "spec.versions[*].name"


def lost(live: Body, wanted: Body, error: RefusedError) -> Sequence[str]:
    """The versions for which a CRD was refused: ``v1alpha1``; none if it was for something else."""
    if not any(path.startswith(_STORED) for path in refusals.invalid_fields(error)):
        return ()
    kept = set(map(str, immutable_fields.picked(wanted, _VERSIONS) or ()))
    return [str(name) for name in immutable_fields.picked(live, _STORED) or () if name not in kept]


def has_objects(live: Body, cluster: ClusterReader) -> bool:
    """Whether there are objects of the kind that a CRD defines."""
    spec = live["spec"]
    query = Query(group=str(spec["group"]), kind=str(spec["names"]["kind"]), metadata_only=True)
    return bool(cluster.list(query).items)


def message(versions: Sequence[str]) -> str:
    return f"objects may be stored in version {', '.join(versions)}, which the new CRD does not have"


def fix(live: Body, *, with_objects: bool) -> str:
    """What helps beside ``--recreate``, which is for CRDs without objects."""
    plural = live["spec"]["names"]["plural"]
    if with_objects:
        return (
            f"deploy a version that has both first, have all {plural} stored in the newer one, and take the older one out of "
            f"{_STORED}"
        )
    return f"there are no {plural}: the CRD can be deleted and created again"


def check(target: ObjectId, live: Body, versions: Sequence[str], cluster: ClusterReader, *, may_recreate: bool) -> None:
    """Check that the CRD may be deleted and created again.

    Raises:
        RefusedError: if objects would go along, or the user has not asked for it.
    """
    with_objects = has_objects(live, cluster)
    if with_objects or not may_recreate:
        way = "" if with_objects else ", with --recreate"
        raise RefusedError(
            message(versions), where=str(target), fix=f"{fix(live, with_objects=with_objects)}{way}", status=422
        )
