"""The Secrets that an object refers to: in pods, certificates of gateways and ingresses, and the resources of operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from cluster_forge.checks.inventory import Place, spec_of
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import pod_of
from cluster_forge.stack.secret_command import PULL_KEY, TLS_KEYS

_ISSUERS: Final = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer")


class SecretReference(NamedTuple):
    """The name of a Secret in the object's own namespace, and a key in it; an empty key: the whole Secret."""

    name: str
    key: str = ""


def required(manifest: Manifest) -> Iterator[SecretReference]:
    """The Secrets without which pods do not start, or an operator cannot do its work. Optional ones are left out."""
    kind, spec = (manifest.id.group, manifest.id.kind), spec_of(manifest)
    if manifest.id.kind == "CustomResourceDefinition":
        return
    yield from _in_pod(pod_of(manifest.body))
    if "." in manifest.id.group:
        yield from _in_pod(spec.get("env"))
    if kind == ("gateway.networking.k8s.io", "Gateway"):
        yield from _of_gateway(spec)
    elif kind == ("cert-manager.io", "Issuer") and spec.get("ca"):
        yield SecretReference(str(spec["ca"].get("secretName")))
    elif kind == ("postgresql.cnpg.io", "Cluster"):
        store = (spec.get("backup") or {}).get("barmanObjectStore") or {}
        for reference in (store.get("s3Credentials") or {}).values():
            if isinstance(reference, Mapping):
                yield SecretReference(reference["name"], str(reference.get("key") or ""))


def others(manifest: Manifest) -> Iterator[SecretReference]:
    """The Secrets that an object uses and may do without: logins of registries, certificates of ingresses."""
    pod = pod_of(manifest.body) or {}
    pulls = [*_mappings(pod.get("imagePullSecrets"))]
    if (manifest.id.group, manifest.id.kind) == ("", "ServiceAccount"):
        pulls += _mappings(manifest.body.get("imagePullSecrets"))
    for pull in pulls:
        if pull.get("name"):
            yield SecretReference(str(pull["name"]), PULL_KEY)
    if (manifest.id.group, manifest.id.kind) == ("networking.k8s.io", "Ingress"):
        for tls in _mappings(spec_of(manifest).get("tls")):
            if tls.get("secretName"):
                yield from (SecretReference(str(tls["secretName"]), key) for key in TLS_KEYS)


def created_for(manifest: Manifest) -> Iterator[Place]:
    """The Secrets that cert-manager creates for an Ingress or a Gateway with the annotation for it."""
    annotations = manifest.body["metadata"].get("annotations") or {}
    if manifest.id.kind in ("Ingress", "Gateway") and any(issuer in annotations for issuer in _ISSUERS):
        for reference in (*required(manifest), *others(manifest)):
            yield manifest.id.namespace, reference.name


def _of_gateway(spec: Mapping[str, Any]) -> Iterator[SecretReference]:
    """The Secrets in a Gateway's own namespace that hold its listeners' certificates."""
    for listener in _mappings(spec.get("listeners")):
        for reference in _mappings((listener.get("tls") or {}).get("certificateRefs")):
            if not reference.get("namespace") and not reference.get("group"):
                yield SecretReference(str(reference.get("name")))


def _in_pod(value: Any) -> Iterator[SecretReference]:
    """The Secrets in a pod, except for optional ones."""
    if isinstance(value, list):
        for item in value:
            yield from _in_pod(item)
    elif isinstance(value, Mapping) and value.get("optional") is not True:
        for name, member in value.items():
            if name == "secretName" and isinstance(member, str):
                keys = [str(item["key"]) for item in _mappings(value.get("items")) if item.get("key")]
                yield from (SecretReference(member, key) for key in keys or [""])
            elif name in ("secretKeyRef", "secretRef", "secret") and isinstance(member, Mapping) and member.get("name"):
                if member.get("optional") is not True:
                    keys = [str(item["key"]) for item in _mappings(member.get("items")) if item.get("key")]
                    keys = keys or [str(member.get("key") or "")]
                    yield from (SecretReference(str(member["name"]), key) for key in keys)
            else:
                yield from _in_pod(member)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))
