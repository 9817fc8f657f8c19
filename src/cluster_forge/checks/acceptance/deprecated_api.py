"""The next minors of Kubernetes still serve the API version of every object, and the stack's CRDs do not deprecate it.

Sources: Kubernetes, "Deprecation Policy", "Deprecated API Migration Guide"; the table of `kubernetes_apis`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.custom_resources.stack_schemas import deprecations
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "deprecated-api"


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    deprecated = deprecations(checked.manifests)
    for manifest in checked.manifests:
        identity, version = manifest.id, manifest.facts.version
        kind = (identity.group, version, identity.kind)
        if kind in deprecated:
            yield _deprecated(manifest, deprecated[kind])
        elif kubernetes_apis.is_built_in(identity.group.lower()):
            yield from _removed_later(manifest, checked.minor)


def _removed_later(manifest: Manifest, minor: int) -> Iterator[Finding]:
    """A warning for what the next minor does not serve any more, a notice for what a later one does not."""
    identity = manifest.id
    served = kubernetes_apis.served_minors(identity.group, manifest.facts.version, identity.kind)
    if minor not in served or served[-1] == kubernetes_apis.minors()[-1]:
        return
    gone = served[-1] + 1
    successors = kubernetes_apis.versions_of(identity.group, identity.kind, gone)
    add = report.warning if gone == minor + 1 else report.notice
    yield add(
        manifest,
        CODE,
        f"breaks at 1.{gone}: Kubernetes does not serve {identity.kind} of {_api(manifest)} any more",
        fix=_fix(manifest, successors, minor, gone),
        field="apiVersion",
    )


def _fix(manifest: Manifest, successors: tuple[str, ...], minor: int, gone: int) -> str:
    """What to write now, where the target serves it already; otherwise when to write it."""
    identity = manifest.id
    now = kubernetes_apis.versions_of(identity.group, identity.kind, minor)
    for successor in successors:
        if successor in now:
            return f"write `apiVersion: {successor}`"
    return f"write `apiVersion: {successors[0]}` with 1.{gone}" if successors else f"remove the object before 1.{gone}"


def _deprecated(manifest: Manifest, reason: str) -> Finding:
    message = f"its CRD calls {_api(manifest)} deprecated{f': {reason}' if reason else ''}"
    return report.warning(
        manifest,
        CODE,
        message,
        fix="write a newer version that the CRD serves, or use a newer chart",
        field="apiVersion",
    )


def _api(manifest: Manifest) -> str:
    group = manifest.id.group
    return f"{group}/{manifest.facts.version}" if group else manifest.facts.version
