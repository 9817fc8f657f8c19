"""The finding of all checks of providers, one for all objects of a component that need the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Protocol

from cluster_forge.checks import report
from cluster_forge.checks.providers import autoscaler_metrics, ingress_controllers, load_balancers, volume_classes
from cluster_forge.checks.providers.surroundings import Surroundings
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "missing-provider"


class _Check(Protocol):
    EFFECT: str
    """What happens to an object without the capability."""

    def needs(self, manifest: Manifest, surroundings: Surroundings, /) -> Iterator[str]:
        """The capabilities that an object needs and that are missing."""


_CHECKS: Final[Sequence[_Check]] = (autoscaler_metrics, ingress_controllers, load_balancers, volume_classes)


def findings(manifests: Sequence[Manifest], capabilities: Collection[str]) -> list[Finding]:
    """A warning for each component and capability that its objects need and that neither stack nor target provides."""
    surroundings = Surroundings(capabilities, manifests)
    missing: dict[tuple[ComponentName, str, str], list[Manifest]] = {}
    for manifest in manifests:
        for check in _CHECKS:
            for capability in check.needs(manifest, surroundings):
                missing.setdefault((manifest.provenance.component, capability, check.EFFECT), []).append(manifest)
    return [_finding(capability, effect, objects) for (_, capability, effect), objects in sorted(missing.items())]


def _finding(capability: str, effect: str, objects: Sequence[Manifest]) -> Finding:
    others = f" (also: {', '.join(str(other.id) for other in objects[1:])})" if len(objects) > 1 else ""
    return report.warning(
        objects[0],
        CODE,
        f"needs {capability}, which neither the stack nor the target provides: {effect}{others}",
        fix=f"add a component that provides it (`cluster-forge catalog search {capability}` lists them), write "
        f"`target: {{provides: [{capability}]}}` if the cluster has it, or do without the object",
    )
