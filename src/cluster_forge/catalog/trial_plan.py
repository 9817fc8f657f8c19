"""Small stacks in which a component can be tried: alone with what it needs, and as one of its wirings wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.catalog import versions, wiring
from cluster_forge.catalog.component_format import CatalogComponent, Wiring
from cluster_forge.catalog.library import Library
from cluster_forge.catalog.stack_context import DOMAIN, StackComponent, StackContext
from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.stack.model import KubernetesVersion, Size, Target
from cluster_forge.yaml.positioned import Positioned

MINORS = (25, 28, 31, 33, 35)
"""The minor versions of Kubernetes 1 for which components are tried."""


@dataclass(frozen=True)
class TrialPlans:
    """The stacks in which a library's components can be tried. A ``minor`` is the 33 of Kubernetes 1.33."""

    library: Library

    def stack_component(self, name: str, minor: int) -> StackComponent | None:
        """The component in a stack for a minor version; None if no version of it supports that."""
        component = self.library.component(name)
        version = versions.chosen_version(component, minor)
        if version is None:
            return None
        release = versions.release_of(component, version)
        return StackComponent(component=component, version=version, namespace=component.namespace, release=release)

    def context(self, names: Sequence[str], minor: int, size: str, *, domain: str = "") -> StackContext:
        """A stack of just these components, without what they need."""
        members = {name: member for name in names if (member := self.stack_component(name, minor))}
        target = Target(kubernetes=KubernetesVersion(1, minor), size=Size(size), domain=domain)
        preferred = {name: capability.providers for name, capability in self.library.capabilities.items()}
        return StackContext(target=target, components=members, preferred=preferred)

    def providers_of_needs(self, component: CatalogComponent, size: str, minor: int) -> list[str]:
        """The components that provide what a component needs at a size.

        Raises:
            UnknownNameError: if there is none for a need.
        """
        return [self._provider(need.name, minor) for need in component.needed if size in need.sizes]

    def stack_for_wiring(self, component: CatalogComponent, wired: Wiring, size: str, minor: int) -> list[str] | None:
        """The components of a stack in which a wiring applies; None if one of them does not support the version."""
        try:
            others = [self._provider(name, minor) for name in wired.all_of if name != DOMAIN]
        except UnknownNameError:
            return None
        return [component.name, *others, *self.providers_of_needs(component, size, minor)]

    def layers_alone(self, name: str, minor: int, size: str) -> tuple[Positioned, ...]:
        """The layers of the component in a stack with nothing but what it needs.

        Raises:
            UnknownNameError: if no component provides what it needs.
        """
        component = self.library.component(name)
        context = self.context([name, *self.providers_of_needs(component, size, minor)], minor, size)
        return wiring.layers(context.components[name], context)

    def _provider(self, name: str, minor: int) -> str:
        for provider in self.library.providers(name):
            if self.stack_component(provider, minor):
                return provider
        raise UnknownNameError(
            f"no component of the catalog provides {name} on Kubernetes 1.{minor}",
            fix="see the components with `cluster-forge catalog list`; capabilities are listed under `provides`",
        )


def newest(component: CatalogComponent) -> int:
    """The newest of the `MINORS` that a component supports; the newest of all if it supports none of them."""
    return max((minor for minor in MINORS if versions.chosen_version(component, minor)), default=MINORS[-1])
