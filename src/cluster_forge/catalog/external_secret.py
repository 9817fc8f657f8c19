"""The ExternalSecret (external-secrets.io/v1) that fills an expected Secret from a store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def external_secret(name: str, namespace: str, keys: Iterable[str], store: str) -> dict[str, Any]:
    """The object for a ClusterSecretStore. The store's entry has the name of the Secret, and its fields those of the keys."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": name},
            "data": [{"secretKey": key, "remoteRef": {"key": name, "property": key}} for key in keys],
        },
    }
