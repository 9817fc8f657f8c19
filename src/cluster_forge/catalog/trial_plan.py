"""Small stacks around one component: alone with what it needs, and with those whom one of its wirings is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.catalog import wiring
from cluster_forge.catalog.component_format import CatalogComponent, Wiring
from cluster_forge.catalog.library import Library
from cluster_forge.catalog.wiring import Placed, Surroundings
from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.stack.model import KubernetesVersion, Size, Target
from cluster_forge.yaml.positioned import Positioned

MINORS = (25, 28, 31, 33, 35)
"""The minor versions of Kubernetes 1 for which components are tried."""


@dataclass(frozen=True)
class TrialPlans:
    """The stacks that a library's components can be tried in. A ``minor`` is the 33 of Kubernetes 1.33."""

    library: Library

    def placed(self, name: str, minor: int) -> Placed | None:
        """The component as it is for a minor version; None where it is not for it."""
        component = self.library.component(name)
        version = wiring.chosen_version(component, minor)
        if version is None:
            return None
        release = wiring.helm_of(component, version).get("release") or name
        return Placed(component=component, version=version, namespace=component.namespace, release=release)

    def around(self, names: Sequence[str], minor: int, size: str, *, domain: str = "") -> Surroundings:
        """A stack of just these components, without what they need."""
        placed = {name: found for name in names if (found := self.placed(name, minor))}
        target = Target(kubernetes=KubernetesVersion(1, minor), size=Size(size), domain=domain)
        preference = {name: each.providers for name, each in self.library.capabilities.items()}
        return Surroundings(target=target, placed=placed, preference=preference)

    def neighbours(self, component: CatalogComponent, size: str, minor: int) -> list[str]:
        """Who gives what a component needs at a size: its ``${…}`` are theirs.

        Raises:
            UnknownNameError: if nobody does.
        """
        return [self._provider(need.name, minor) for need in component.needed if size in need.sizes]

    def company(self, component: CatalogComponent, each: Wiring, size: str, minor: int) -> list[str] | None:
        """A stack in which a wiring applies; None if one of those that it is with is not for the minor version."""
        try:
            names = [self._provider(name, minor) for name in each.all_of if name != wiring.DOMAIN]
        except UnknownNameError:
            return None
        return [component.name, *names, *self.neighbours(component, size, minor)]

    def alone(self, name: str, minor: int, size: str) -> tuple[Positioned, ...]:
        """The layers of the component where nothing is but what it needs.

        Raises:
            UnknownNameError: if nobody gives what it needs.
        """
        component = self.library.component(name)
        around = self.around([name, *self.neighbours(component, size, minor)], minor, size)
        return wiring.layers(around.placed[name], around)

    def _provider(self, name: str, minor: int) -> str:
        for each in self.library.providers(name):
            if self.placed(each, minor):
                return each
        raise UnknownNameError(
            f"no component of the catalog gives {name} on Kubernetes 1.{minor}",
            fix="`cluster-forge catalog list` shows the components; a capability is one that a component `provides`",
        )


def newest(component: CatalogComponent) -> int:
    """The newest of the `MINORS` that a component is for; the newest of all if it is for none of them."""
    return max((minor for minor in MINORS if wiring.chosen_version(component, minor)), default=MINORS[-1])
