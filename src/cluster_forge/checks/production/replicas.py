"""At medium and large a workload behind a Service has two replicas or more."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent, replicas_of
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE = "replicas"


def findings(manifest: Manifest, component: CheckedComponent) -> Iterator[Finding]:
    body = manifest.body
    if component.must_be_available(body) and not component.is_replicated(body):
        message = f"has {replicas_of(body)} replica at size {component.size}"
        yield report.warning(manifest, CODE, message, fix="set two or more replicas in the values")
