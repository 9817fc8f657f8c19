"""Names, namespaces and labels follow the rules of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.manifests import kubernetes_schemas, object_names
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes

CODE = "invalid-name"


def findings(manifest: Manifest, scopes: Scopes) -> Iterator[Finding]:
    for problem in _problems(manifest):
        if problem.endswith(object_names.NOT_TEXT) and _has_schema(manifest, scopes):
            continue  # the schema of the object says so, with the field
        yield report.error(manifest, CODE, problem, fix="correct it in the manifest, or set the value that it is from")


def _problems(manifest: Manifest) -> Iterator[str]:
    identity = manifest.id
    problem = object_names.name_problem(identity.group, identity.kind, identity.name)
    if problem and not _is_generated(manifest):
        yield problem
    if identity.namespace and (problem := object_names.namespace_problem(identity.namespace)):
        yield problem
    yield from manifest.facts.invalid_labels


def _has_schema(manifest: Manifest, scopes: Scopes) -> bool:
    """Whether the target or a CRD of the stack describes the object."""
    identity, version = manifest.id, manifest.facts.version
    custom = scopes.custom.get((identity.group, identity.kind))
    if custom:
        return version in custom.versions
    return kubernetes_schemas.of_minor(scopes.minor).kind(identity.group, version, identity.kind) is not None


def _is_generated(manifest: Manifest) -> bool:
    """Whether the name is a valid ``generateName``."""
    identity = manifest.id
    has_name = bool(manifest.body["metadata"].get("name"))
    return not has_name and object_names.is_name_prefix(identity.group, identity.kind, identity.name)
