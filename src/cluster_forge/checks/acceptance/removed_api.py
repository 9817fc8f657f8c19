"""The target serves the API version of every object."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.facts import CustomKind
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes

CODE = "removed-api"


def findings(manifest: Manifest, scopes: Scopes) -> Iterator[Finding]:
    identity, version = manifest.id, manifest.facts.version
    custom = scopes.custom.get((identity.group, identity.kind))
    if custom:
        if version not in custom.versions:
            yield _not_in_crd(manifest, custom)
    elif kubernetes_apis.is_built_in(identity.group.lower()):
        served = kubernetes_apis.served_minors(identity.group, version, identity.kind)
        if scopes.minor not in served:
            yield _not_served(manifest, scopes.minor, served)


def _not_in_crd(manifest: Manifest, custom: CustomKind) -> Finding:
    group = manifest.id.group
    versions = ", ".join(f"{group}/{version}" for version in custom.versions) or "no version"
    return report.error(
        manifest,
        CODE,
        f"{group}/{manifest.facts.version} is not served: the CRD in the stack serves {versions}",
        fix="write a version that it serves, or use a CRD that has this one",
    )


def _not_served(manifest: Manifest, minor: int, served: tuple[int, ...]) -> Finding:
    """A warning for what a newer Kubernetes serves, or this one if asked to: the rest of the stack does not need it."""
    identity = manifest.id
    api = f"{identity.group}/{manifest.facts.version}" if identity.group else manifest.facts.version
    known = kubernetes_apis.known_minors(identity.group, manifest.facts.version, identity.kind)
    instead = _instead(identity.group.lower(), identity.kind, minor, is_known=bool(served or known))
    if minor in known:
        return report.warning(
            manifest,
            CODE,
            f"Kubernetes 1.{minor} serves {identity.kind} of {api} only with `--runtime-config={api}=true`",
            fix=f"set that option of the API server, or {instead}",
        )
    others = f"; {kubernetes_apis.do(served)}" if served else ""
    is_to_come = bool(served) and served[0] > minor
    return (report.warning if is_to_come else report.error)(
        manifest,
        CODE,
        f"Kubernetes 1.{minor} does not serve {identity.kind} of {api}{others}",
        fix=f"{instead}, or use a version of the chart that fits Kubernetes 1.{minor}",
    )


def _instead(group: str, kind: str, minor: int, *, is_known: bool) -> str:
    """What to write: the version that is served, or the kind that was meant if no Kubernetes knows this one."""
    successors = kubernetes_apis.versions_of(group, kind, minor)
    if successors:
        return f"write `apiVersion: {successors[0]}`"
    similar = "" if is_known else kubernetes_apis.similar_kind(group, kind, minor)
    return f"write `kind: {similar}`" if similar else "remove the object"
