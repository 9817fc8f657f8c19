"""One class of a kind is the default one.

Sources: Kubernetes, "Change the default StorageClass", "Default IngressClass", "PriorityClass" (admission plug-in ``Priority``),
"Volume Snapshot Classes" (the snapshot controller refuses a claim if its driver has two default classes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "default-class-conflict"


class _Kind(NamedTuple):
    """Annotations that make a class the default one (without one: the field ``globalDefault``), and for which only: those
    with the same value of a field.
    """

    group: str
    kind: str
    annotations: tuple[str, ...]
    effect: str
    among: str = ""


_KINDS: Final = (
    _Kind(
        "storage.k8s.io",
        "StorageClass",
        ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"),
        "a claim without a class gets the one that was created last",
    ),
    _Kind(
        "networking.k8s.io",
        "IngressClass",
        ("ingressclass.kubernetes.io/is-default-class",),
        "an Ingress without a class gets the one that was created last, or is refused",
    ),
    _Kind(
        "snapshot.storage.k8s.io",
        "VolumeSnapshotClass",
        ("snapshot.storage.kubernetes.io/is-default-class",),
        "a VolumeSnapshot without a class is refused",
        "driver",
    ),
    _Kind("scheduling.k8s.io", "PriorityClass", (), "the API server refuses the second"),
)


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for kind in _KINDS:
        defaults: defaultdict[object, list[tuple[Manifest, str]]] = defaultdict(list)
        for manifest in checked.of_kind[kind.group, kind.kind]:
            if field := _field(kind, manifest.body):
                defaults[str(manifest.body.get(kind.among)) if kind.among else ""].append((manifest, field))
        for (first, _), *others in defaults.values():
            say = report.warning if kind.annotations else report.error
            for manifest, field in others:
                yield say(
                    manifest,
                    CODE,
                    f"is a default {kind.kind}, and so is {first.id.name} of {first.provenance.component}: {kind.effect}",
                    fix=f"make only one {kind.kind} the default one, by the values of the others' charts",
                    field=field,
                )


def _field(kind: _Kind, body: Mapping[str, Any]) -> str:
    """The field that makes a class the default one; empty if none does."""
    if not kind.annotations:
        return "globalDefault" if body.get("globalDefault") is True else ""
    annotations = mapping(mapping(body.get("metadata")).get("annotations"))
    name = next((name for name in kind.annotations if annotations.get(name) == "true"), "")
    return field_path.text(("metadata", "annotations", name)) if name else ""
