"""What is delivered: the parts of a stack, each with its wave and its objects as they lie in the repository."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

PRE_INSTALL = frozenset({"pre-install", "crd-install"})
POST_INSTALL = frozenset({"post-install"})
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartObject:
    """One object as it lies in the repository.

    ``path`` is relative to the repository's root (``grafana/deployment.apps_monitoring_grafana.yaml``), ``content`` its
    one YAML document and ``known`` that one's digest, ``body`` the same as a tree where somebody has parsed it, ``hook``
    the value of ``helm.sh/hook``.
    """

    id: ObjectId
    path: str
    content: bytes
    body: Body | None = None
    hook: str = ""
    hook_weight: int = 0
    known: Digest | None = None

    @property
    def digest(self) -> Digest:
        """The digest of its document."""
        return self.known or Digest.of(self.content)

    @property
    def kind(self) -> tuple[str, str]:
        """Group and kind."""
        return (self.id.group, self.id.kind)

    @property
    def events(self) -> frozenset[str]:
        """The Helm events that it is a hook for; empty for an ordinary object."""
        return frozenset(event.strip() for event in self.hook.split(",") if event.strip())

    @property
    def labels(self) -> Mapping[str, Any]:
        """Its labels, where the body is known."""
        return ((self.body or {}).get("metadata") or {}).get("labels") or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One component as it is delivered; a lower wave comes first."""

    name: ComponentName
    namespace: str
    wave: int
    needs: tuple[ComponentName, ...] = ()
    objects: tuple[PartObject, ...] = ()

    @property
    def applied(self) -> tuple[PartObject, ...]:
        """What an installation applies: all but what lies in a folder below the part's own (kept as data)."""
        return tuple(each for each in self.objects if each.path.count("/") == 1)

    @property
    def kinds(self) -> frozenset[tuple[str, str]]:
        """The kinds that an installation applies."""
        return frozenset(each.kind for each in self.applied)


def in_order(parts: Iterable[Part]) -> list[Part]:
    """The parts by wave, and by name within one."""
    return sorted(parts, key=lambda part: (part.wave, part.name))


def is_custom(kind: tuple[str, str], minor: int) -> bool:
    """Whether Kubernetes itself does not know ``kind`` (group and kind): a CRD or an aggregated API has to bring it."""
    return kubernetes_apis.is_namespaced(*kind, minor) is None


def groups_made_by(objects: Iterable[PartObject]) -> frozenset[str]:
    """The API groups of the CRDs among ``objects``: a CRD is called ``<plural>.<group>``."""
    return frozenset(each.id.name.partition(".")[2] for each in objects if each.kind == CRD)


def find(parts: Sequence[Part], name: ObjectId) -> PartObject | None:
    """The object of that identity, wherever it is applied."""
    return next((each for part in parts for each in part.applied if each.id == name), None)
