"""Objects of a component for which a finding is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A finding code, and patterns of the objects it is accepted for: ``Deployment/web*``."""

    code: str
    objects: tuple[str, ...] = ("*",)


def short_name(identity: ObjectId) -> str:
    """An object as exemptions name it: ``Deployment/web``."""
    return f"{identity.kind}/{identity.name}"


def subject(finding: Finding) -> str:
    """What a finding is about, as exemptions name it: an object, or else its ``where``."""
    return short_name(finding.object) if finding.object else finding.where


def is_exempt(finding: Finding, exemptions: Iterable[Exemption]) -> bool:
    """Whether one of the exemptions covers a finding."""
    named = subject(finding)
    return any(
        finding.code == exemption.code and any(fnmatchcase(named, pattern) for pattern in exemption.objects)
        for exemption in exemptions
    )
