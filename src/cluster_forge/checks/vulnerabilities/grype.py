"""Reports of Grype (``grype -o json``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster_forge.checks.vulnerabilities.vulnerability import (
    Degree,
    ScannedImage,
    Vulnerability,
    entries,
    identified,
    text_of,
)
from cluster_forge.foundation.untyped import mapping, sequence


def is_report(content: Mapping[str, Any]) -> bool:
    """Whether a document is what Grype writes."""
    return isinstance(content.get("matches"), list) and isinstance(content.get("source"), Mapping)


def images(content: Mapping[str, Any], where: str) -> Iterator[ScannedImage]:
    """The image of a report.

    Raises:
        DescriptionError: if it has fields of other types.
    """
    target = mapping(mapping(content.get("source")).get("target"))
    names = (
        text_of(target, "userInput"),
        *(name for key in ("tags", "repoDigests") for name in sequence(target.get(key)) if isinstance(name, str)),
    )
    vulnerabilities = (identified(_vulnerability(match), where) for match in entries(content, "matches", where))
    yield ScannedImage(
        names=tuple(dict.fromkeys(filter(None, names))), vulnerabilities=tuple(vulnerabilities), where=where
    )


def _vulnerability(match: Mapping[str, Any]) -> Vulnerability:
    one, artifact = mapping(match.get("vulnerability")), mapping(match.get("artifact"))
    fix = mapping(one.get("fix"))
    versions = [version for version in sequence(fix.get("versions")) if isinstance(version, str)]
    related = (mapping(other) for other in sequence(match.get("relatedVulnerabilities")))
    return Vulnerability(
        id=text_of(one, "id"),
        degree=Degree.of(one.get("severity")),
        package=text_of(artifact, "name"),
        installed=text_of(artifact, "version"),
        fixed=", ".join(versions) if fix.get("state", "fixed") == "fixed" else "",
        title=text_of(one, "description"),
        aliases=tuple(filter(None, (text_of(other, "id") for other in related))),
    )
