"""All checks, and running them: those of an object, of a component's objects, and across the objects of a stack."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

from cluster_forge.checks.acceptance import foreign_owner, invalid_name, removed_api, repeated_key, server_field
from cluster_forge.checks.exemption import Exemption, is_exempt
from cluster_forge.checks.inventory import Inventory, OperatedKind, Place
from cluster_forge.checks.production import (
    disruption_budget,
    gone_image,
    memory_limit,
    plaintext_secret,
    pod_security,
    replicas,
    requests,
    service_type,
    spread,
    unpinned_image,
)
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.checks.providers import missing
from cluster_forge.checks.references import (
    api_services,
    certificate_issuers,
    pod_monitors,
    routes,
    secret_stores,
    service_addresses,
    service_monitors,
    storage_classes,
    wanted_secrets,
    webhooks,
)
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.model import Size

_Context_contra = TypeVar("_Context_contra", contravariant=True)


class Check(Protocol[_Context_contra]):
    """A module with one check."""

    def findings(self, manifest: Manifest, context: _Context_contra, /) -> Iterator[Finding]:
        """What is wrong with an object."""


PRODUCTION: Final[Sequence[Check[CheckedComponent]]] = (
    unpinned_image,
    gone_image,
    requests,
    memory_limit,
    service_type,
    plaintext_secret,
    pod_security,
    replicas,
    disruption_budget,
    spread,
)
"""What production asks of a component's objects."""

REFERENCES: Final[Sequence[Check[Inventory]]] = (
    service_addresses,
    wanted_secrets,
    routes,
    webhooks,
    service_monitors,
    pod_monitors,
    certificate_issuers,
    secret_stores,
    storage_classes,
    api_services,
)
"""Whether what objects name is in the stack."""

ACCEPTANCE: Final[Sequence[Check[Scopes]]] = (invalid_name, removed_api, foreign_owner)
"""Whether an API server of the target accepts an object, as it is in its namespace."""

READING: Final[Sequence[Check[None]]] = (repeated_key, server_field)
"""What reading an object's document lost."""


def check_acceptance(manifests: Iterable[Manifest], scopes: Scopes) -> list[Finding]:
    """The findings of `ACCEPTANCE`, each with the file or template of its object."""
    return [
        _located(finding, manifest)
        for manifest in manifests
        for check in ACCEPTANCE
        for finding in check.findings(manifest, scopes)
    ]


def check_providers(manifests: Sequence[Manifest], capabilities: Collection[str]) -> list[Finding]:
    """What the objects of a stack need in the cluster, and neither the stack nor the target provides (`Stack.capabilities`)."""
    return missing.findings(manifests, capabilities)


def check_reading(manifests: Iterable[Manifest]) -> list[Finding]:
    """The findings of `READING`, each with the file or template of its object."""
    return [
        _located(finding, manifest)
        for manifest in manifests
        for check in READING
        for finding in check.findings(manifest, None)
    ]


def _located(finding: Finding, manifest: Manifest) -> Finding:
    return replace(finding, where=manifest.provenance.origin)


def check_component(
    manifests: Iterable[Manifest], *, size: Size, level: str, exemptions: Sequence[Exemption] = ()
) -> list[Finding]:
    """The findings of `PRODUCTION` about a component's objects at a size; ``level`` is its Pod Security level."""
    shipped = [manifest for manifest in manifests if not manifest.facts.hook]
    component = CheckedComponent.of(shipped, size=size, level=level)
    return [
        finding
        for manifest in shipped
        for check in PRODUCTION
        for finding in check.findings(manifest, component)
        if not is_exempt(finding, exemptions)
    ]


def check_references(
    manifests: Sequence[Manifest],
    *,
    secrets: Collection[Place] = (),
    operated: Iterable[OperatedKind] = (),
    exemptions: Mapping[str, Sequence[Exemption]] = MappingProxyType({}),
) -> list[Finding]:
    """The findings of `REFERENCES` about a stack's objects.

    ``secrets`` are created by people, a secret store or a program at run time; ``exemptions`` are by component. Only what
    is certain is reported, since a false alarm is worse than a miss: what operators create (``operated``), what every
    cluster has, monitors of all namespaces and texts with placeholders pass.
    """
    inventory = Inventory(manifests, secrets=secrets, operated=operated)
    return [
        finding
        for manifest in manifests
        for check in REFERENCES
        for finding in check.findings(manifest, inventory)
        if not is_exempt(finding, exemptions.get(manifest.provenance.component, ()))
    ]
