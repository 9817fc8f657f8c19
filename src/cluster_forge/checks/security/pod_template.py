"""The Pods that an object leads to, with the path of each part: of a built-in kind, or of a custom one with templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import TEMPLATES

_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")

_POLICIES: Final = ("rules",)
"""Where policies have patterns, which look like templates."""

Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlace:
    """A container, and the steps to it in the object."""

    body: Mapping[str, Any]
    steps: Steps

    @property
    def name(self) -> str:
        return str(self.body.get("name", ""))

    @property
    def context(self) -> Mapping[str, Any]:
        """Its ``securityContext``."""
        return mapping(self.body.get("securityContext"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTemplate:
    """The metadata and the spec of the Pods, and the steps to the spec in the object."""

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    steps: Steps
    containers: tuple[ContainerPlace, ...]
    """In the order in which they start: init containers first."""
    is_custom: bool = False
    """It is of a custom resource, whose controller may set more than the template has."""

    @classmethod
    def of(cls, manifest: Manifest) -> tuple[Self, ...]:
        """The templates of an object, in its order: one of a built-in workload, any number of a custom resource."""
        way = TEMPLATES.get((manifest.id.group, manifest.id.kind))
        if way is not None:
            return (cls._read(_at(manifest.body, way), way, is_custom=False),)
        if "." not in manifest.id.group or manifest.id.group == CRD[0] or not manifest.facts.images:
            return ()
        templates = _custom(manifest.body.get("spec"), ("spec",))
        return tuple(cls._read(template, steps, is_custom=True) for template, steps in templates)

    @classmethod
    def _read(cls, template: Mapping[str, Any], way: Steps, *, is_custom: bool) -> Self:
        spec, steps = mapping(template.get("spec")), (*way, "spec")
        return cls(
            metadata=mapping(template.get("metadata")),
            spec=spec,
            steps=steps,
            containers=tuple(_containers(spec, steps)),
            is_custom=is_custom,
        )

    @property
    def context(self) -> Mapping[str, Any]:
        """Its ``securityContext``."""
        return mapping(self.spec.get("securityContext"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        return mapping(self.metadata.get("annotations"))

    @property
    def labels(self) -> Mapping[str, Any]:
        return mapping(self.metadata.get("labels"))

    @property
    def is_windows(self) -> bool:
        return bool(mapping(self.spec.get("os")).get("name") == "windows")

    @property
    def service_account(self) -> str:
        """The name of its ServiceAccount."""
        return str(self.spec.get("serviceAccountName") or self.spec.get("serviceAccount") or "default")


def _at(body: Mapping[str, Any], way: tuple[str, ...]) -> Mapping[str, Any]:
    for key in way:
        body = mapping(body.get(key))
    return body


def _custom(value: object, steps: Steps) -> Iterator[tuple[Mapping[str, Any], Steps]]:
    """The templates in a custom resource, wherever they are: an Argo Rollout has one, a RayCluster one for each group."""
    if isinstance(value, Mapping):
        if len(steps) > 1 and _has_containers(value):
            yield value, steps
            return
        for key, member in value.items():
            if key not in _POLICIES:
                yield from _custom(member, (*steps, str(key)))
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from _custom(entry, (*steps, place))


def _has_containers(template: Mapping[str, Any]) -> bool:
    """Whether a value is the template of a Pod, by what each container must have."""
    containers = sequence(mapping(template.get("spec")).get("containers"))
    return bool(containers) and all(isinstance(mapping(one).get("image"), str) for one in containers)


def _containers(spec: Mapping[str, Any], steps: Steps) -> Iterator[ContainerPlace]:
    for part in _LISTS:
        for place, body in enumerate(sequence(spec.get(part))):
            if isinstance(body, Mapping):
                name = body.get("name")
                entry: Step = (("name", f'"{name}"'),) if isinstance(name, str) else place
                yield ContainerPlace(body=body, steps=(*steps, part, entry))
