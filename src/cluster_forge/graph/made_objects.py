"""The objects that an object leads to at run time: a controller makes them, and no manifest has them.

What operators make of their custom resources is said by components (``operates``); what is here follows from the API of a
kind alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.graph.reference import Target
from cluster_forge.manifests.manifest import Manifest

_CLAIM, _SECRET = ("", "PersistentVolumeClaim"), ("", "Secret")
_ISSUERS: Final = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer")
_TLS: Final = frozenset({("networking.k8s.io", "Ingress"), ("gateway.networking.k8s.io", "Gateway")})
_MOST_REPLICAS: Final = 1000

_SECRETS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("cert-manager.io", "Certificate"): ("spec", "secretName"),
        ("cert-manager.io", "Issuer"): ("spec", "acme", "privateKeySecretRef", "name"),
        ("external-secrets.io", "ExternalSecret"): ("spec", "target", "name"),
        ("bitnami.com", "SealedSecret"): ("spec", "template", "metadata", "name"),
    }
)
"""Where a kind has the name of the Secret that its controller makes."""
_NAMESAKES: Final = frozenset({("external-secrets.io", "ExternalSecret"), ("bitnami.com", "SealedSecret")})
"""Kinds whose Secret is called like the object where it says nothing else."""


def of(manifest: Manifest) -> Iterator[Target]:
    """What a controller makes of ``manifest``: Secrets, and the claims of a StatefulSet."""
    kind, namespace = (manifest.id.group, manifest.id.kind), manifest.id.namespace
    if kind in _SECRETS:
        name = _text(manifest, _SECRETS[kind]) or (manifest.id.name if kind in _NAMESAKES else "")
        if name:
            yield (*_SECRET, namespace, name)
    elif kind in _TLS:
        yield from ((*_SECRET, namespace, name) for name in _of_tls(manifest))
    elif kind == ("apps", "StatefulSet"):
        yield from ((*_CLAIM, namespace, name) for name in _claims(manifest))


def _text(manifest: Manifest, path: tuple[str, ...]) -> str:
    value: object = manifest.body
    for step in path:
        value = mapping(value).get(step)
    return value if isinstance(value, str) else ""


def _of_tls(manifest: Manifest) -> Iterator[str]:
    """The Secrets that an issuer fills for an Ingress or a Gateway with the annotation for it."""
    annotations = mapping(mapping(manifest.body.get("metadata")).get("annotations"))
    if not any(issuer in annotations for issuer in _ISSUERS):
        return
    spec = mapping(manifest.body.get("spec"))
    for tls in map(mapping, sequence(spec.get("tls"))):
        if isinstance(name := tls.get("secretName"), str):
            yield name
    for listener in map(mapping, sequence(spec.get("listeners"))):
        for reference in map(mapping, sequence(mapping(listener.get("tls")).get("certificateRefs"))):
            if isinstance(name := reference.get("name"), str):
                yield name


def _claims(manifest: Manifest) -> Iterator[str]:
    """The names of a StatefulSet's claims (Kubernetes, "StatefulSets", "Stable Storage")."""
    spec = mapping(manifest.body.get("spec"))
    replicas = spec.get("replicas", 1)
    start = mapping(spec.get("ordinals")).get("start", 0)
    first = start if isinstance(start, int) else 0
    count = min(replicas, _MOST_REPLICAS) if isinstance(replicas, int) else 1
    for template in map(mapping, sequence(spec.get("volumeClaimTemplates"))):
        name = mapping(template.get("metadata")).get("name")
        yield from (f"{name}-{manifest.id.name}-{number}" for number in range(first, first + count))
