"""Reports of Trivy (``trivy image --format json``, schema version 2), and those that the Trivy operator keeps in a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from cluster_forge.checks.vulnerabilities.vulnerability import (
    Degree,
    ScannedImage,
    Vulnerability,
    entries,
    identified,
    text_of,
)
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.untyped import mapping, sequence

_KIND: Final = "VulnerabilityReport"
_SCHEMA: Final = 2


class _Fields(NamedTuple):
    """How a report calls what it says of a vulnerability."""

    id: str
    severity: str
    package: str
    installed: str
    fixed: str
    title: str


_WRITTEN: Final = _Fields("VulnerabilityID", "Severity", "PkgName", "InstalledVersion", "FixedVersion", "Title")
_KEPT: Final = _Fields("vulnerabilityID", "severity", "resource", "installedVersion", "fixedVersion", "title")


def is_report(content: Mapping[str, Any]) -> bool:
    """Whether a document is what `trivy image` writes."""
    return "SchemaVersion" in content and "ArtifactName" in content


def images(content: Mapping[str, Any], where: str) -> Iterator[ScannedImage]:
    """The image of a report of `trivy image`.

    Raises:
        DescriptionError: if it has another schema, or fields of other types: what is not read would pass for harmless.
    """
    if content.get("SchemaVersion") != _SCHEMA:
        message = f"the report of Trivy has schema version {str(content.get('SchemaVersion'))[:20]}, not {_SCHEMA}"
        raise DescriptionError(
            message, where=where, fix="write it with Trivy 0.20 or later: `trivy image --format json`"
        )
    about = mapping(content.get("Metadata"))
    names = (
        text_of(content, "ArtifactName"),
        *(name for key in ("RepoTags", "RepoDigests") for name in sequence(about.get(key)) if isinstance(name, str)),
    )
    vulnerabilities = (
        identified(_vulnerability(one, _WRITTEN), where)
        for result in entries(content, "Results", where)
        for one in entries(result, "Vulnerabilities", where)
    )
    yield ScannedImage(
        names=tuple(dict.fromkeys(filter(None, names))), vulnerabilities=tuple(vulnerabilities), where=where
    )


def is_kept(content: Mapping[str, Any]) -> bool:
    """Whether a document is a VulnerabilityReport of the operator."""
    return content.get("kind") == _KIND and str(content.get("apiVersion")).startswith("aquasecurity.github.io/")


def kept_images(content: Mapping[str, Any], where: str) -> Iterator[ScannedImage]:
    """The image of a VulnerabilityReport.

    Raises:
        DescriptionError: if it has fields of other types, or no report yet.
    """
    report = mapping(content.get("report"))
    if not report:
        raise DescriptionError("the VulnerabilityReport is empty", where=where, fix="wait for the operator to write it")
    artifact, server = mapping(report.get("artifact")), text_of(mapping(report.get("registry")), "server")
    repository = text_of(artifact, "repository")
    name = f"{server}/{repository}" if server else repository
    tag, digest = text_of(artifact, "tag"), text_of(artifact, "digest")
    names = (f"{name}:{tag}" if tag else "", f"{name}@{digest}" if digest else "")
    vulnerabilities = (
        identified(_vulnerability(one, _KEPT), where) for one in entries(report, "vulnerabilities", where)
    )
    yield ScannedImage(names=tuple(filter(None, names)) or (name,), vulnerabilities=tuple(vulnerabilities), where=where)


def _vulnerability(one: Mapping[str, Any], fields: _Fields) -> Vulnerability:
    return Vulnerability(
        id=text_of(one, fields.id),
        degree=Degree.of(one.get(fields.severity)),
        package=text_of(one, fields.package),
        installed=text_of(one, fields.installed),
        fixed=text_of(one, fields.fixed),
        title=text_of(one, fields.title),
    )
