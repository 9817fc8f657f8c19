"""The built-in workloads of a stack, each with the Pods that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.label_selector import labels_of
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import TEMPLATES

_ENDING: Final = frozenset({"Job", "CronJob"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An object and its Pods: their labels, and their ``spec`` as the object has it."""

    manifest: Manifest
    labels: Mapping[str, str]
    pod: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        return self.manifest.id.namespace

    @property
    def is_lasting(self) -> bool:
        """Whether its Pods run on: those of a Job or of a hook end."""
        return self.manifest.id.kind not in _ENDING and not self.manifest.facts.hook

    @property
    def is_everywhere(self) -> bool:
        """Whether each node that it selects gets one Pod."""
        return self.manifest.id.kind == "DaemonSet"

    @property
    def all_containers(self) -> tuple[Mapping[str, Any], ...]:
        """The containers, and those that only start the Pod."""
        names = ("containers", "initContainers")
        return tuple(mapping(container) for name in names for container in sequence(self.pod.get(name)))

    @property
    def containers(self) -> tuple[Mapping[str, Any], ...]:
        """The containers, without those that only start the Pod; sidecars are among them (KEP-753)."""
        starting = map(mapping, sequence(self.pod.get("initContainers")))
        sidecars = (container for container in starting if container.get("restartPolicy") == "Always")
        return (*map(mapping, sequence(self.pod.get("containers"))), *sidecars)

    @property
    def image_names(self) -> frozenset[str]:
        """The images of its containers without registry, tag and digest, which mirrors and versions change: ``argoproj/argocd``."""
        texts = (container.get("image") for container in self.containers)
        return frozenset(_image_name(text) for text in texts if isinstance(text, str) and text)


def _image_name(text: str) -> str:
    first, slash, rest = text.partition("@")[0].partition("/")
    path = rest if slash and ("." in first or ":" in first or first == "localhost") else f"{first}{slash}{rest}"
    folder, slash, last = path.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def of(manifests: Iterable[Manifest]) -> tuple[Workload, ...]:
    """The workloads among the objects, in their order."""
    return tuple(
        Workload(manifest=manifest, labels=labels_of(template.get("metadata")), pod=mapping(template.get("spec")))
        for manifest in manifests
        if (steps := TEMPLATES.get((manifest.id.group, manifest.id.kind))) is not None
        and manifest.id.kind != "PodTemplate"
        for template in [_at(manifest.body, steps)]
    )


def _at(body: Body, steps: tuple[str, ...]) -> Mapping[str, Any]:
    value: Mapping[str, Any] = body
    for step in steps:
        value = mapping(value.get(step))
    return value
