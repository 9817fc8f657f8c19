"""The Pods that an object leads to, with the path of each part: of a built-in kind, or of a custom one with a template."""

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

_CUSTOM: Final = (
    ("spec", "template"),
    ("spec", "podTemplate"),
    ("spec", "jobTemplate", "spec", "template"),
    ("spec", "jobTargetRef", "template"),
)
"""Where custom resources have the template of their Pods: an Argo Rollout, a Service of Knative, a ScaledJob of KEDA."""

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
    def of(cls, manifest: Manifest) -> Self | None:
        """The Pods of an object; None if it creates none."""
        way = built_in = TEMPLATES.get((manifest.id.group, manifest.id.kind))
        if way is None:
            way = next((custom for custom in _CUSTOM if _has_containers(manifest, custom)), None)
        if way is None:
            return None
        template = _template(manifest, way)
        spec, steps = mapping(template.get("spec")), (*way, "spec")
        return cls(
            metadata=mapping(template.get("metadata")),
            spec=spec,
            steps=steps,
            containers=tuple(_containers(spec, steps)),
            is_custom=built_in is None,
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


def _template(manifest: Manifest, way: tuple[str, ...]) -> Mapping[str, Any]:
    template: Mapping[str, Any] = manifest.body
    for key in way:
        template = mapping(template.get(key))
    return template


def _has_containers(manifest: Manifest, way: tuple[str, ...]) -> bool:
    """Whether a custom resource has a template there, by what each container must have."""
    if "." not in manifest.id.group or manifest.id.group == CRD[0]:
        return False
    containers = sequence(mapping(_template(manifest, way).get("spec")).get("containers"))
    return bool(containers) and all(isinstance(mapping(one).get("image"), str) for one in containers)


def _containers(spec: Mapping[str, Any], steps: Steps) -> Iterator[ContainerPlace]:
    for part in _LISTS:
        for place, body in enumerate(sequence(spec.get(part))):
            if isinstance(body, Mapping):
                name = body.get("name")
                entry: Step = (("name", f'"{name}"'),) if isinstance(name, str) else place
                yield ContainerPlace(body=body, steps=(*steps, part, entry))
