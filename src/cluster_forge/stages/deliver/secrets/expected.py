"""Making the Secrets that a stack expects. A value that is in the cluster already is never replaced by another one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.comparison import masking
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ApplyOptions, Cluster, Patch
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stack.secret_command import PULL_KEY, TLS_KEYS
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver.secrets.given import GivenSecrets

MANAGER: Final = "cluster-forge-secrets"
"""Another manager than that of the stack's objects: no deployment without the values takes a key away."""


_STAYS: Final = "it has values from --secrets; delete it if nothing needs them any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Keys for a Secret; ``is_new``: it is not there yet."""

    secret: ExpectedSecret
    keys: Mapping[str, bytes] = field(repr=False)
    is_new: bool


def make(expected: Iterable[ExpectedSecret], given: GivenSecrets, cluster: Cluster) -> tuple[str, ...]:
    """Create what is missing; for each Secret that was created or got keys: its identity and the names of these keys.

    Raises:
        ClusterError, RefusedError: if the API server does not take a Secret. No message has a value.
    """
    changes = list(_changes(expected, given, cluster))
    for namespace in sorted({change.secret.namespace for change in changes if change.is_new}):
        creation.create_namespace(namespace, cluster)
    for change in changes:
        _apply(change, cluster)
    return tuple(f"{_id(change.secret)}: {', '.join(sorted(change.keys))}" for change in changes)


def left(expected: Iterable[ExpectedSecret], cluster: Cluster) -> tuple[tuple[ObjectId, str], ...]:
    """The Secrets that `make` has made and that are in the cluster, each with the reason why a removal leaves it."""
    return tuple((target, _STAYS) for target in map(_id, expected) if _is_made(cluster.get(target)))


def replaced(given: Mapping[str, bytes], live: Body | None) -> list[str]:
    """The keys that are in the cluster with other values."""
    there = (live or {}).get("data") or {}
    return sorted(key for key, value in given.items() if key in there and _decoded(there[key]) != value)


def _changes(expected: Iterable[ExpectedSecret], given: GivenSecrets, cluster: Cluster) -> Iterator[_Change]:
    for secret in expected:
        if values := given.of(secret):
            live = cluster.get(_id(secret))
            there = (live or {}).get("data") or {}
            if missing := {key: value for key, value in values.items() if key not in there}:
                yield _Change(secret=secret, keys=missing, is_new=live is None)


def _is_made(live: Body | None) -> bool:
    entries = live["metadata"].get("managedFields") if live else None
    return any(entry.get("manager") == MANAGER for entry in entries or ())


def _apply(change: _Change, cluster: Cluster) -> None:
    secret = change.secret
    data = {key: base64.b64encode(value).decode() for key, value in change.keys.items()}
    metadata = {"name": secret.name, "namespace": secret.namespace}
    new = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": _type(data), "data": data}
    try:
        if change.is_new:
            cluster.apply(new, ApplyOptions(manager=MANAGER))
        else:  # an apply of these keys alone would take the other ones of this manager away
            cluster.patch(_id(secret), {"data": data}, Patch.MERGE, manager=MANAGER)
    except RefusedError as error:  # which may quote the object
        message = masking.without(error.message, masking.values(new))
        raise RefusedError(
            message, where=str(_id(secret)), fix=error.fix, status=error.status, reason=error.reason
        ) from None


def _type(keys: Iterable[str]) -> str:
    """As ``kubectl create secret`` chooses it."""
    if set(keys) == set(TLS_KEYS):
        return "kubernetes.io/tls"
    return "kubernetes.io/dockerconfigjson" if set(keys) == {PULL_KEY} else "Opaque"


def _decoded(value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return None


def _id(secret: ExpectedSecret) -> ObjectId:
    return ObjectId(group="", kind="Secret", namespace=secret.namespace, name=secret.name)
