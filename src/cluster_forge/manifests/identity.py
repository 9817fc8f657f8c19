"""The identity of an object: group, kind, namespace and name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"[a-z0-9.-]*\Z")
_LONGEST = 200
WITH_DATA = frozenset(
    {
        ("", "Namespace"),
        ("", "PersistentVolumeClaim"),
        ("", "PersistentVolume"),
        ("snapshot.storage.k8s.io", "VolumeSnapshot"),
        ("snapshot.storage.k8s.io", "VolumeSnapshotContent"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)
"""Group and kind of the objects that hold data; `gitops/scripts/ownership.sh` has the same list."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class ObjectId:
    """An object's identity; ``group`` is empty for the core API, ``namespace`` for cluster-scoped objects.

    The version does not belong to it: ``apps/v1`` and ``apps/v1beta1`` are two views of one object.
    """

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> ObjectId:
        """The identity of a well-formed object, namespace as written.

        The API server names an object with ``generateName`` alone when it creates it, so two of them are two objects:
        a digest of the content stands for the rest of the name.
        """
        metadata = body["metadata"]
        return cls(
            group=group_of(body["apiVersion"]),
            kind=body["kind"],
            namespace=metadata.get("namespace") or "",
            name=metadata.get("name") or _generated(metadata.get("generateName") or "", body),
        )

    def __str__(self) -> str:
        """As kubectl writes it: ``Deployment.apps/shop/web``, ``Namespace/shop``."""
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind}/{self.namespace}/{self.name}" if self.namespace else f"{kind}/{self.name}"

    @property
    def holds_data(self) -> bool:
        """Whether data is lost with the object: a Namespace with its objects, a CRD with those of its kind, a volume, a snapshot."""
        return (self.group, self.kind) in WITH_DATA

    def to_plain(self) -> list[str]:
        return [self.group, self.kind, self.namespace, self.name]

    @classmethod
    def from_plain(cls, value: object) -> ObjectId:
        """Read what `to_plain` gave.

        Raises:
            ValueError: for anything else.
        """
        match value:
            case [str(group), str(kind), str(namespace), str(name)]:
                return cls(group=group, kind=kind, namespace=namespace, name=name)
        raise ValueError(f"not [group, kind, namespace, name]: {value!r}")

    @property
    def file_name(self) -> str:
        """The object's file: ``deployment.apps_shop_web.yaml``, ``namespace_shop.yaml``.

        Derived from the identity alone. Two identities share a name only if their kinds differ in case only, which no
        API server serves: the plurals would collide. ``_`` joins the parts, so it is escaped inside them, as are
        characters that a file system may not distinguish (capitals) or allow (colons): ``~`` and hex digits.
        """
        kind = self.kind.lower() + (f".{self.group}" if self.group else "")
        parts = (kind, self.namespace, self.name) if self.namespace else (kind, self.name)
        stem = "_".join(_escape(part) for part in parts)
        if len(stem) > _LONGEST:
            stem = f"{stem[:_LONGEST]}~~{hashlib.sha256(stem.encode()).hexdigest()[:16]}"
        return f"{stem}.yaml"


def group_of(api_version: str) -> str:
    """The group in ``group/version``; empty for the core API's bare ``v1``."""
    group, slash, _ = api_version.rpartition("/")
    return group if slash else ""


def _generated(prefix: str, body: Mapping[str, Any]) -> str:
    if not prefix:
        return ""
    return prefix + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:10]


def _escape(part: str) -> str:
    if _PLAIN.match(part):
        return part
    return "".join(
        char if _PLAIN.match(char) else "".join(f"~{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in part
    )
