"""The fields of Kubernetes' own kinds that an API server does not let change once an object is there.

The API server judges, by a dry run. The list says which fields of a StatefulSet these are, where the API server only names the
others (`deploy.sh`), and compares what cannot be tried (`rollback`).

Sources: Kubernetes, ``pkg/apis/*/validation`` (``ValidateStatefulSetUpdate``, ``ValidateStorageClassUpdate``, …);
apiextensions-apiserver, ``pkg/apis/apiextensions/validation``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation import quantity
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.manifest import Body

STATEFUL_SET: Final = ("apps", "StatefulSet")
_TEMPLATES: Final = "spec.volumeClaimTemplates[*]"
_ENTRIES: Final = "[*]"
_QUANTITY: Final = ".storage"
FIELDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("", "ConfigMap"): (),
        ("", "PersistentVolume"): ("spec.volumeMode", "spec.csi.driver", "spec.csi.volumeHandle", "spec.nfs.path"),
        ("", "PersistentVolumeClaim"): (
            "spec.accessModes",
            "spec.storageClassName",
            "spec.volumeMode",
            "spec.volumeName",
        ),
        ("", "Secret"): ("type",),
        ("", "Service"): ("spec.clusterIP",),
        CRD: ("spec.scope", "spec.names.kind"),
        ("apps", "DaemonSet"): ("spec.selector",),
        ("apps", "Deployment"): ("spec.selector",),
        ("apps", "ReplicaSet"): ("spec.selector",),
        STATEFUL_SET: (
            "spec.podManagementPolicy",
            "spec.selector",
            "spec.serviceName",
            f"{_TEMPLATES}.metadata.name",
            f"{_TEMPLATES}.spec.accessModes",
            f"{_TEMPLATES}.spec.resources.requests.storage",
            f"{_TEMPLATES}.spec.storageClassName",
        ),
        ("discovery.k8s.io", "EndpointSlice"): ("addressType",),
        ("networking.k8s.io", "IngressClass"): ("spec.controller",),
        ("node.k8s.io", "RuntimeClass"): ("handler",),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef.kind", "roleRef.name"),
        ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef.kind", "roleRef.name"),
        ("scheduling.k8s.io", "PriorityClass"): ("preemptionPolicy", "value"),
        ("storage.k8s.io", "CSIDriver"): ("spec.attachRequired", "spec.volumeLifecycleModes"),
        ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    }
)
"""Group and kind, and the paths of the fields as JSONPath; ``[*]`` are the entries of a list. Jobs and Pods are not in it: a
deployment replaces them. Values that the API server completes are listed field by field. ConfigMaps and Secrets cannot change at
all if they say so themselves (``immutable: true``)."""
REFUSED: Final = (
    "immutable|cannot change|may not (be )?changed?|updates? to .* (is|are) forbidden|updates? to .* other than"
)
"""How the validation says that a field cannot change: its ``field.Error`` has no type for that. An extended regular
expression as Python and grep read it."""


def changed(live: Body, wanted: Body) -> tuple[str, ...]:
    """The listed fields that both have, with different values, up to the list that they are in: ``spec.serviceName``."""
    different = {
        path.partition(_ENTRIES)[0]
        for path in _paths(wanted)
        if _differ(picked(live, path), picked(wanted, path), is_quantity=path.endswith(_QUANTITY))
    }
    return tuple(sorted(different))


def trimmed(body: Body) -> Body:
    """The object with its identity and its listed fields only."""
    metadata = {key: body["metadata"][key] for key in ("name", "namespace") if key in body["metadata"]}
    kept: dict[str, Any] = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": metadata}
    for path in _paths(body):
        put(kept, body, path)
    return kept


def picked(value: Any, path: str) -> Any:
    """The value at a path; for the entries of a list a list of theirs. None where there is none."""
    before, entries, after = path.partition(_ENTRIES)
    for key in filter(None, before.split(".")):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not entries:
        return value
    return [picked(entry, after) for entry in value] if isinstance(value, list) else None


def put(kept: dict[str, Any], body: Body, path: str) -> None:
    """Copy what ``body`` has at a path into ``kept``."""
    before, entries, after = path.partition(_ENTRIES)
    value = picked(body, before)
    if value is None:
        return
    *above, last = filter(None, before.split("."))
    for key in above:
        kept = kept.setdefault(key, {})
    if not entries:
        kept[last] = value
    elif isinstance(value, list):
        listed = kept.setdefault(last, [{} for _ in value])
        for entry, original in zip(listed, value, strict=True):
            put(entry, original, after)


def _paths(body: Body) -> tuple[str, ...]:
    group, slash, _ = body["apiVersion"].rpartition("/")
    return FIELDS.get((group if slash else "", body["kind"]), ())


def _differ(live: Any, wanted: Any, *, is_quantity: bool) -> bool:
    """Whether both are there and not the same; in lists, entry by entry."""
    if live is None or wanted is None:
        return False
    if isinstance(live, list) and isinstance(wanted, list):
        pairs = zip(live, wanted, strict=False)
        return len(live) != len(wanted) or any(_differ(*pair, is_quantity=is_quantity) for pair in pairs)
    if is_quantity:
        return _parsed(live) != _parsed(wanted)
    return bool(live != wanted)


def _parsed(value: Any) -> Decimal | str:
    try:
        return quantity.parse(value)
    except (TypeError, ValueError):
        return str(value)
