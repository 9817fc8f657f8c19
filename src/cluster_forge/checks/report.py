"""Findings about one object, each with the template or file of the object, and the path of the field where one is meant."""

from __future__ import annotations

from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest


def error(manifest: Manifest, code: str, message: str, *, fix: str, field: str = "") -> Finding:
    """A finding about something that does not work, or must not be, in a cluster."""
    return finding(manifest, Severity.ERROR, code, message, fix=fix, field=field)


def warning(manifest: Manifest, code: str, message: str, *, fix: str, field: str = "") -> Finding:
    """A finding about something that works, but is not fit for production."""
    return finding(manifest, Severity.WARNING, code, message, fix=fix, field=field)


def notice(manifest: Manifest, code: str, message: str, *, fix: str = "", field: str = "") -> Finding:
    """A finding about something that was done to an object as it was read."""
    return finding(manifest, Severity.NOTICE, code, message, fix=fix, field=field)


def finding(  # noqa: PLR0913 - what a finding has
    manifest: Manifest, severity: Severity, code: str, message: str, *, fix: str, field: str = ""
) -> Finding:
    """A finding whose severity is chosen by what was found."""
    return Finding(
        code=code,
        severity=severity,
        message=message,
        component=manifest.provenance.component,
        object=manifest.id,
        where=manifest.provenance.origin,
        field=field,
        fix=fix,
    )
