"""The ExternalSecret (external-secrets.io/v1) that fills an expected Secret from a store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_TYPES: Final = {
    frozenset({".dockerconfigjson"}): "dockerconfigjson",
    frozenset({"tls.crt", "tls.key"}): "tls",
}
"""Types of Secrets by their keys."""


def external_secret(name: str, namespace: str, keys: Iterable[str], store: str) -> dict[str, Any]:
    """The object for a ClusterSecretStore. The store's entry has the name of the Secret, and its fields those of the keys.

    Without keys the Secret gets all of them. Logins of registries and certificates have Secrets of their own types.
    """
    properties: list[dict[str, Any]] = [{"secretKey": key, "remoteRef": {"key": name, "property": key}} for key in keys]
    kind = _TYPES.get(frozenset(entry["secretKey"] for entry in properties))
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": name, **({"template": {"type": f"kubernetes.io/{kind}"}} if kind else {})},
            **({"data": properties} if properties else {"dataFrom": [{"extract": {"key": name}}]}),
        },
    }
