"""Objects of Kubernetes' own kinds are what the API server of the target takes."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.kubernetes_objects import object_reader, size
from cluster_forge.manifests import kubernetes_schemas
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    yield from checked.each(of)


def of(manifest: Manifest, minor: int) -> Iterator[Finding]:
    """What the API server of a minor version refuses in an object."""
    for problem in size.problems(manifest):
        yield problem.finding(manifest)
    identity = manifest.id
    if (identity.group, identity.kind) == CRD:  # `checks.custom_resources` reads them
        return
    schemas = kubernetes_schemas.of_minor(minor)
    shape = schemas.kind(identity.group, manifest.facts.version, identity.kind)
    if shape is not None:
        for problem in object_reader.problems(manifest.body, shape, schemas):
            yield problem.finding(manifest)
