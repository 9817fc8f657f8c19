"""CRDs are what an API server takes: their names, versions and schemas.

Source: apiextensions-apiserver, ``pkg/apis/apiextensions/validation``. The rules in schemas are read elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.custom_resources import structural
from cluster_forge.checks.kubernetes_objects import object_reader
from cluster_forge.checks.kubernetes_objects.problem import Problem, shown
from cluster_forge.foundation.names import counted, is_dns_subdomain
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import kubernetes_schemas
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.kubernetes_schemas import Schemas
from cluster_forge.manifests.manifest import Body, Manifest

_LABEL: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_APPROVED: Final = "api-approved.kubernetes.io"
_PROTECTED: Final = (".k8s.io", ".kubernetes.io")


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    yield from checked.each(of)


def of(manifest: Manifest, minor: int) -> Iterator[Finding]:
    """What the API server of a minor version refuses in a CRD; nothing of another object."""
    if (manifest.id.group, manifest.id.kind) == CRD and manifest.facts.version == "v1":
        body, schemas = manifest.document.passing_body(), kubernetes_schemas.of_minor(minor)
        for problem in islice(problems(body, schemas), object_reader.MOST):
            yield problem.finding(manifest)


def problems(body: Body, schemas: Schemas) -> Iterator[Problem]:
    """What is wrong with a CRD."""
    if shape := schemas.kind(*CRD[:1], "v1", CRD[1]):
        yield from object_reader.problems(body, shape, schemas)
    spec = mapping(body.get("spec"))
    yield from (*_names(body, spec), *_versions(spec), *_conversion(spec))
    for number, version in enumerate(map(mapping, sequence(spec.get("versions")))):
        steps = ("spec", "versions", number, "schema", "openAPIV3Schema")
        schema = mapping(version.get("schema")).get("openAPIV3Schema")
        if schema is None:
            yield Problem(steps=steps, message="a version has a schema", fix="set schema.openAPIV3Schema")
        else:
            yield from structural.problems(schema, steps)


def _names(body: Body, spec: Mapping[str, Any]) -> Iterator[Problem]:
    group, names, metadata = spec.get("group"), mapping(spec.get("names")), mapping(body.get("metadata"))
    plural = names.get("plural")
    if isinstance(group, str) and group and not (is_dns_subdomain(group) and "." in group):
        message = f"{shown(group)} is not a domain with at least one dot"
        yield Problem(steps=("spec", "group"), message=message, fix="write one such as example.com")
    if isinstance(group, str) and isinstance(plural, str) and metadata.get("name") != f"{plural}.{group}":
        yield Problem(
            steps=("metadata", "name"), message=f"the name must be {plural}.{group}", fix=f"write {plural}.{group}"
        )
    for name in ("plural", "singular", "kind", "listKind"):
        text = names.get(name)
        if isinstance(text, str) and text and not _LABEL.match(text.lower() if name.lower().endswith("kind") else text):
            message = f"{shown(text)} is not a DNS label that begins with a letter"
            yield Problem(steps=("spec", "names", name), message=message, fix="rename it")
    if spec.get("scope") not in ("Cluster", "Namespaced", None):
        message = f"{shown(spec['scope'])} is none of Cluster, Namespaced"
        yield Problem(steps=("spec", "scope"), message=message, fix="write one of them")
    is_protected = isinstance(group, str) and (group in ("k8s.io", "kubernetes.io") or group.endswith(_PROTECTED))
    if is_protected and not mapping(metadata.get("annotations")).get(_APPROVED):
        message = f"{group} is a group of Kubernetes: a CRD in it has the annotation {_APPROVED}"
        yield Problem(
            steps=("metadata", "annotations", _APPROVED), message=message, fix="set the annotation, or rename the group"
        )


def _versions(spec: Mapping[str, Any]) -> Iterator[Problem]:
    versions = [mapping(version) for version in sequence(spec.get("versions"))]
    stored = [number for number, version in enumerate(versions) if version.get("storage") is True]
    if versions and len(stored) != 1:
        message = f"storage: true stands at {counted(len(stored), 'version')}, and must stand at one"
        second: tuple[Step, ...] = (stored[1], "storage") if stored else ()
        yield Problem(
            steps=("spec", "versions", *second),
            message=message,
            fix="set storage: true for one version, and false for the others",
        )
    counts = Counter(name for version in versions if isinstance(name := version.get("name"), str))
    for number, version in enumerate(versions):
        name, steps = version.get("name"), ("spec", "versions", number, "name")
        if isinstance(name, str) and name and not _LABEL.match(name):
            yield Problem(steps=steps, message=f"{shown(name)} is not a version such as v1", fix="rename it")
        if isinstance(name, str) and counts.pop(name, 0) > 1:
            yield Problem(steps=steps, message=f"the version {shown(name)} is there twice", fix="remove one of the two")
    if spec.get("preserveUnknownFields") is True:
        yield Problem(
            steps=("spec", "preserveUnknownFields"), message="preserveUnknownFields cannot be true", fix="remove it"
        )


def _conversion(spec: Mapping[str, Any]) -> Iterator[Problem]:
    conversion = mapping(spec.get("conversion"))
    if conversion.get("strategy") == "Webhook" and not isinstance(conversion.get("webhook"), Mapping):
        steps = ("spec", "conversion", "webhook")
        yield Problem(steps=steps, message="strategy: Webhook needs webhook", fix="set conversion.webhook")
    elif conversion.get("strategy") == "None" and conversion.get("webhook") is not None:
        steps = ("spec", "conversion", "webhook")
        yield Problem(steps=steps, message="webhook needs strategy: Webhook", fix="remove one of the two")
