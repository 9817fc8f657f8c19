"""What a stack requires of the cluster before its first object: kinds that others define, and Secrets that people create."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stack.model import Stack

_API_SERVICE = ("apiregistration.k8s.io", "APIService")
_MAKES_SECRETS = frozenset({("", "Secret"), ("external-secrets.io", "ExternalSecret"), ("bitnami.com", "SealedSecret")})
_FIRST_LINE = re.compile(rb"apiVersion: ([A-Za-z0-9./-]+)\n")
_KEY = re.compile(r"[-._a-zA-Z0-9]+\Z")


def apis(parts: Sequence[Part]) -> tuple[str, ...]:
    """The kinds that the objects have and that the stack does not define: ``apps/v1/Deployment``, ``v1/Secret``, sorted.

    A CRD defines the versions that it serves, an APIService all kinds of its group and version.
    """
    objects = [item for part in parts for item in part.objects]
    used = {f"{_api_version(item)}/{item.id.kind}" for item in objects}
    kinds = {item.kind for item in objects}
    defined = {api for item in objects if item.kind == CRD and _may_define(item, kinds) for api in _defined(item.body)}
    served = {_group_version(item.id.name) for item in objects if item.kind == _API_SERVICE}
    return tuple(sorted(api for api in used - defined if api.rpartition("/")[0] not in served))


def secrets(stack: Stack, parts: Sequence[Part]) -> tuple[ExpectedSecret, ...]:
    """The Secrets that the stack's parts expect and that none of its objects makes, by namespace and name.

    One that several components expect has the keys of all of them.
    """
    created = {_secret(item) for part in parts for item in part.objects if item.kind in _MAKES_SECRETS}
    delivered = {part.name for part in parts}
    expected: dict[tuple[str, str], ExpectedSecret] = {}
    for component in stack.components:
        for secret in component.secrets if component.name in delivered else ():
            place = secret.namespace, secret.name
            known = expected.get(place, secret)
            expected[place] = replace(known, keys={**known.keys, **secret.keys})
    return tuple(expected[place] for place in sorted(expected) if place not in created)


def keys(secret: ExpectedSecret) -> tuple[str, ...]:
    """The keys that can exist: the API server allows letters, digits and ``-._``."""
    return tuple(key for key in secret.keys if _KEY.match(key))


def check_names(objects: Iterable[PartObject]) -> None:
    """Every object that kubectl applies has a name of its own.

    Raises:
        ManifestError, ExceptionGroup: for objects with ``generateName`` (kubectl: "cannot use generate name with apply").
    """
    raise_all(
        ManifestError(
            f"{item.id} has generateName and no name: kubectl cannot apply it",
            where=f"working/{item.path}",
            fix="give it `metadata.name`, or deliver the stack with Argo CD (`gitops: {engine: argocd}`)",
        )
        for item in objects
        if b"generateName" in item.content and not (item.body.get("metadata") or {}).get("name")
    )


def _api_version(item: PartObject) -> str:
    """From the first line, as every object is written; else from the tree, which takes parsing."""
    first = _FIRST_LINE.match(item.content)
    return first[1].decode() if first else str(item.body["apiVersion"])


def _may_define(crd: PartObject, kinds: Collection[tuple[str, str]]) -> bool:
    """Whether the CRD may define one of the ``kinds``: the others, which are most, need no parsing."""
    own = crd.id.name.partition(".")[2]
    return any(group == own and kind.encode() in crd.content for group, kind in kinds)


def _group_version(api_service: str) -> str:
    """``metrics.k8s.io/v1`` for the APIService ``v1.metrics.k8s.io``."""
    version, _, group = api_service.partition(".")
    return f"{group}/{version}"


def _defined(crd: Mapping[str, Any]) -> Iterator[str]:
    spec = crd.get("spec") or {}
    kind = (spec.get("names") or {}).get("kind")
    for version in spec.get("versions") or ():
        if version.get("served", True):
            yield f"{spec.get('group')}/{version.get('name')}/{kind}"


def _secret(item: PartObject) -> tuple[str, str]:
    """Namespace and name of the Secret that the object is or becomes."""
    if item.id.kind != "ExternalSecret":
        return item.id.namespace, item.id.name
    target = (item.body.get("spec") or {}).get("target") or {}
    return item.id.namespace, target.get("name") or item.id.name
