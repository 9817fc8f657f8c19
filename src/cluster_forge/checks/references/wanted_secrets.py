"""Secrets without which pods do not start, or an operator cannot do its work, are in the stack or expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import missing
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import pod_of

_FIX: Final = "list it under `secrets` (`cluster-forge secrets list` then shows how to create it), or correct the name"


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if manifest.id.kind == "CustomResourceDefinition":
        return
    for name in sorted(set(_wanted(manifest))):
        if (manifest.id.namespace, name) not in inventory.secrets:
            yield missing.finding(manifest, f"no such Secret: {name}", fix=_FIX)


def _wanted(manifest: Manifest) -> Iterator[str]:
    yield from _in_pod(pod_of(manifest.body))
    kind, spec = (manifest.id.group, manifest.id.kind), spec_of(manifest)
    if "." in manifest.id.group:
        yield from _in_pod(spec.get("env"))
    if kind == ("gateway.networking.k8s.io", "Gateway"):
        yield from _certificates(spec)
    elif kind == ("cert-manager.io", "Issuer") and spec.get("ca"):
        yield str(spec["ca"].get("secretName"))
    elif kind == ("postgresql.cnpg.io", "Cluster"):
        store = (spec.get("backup") or {}).get("barmanObjectStore") or {}
        for reference in (store.get("s3Credentials") or {}).values():
            if isinstance(reference, Mapping):
                yield reference["name"]


def _certificates(gateway: Mapping[str, Any]) -> Iterator[str]:
    """The Secrets in a Gateway's own namespace that hold its listeners' certificates."""
    for listener in gateway.get("listeners") or ():
        for reference in (listener.get("tls") or {}).get("certificateRefs") or ():
            if not reference.get("namespace") and not reference.get("group"):
                yield str(reference.get("name"))


def _in_pod(value: Any) -> Iterator[str]:
    """The names of Secrets in a pod, except for optional ones."""
    if isinstance(value, list):
        for item in value:
            yield from _in_pod(item)
    elif isinstance(value, Mapping) and value.get("optional") is not True:
        for key, member in value.items():
            if key == "secretName" and isinstance(member, str):
                yield member
            elif key in ("secretKeyRef", "secretRef", "secret") and isinstance(member, Mapping) and member.get("name"):
                if member.get("optional") is not True:
                    yield member["name"]
            else:
                yield from _in_pod(member)
