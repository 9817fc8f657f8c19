"""Findings about one object."""

from __future__ import annotations

from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest


def error(manifest: Manifest, code: str, message: str, *, fix: str) -> Finding:
    """A finding about something that does not work, or must not be, in a cluster."""
    return _finding(manifest, Severity.ERROR, code, message, fix)


def warning(manifest: Manifest, code: str, message: str, *, fix: str) -> Finding:
    """A finding about something that works, but is not fit for production."""
    return _finding(manifest, Severity.WARNING, code, message, fix)


def notice(manifest: Manifest, code: str, message: str, *, fix: str = "") -> Finding:
    """A finding about something that was done to an object as it was read."""
    return _finding(manifest, Severity.NOTICE, code, message, fix)


def _finding(manifest: Manifest, severity: Severity, code: str, message: str, fix: str) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        message=message,
        component=manifest.provenance.component,
        object=manifest.id,
        fix=fix,
    )
