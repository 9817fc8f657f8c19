"""What the API server calls, and the workloads that answer: webhooks, aggregated APIs, conversions of custom resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.graph.edge import Edge, Reason
from cluster_forge.graph.reference import Reference, Strength, Target
from cluster_forge.graph.workloads import Workloads
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.manifest import Manifest

_CALLING: Final = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService", CRD_KIND})


def edges(
    references: Iterable[Reference],
    objects: Mapping[Target, Manifest],
    workloads: Workloads,
    of_kind: Mapping[tuple[str, str], Sequence[Manifest]],
) -> Iterator[Edge]:
    """From what the API server calls to the workloads behind its Service.

    A CRD works without its conversion, but for objects of another version than the one in which they are stored: these are
    refused until it answers (Kubernetes, "Versions in CustomResourceDefinitions").
    """
    for reference in references:
        if reference.manifest.id.kind not in _CALLING or (reference.group, reference.kind) != ("", "Service"):
            continue
        service = objects.get(reference.target)
        for workload in workloads.served_by(service) if service else ():
            is_crd = reference.manifest.id.kind == CRD_KIND
            if is_crd:
                yield from _converted(reference.manifest, workload, of_kind)
            yield Edge(
                source=reference.manifest,
                target=workload,
                reason=Reason.CONVERTED_BY if is_crd else Reason.SERVED_BY,
                strength=Strength.INFORMS if is_crd else Strength.REQUIRED,
                field=reference.field,
            )


def _converted(
    definition: Manifest, workload: Manifest, of_kind: Mapping[tuple[str, str], Sequence[Manifest]]
) -> Iterator[Edge]:
    """From the objects that must be converted before they are stored to the workload that does it."""
    kind = definition.facts.defines
    manifests = of_kind.get((kind.group, kind.kind), ()) if kind else ()
    if not manifests or kind is None or len(kind.versions) < 2:
        return
    versions = map(mapping, sequence(mapping(definition.document.passing_body().get("spec")).get("versions")))
    stored = [version.get("name") for version in versions if version.get("storage") is True]
    for manifest in manifests:
        if stored and manifest.facts.version not in stored:
            yield Edge(
                source=manifest,
                target=workload,
                reason=Reason.CONVERTED_BY,
                strength=Strength.REQUIRED,
                field="apiVersion",
            )
