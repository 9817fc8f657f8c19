"""What a description changes in rendered objects, for the whole stack or for one component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

PRECEDENCE: Final = (
    "the chart",
    "valuesFiles, sizes, values",
    "transformers",
    "labels, annotations, images, replicas, resources, Pod templates",
    "patches, then those that `customize save` wrote",
    "hand edits in working/",
)
"""What makes an object, lowest precedence first; of transformers, changes and patches those of the stack before a component's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchTarget:
    """The objects that a patch changes, as kustomize selects them: patterns (`LinearPattern`) and selectors; empty: any."""

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    label_selector: str = ""
    annotation_selector: str = ""

    def __str__(self) -> str:
        """``kind Deployment, name web.*``."""
        named = {
            "group": self.group,
            "version": self.version,
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "labelSelector": self.label_selector,
            "annotationSelector": self.annotation_selector,
        }
        return ", ".join(f"{key} {value}" for key, value in named.items() if value)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredPatch:
    """A strategic merge patch (``body``) or a JSON patch (``operations``, RFC 6902); ``where`` is its ``file:line``.

    Without a ``target`` the ``body`` names its object, by ``apiVersion``, ``kind`` and ``metadata``. ``merges_lines``: a text
    that the operations test and replace is merged by lines into what the object has there. ``lines`` has the line of each
    value in the body, and of each operation, by its path (`effective.path_text`).
    """

    target: PatchTarget | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    operations: tuple[Mapping[str, Any], ...] = ()
    merges_lines: bool = False
    where: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChange:
    """What becomes of an image: another ``name``, ``tag`` or ``digest``; empty ones stay as they are.

    A tag without a digest takes away the digest, and the other way round.
    """

    name: str = ""
    tag: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerResources:
    """Requests and limits of a container, by resource: Kubernetes quantities, None for what goes. Others stay as they are."""

    requests: Mapping[str, str | None] = field(default_factory=dict)
    limits: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodChanges:
    """What is set in all Pod templates; a toleration is as Kubernetes has it."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    priority_class_name: str = ""
    image_pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes of a stack or a component; ``places`` has the ``file:line`` of each, by ``key`` or ``key/name``.

    ``images`` are by the name of an image, ``replicas`` by that of a workload, ``resources`` by that of a container.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, ImageChange] = field(default_factory=dict)
    replicas: Mapping[str, int] = field(default_factory=dict)
    resources: Mapping[str, ContainerResources] = field(default_factory=dict)
    pods: PodChanges = PodChanges()
    patches: tuple[DeclaredPatch, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        return self != Changes()

    def where(self, key: str, name: str = "") -> str:
        """The ``file:line`` of a change; empty where it is not known."""
        return self.places.get(f"{key}/{name}") or self.places.get(key, "")

    @property
    def without_places(self) -> Changes:
        """The same changes, wherever they are written."""
        return replace(self, places={}, patches=tuple(replace(patch, where="", lines={}) for patch in self.patches))
