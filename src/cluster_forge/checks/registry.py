"""All checks but those of `reading`, and running them: of an object, of a component's objects, and across those of a stack."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

from cluster_forge.checks.acceptance import (
    deprecated_api,
    foreign_owner,
    invalid_name,
    kubernetes_schema,
    removed_api,
)
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.collisions import (
    address_pools,
    default_classes,
    host_ports,
    namespaces,
    node_ports,
    operators,
    routes_twice,
    scaling,
    scrapes,
    webhook_deadlock,
    webhooks_twice,
)
from cluster_forge.checks.custom_resources import custom_resource, definition, rules
from cluster_forge.checks.exemption import Exemption, is_exempt
from cluster_forge.checks.fit import does_not_fit
from cluster_forge.checks.guard import guarded
from cluster_forge.checks.policies import admission_policies, kyverno_policies
from cluster_forge.checks.production import (
    disruption_budget,
    gone_image,
    memory_limit,
    own_components,
    replicas,
    requests,
    service_type,
    spread,
)
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.checks.providers import missing
from cluster_forge.checks.references import (
    api_services,
    blocked_traffic,
    evictions,
    monitors,
    named_objects,
    named_ports,
    routes,
    selected_pods,
    service_addresses,
    webhooks,
)
from cluster_forge.checks.security import (
    plaintext_secret,
    pod_security,
    rbac_wide,
    unpinned_image,
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


class StackCheck(Protocol):
    """A module with one check of a whole stack."""

    def findings(self, checked: CheckedStack, /) -> Iterator[Finding]:
        """What is wrong with the stack, in an order that depends on its objects alone."""


PRODUCTION: Final[Sequence[Check[CheckedComponent]]] = (
    gone_image,
    requests,
    memory_limit,
    service_type,
    replicas,
    disruption_budget,
    spread,
)
"""What production asks of a component's objects."""

REFERENCES: Final[Sequence[StackCheck]] = (
    service_addresses,
    named_objects,
    routes,
    webhooks,
    monitors,
    api_services,
    selected_pods,
    named_ports,
    evictions,
    blocked_traffic,
)
"""Whether what objects name is in the stack."""

ACCEPTANCE: Final[Sequence[Check[Scopes]]] = (invalid_name, removed_api, foreign_owner)
"""Whether an API server of the target accepts an object, as it is in its namespace."""


COLLISIONS: Final[Sequence[StackCheck]] = (
    default_classes,
    host_ports,
    node_ports,
    webhooks_twice,
    webhook_deadlock,
    operators,
    namespaces,
    address_pools,
    scaling,
    routes_twice,
    scrapes,
)
"""Whether objects of the stack get in each other's way."""

SECURITY: Final[Sequence[StackCheck]] = (
    plaintext_secret,
    pod_security,
    rbac_wide,
    unpinned_image,
)
"""What an attacker could make of a stack."""

SCHEMAS: Final[Sequence[StackCheck]] = (kubernetes_schema, definition, deprecated_api)
"""Whether the API server of the target takes the objects, as their schemas and its validation say."""

CUSTOM_RESOURCES: Final[Sequence[StackCheck]] = (custom_resource, rules)
"""Whether an API server takes custom resources by the CRDs of the stack."""

POLICIES: Final[Sequence[StackCheck]] = (admission_policies, kyverno_policies)
"""Whether the policies of the stack admit its objects."""

FIT: Final[Sequence[StackCheck]] = (does_not_fit,)
"""Whether the nodes of the target hold the Pods."""


STACK: Final[Sequence[StackCheck]] = (*SCHEMAS, *CUSTOM_RESOURCES, *POLICIES, *COLLISIONS, *SECURITY, *FIT, *REFERENCES)
"""What is asked of every stack when it is smelted."""


def check_stack(checked: CheckedStack) -> list[Finding]:
    """The findings of `STACK`."""
    return [finding for check in STACK for finding in guarded(check, checked)]


def check_acceptance(manifests: Iterable[Manifest], scopes: Scopes) -> list[Finding]:
    """The findings of `ACCEPTANCE`."""
    return [finding for manifest in manifests for check in ACCEPTANCE for finding in guarded(check, manifest, scopes)]


def check_providers(manifests: Sequence[Manifest], capabilities: Collection[str]) -> list[Finding]:
    """What the objects of a stack need in the cluster, and neither the stack nor the target provides (`Stack.capabilities`)."""
    return [*guarded(missing, manifests, capabilities)]


def check_component(
    manifests: Iterable[Manifest], *, size: Size, level: str, exemptions: Sequence[Exemption] = ()
) -> list[Finding]:
    """The findings of `PRODUCTION` about a component's objects at a size, and whether they are safe; ``level`` is its Pod
    Security level, as the newest version of Kubernetes understands it.
    """
    shipped = [manifest for manifest in manifests if not manifest.facts.hook]
    component = CheckedComponent.of(shipped, size=size, level=level)
    return [
        finding
        for manifest in shipped
        for finding in _about_component(manifest, component)
        if not is_exempt(finding, exemptions)
    ]


def _about_component(manifest: Manifest, component: CheckedComponent) -> Iterator[Finding]:
    for check in PRODUCTION:
        yield from guarded(check, manifest, component)
    yield from unpinned_image.of(manifest)
    yield from plaintext_secret.of(manifest)
    yield from pod_security.of_component(manifest, component.level)


def check_own(checked: CheckedStack, catalog: Collection[str]) -> list[Finding]:
    """What production asks of the components that are not in the ``catalog``."""
    by_component: dict[str, list[Manifest]] = {}
    for manifest in checked.manifests:
        by_component.setdefault(manifest.provenance.component, []).append(manifest)
    return [
        finding
        for component in checked.stack.components
        if component.name not in catalog
        for finding in own_components.findings(
            by_component.get(component.name, ()), size=checked.stack.target.size, level=component.pod_security
        )
    ]


def check_references(
    checked: CheckedStack, exemptions: Mapping[str, Sequence[Exemption]] = MappingProxyType({})
) -> list[Finding]:
    """The findings of `REFERENCES` that no exemption of their component accepts."""
    return [
        finding
        for check in REFERENCES
        for finding in guarded(check, checked)
        if not is_exempt(finding, exemptions.get(finding.component or "", ()))
    ]
