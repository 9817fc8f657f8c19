"""Small stacks of the catalog's components as whole: everyone in them wired to the others, the objects in namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cluster_forge.catalog import wiring
from cluster_forge.catalog.trial_plan import MINORS
from cluster_forge.catalog.wiring import Placed, Surroundings
from cluster_forge.checks import references
from cluster_forge.checks.inventory import Inventory, Place
from cluster_forge.checks.production import Breach
from cluster_forge.manifests import hooks, normalize
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

SHIPPED = (hooks.HookUse.NONE, hooks.HookUse.INSTALL)


@dataclass(frozen=True)
class TrialStack:
    """What the components of a stack come to, by component; ``secrets`` are those that others make."""

    around: Surroundings
    parts: Mapping[str, tuple[Manifest, ...]]
    secrets: frozenset[Place]

    @cached_property
    def every(self) -> list[Manifest]:
        return [manifest for part in self.parts.values() for manifest in part]

    @cached_property
    def inventory(self) -> Inventory:
        return Inventory(self.every, self.secrets)

    @cached_property
    def breaches(self) -> list[Breach]:
        """What leads nowhere, but for what the catalog excuses."""
        exceptions = {each.name: each.component.exceptions for each in self.around.placed.values()}
        return references.breaches(self.every, secrets=self.secrets, exceptions=exceptions)

    def lost(self, name: str) -> list[Breach]:
        """What of a component leads nowhere."""
        ours = {str(each.id) for each in self.parts[name]}
        return [each for each in self.breaches if each.object in ours]

    def kinds(self, name: str, *kinds: str) -> list[Manifest]:
        """A component's objects of these kinds."""
        return [each for each in self.parts[name] if each.id.kind in kinds]

    def one(self, name: str, kind: str, called: str) -> Manifest:
        """The object of a component with this kind and name."""
        (found,) = [each for each in self.kinds(name, kind) if each.id.name == called]
        return found


@dataclass(frozen=True)
class TrialStacks:
    """Makes small stacks, of components that ``trials`` makes."""

    trials: TrialRenderer

    def of(
        self, *names: str, size: str = "small", minor: int = 0, domain: str = "", about: Sequence[str] = ()
    ) -> TrialStack:
        """A stack of these components, without what they need; on the newest Kubernetes that all are for.

        Of those that it is not ``about`` only those are made whose namespace or APIs the others name.
        """
        companies = self.trials.companies
        minor = minor or max(each for each in MINORS if all(companies.placed(name, each) for name in names))
        return self._make(companies.around(names, minor, size, domain=domain), minor, about or names)

    def whole(self, *names: str, size: str = "small", minor: int = 0) -> TrialStack:
        """A stack about these components, with what they need."""
        companies, library = self.trials.companies, self.trials.companies.library
        at = minor or max(each for each in MINORS if all(companies.placed(name, each) for name in names))
        needed = [other for name in names for other in companies.neighbours(library.component(name), size, at)]
        return self.of(*dict.fromkeys((*names, *needed)), size=size, minor=at, about=names)

    def _make(self, around: Surroundings, minor: int, about: Sequence[str]) -> TrialStack:
        parts = {name: self._part(around, around.placed[name], minor) for name in about}
        said = b"".join(manifest.document.json for part in parts.values() for manifest in part)
        for name, placed in around.placed.items():
            groups = [each for each in placed.component.provides if "." in each]
            if name not in parts and any(each.encode() in said for each in (placed.namespace, *groups)):
                parts[name] = self._part(around, placed, minor)
        scopes = Scopes.of(minor, [manifest for part in parts.values() for manifest in part])
        placed_parts = {
            name: tuple(normalize.placed(each, around.placed[name].namespace, scopes) for each in part)
            for name, part in parts.items()
        }
        secrets = {place for placed in around.placed.values() for place in _secrets(placed, around)}
        return TrialStack(around, placed_parts, frozenset(secrets))

    def _part(self, around: Surroundings, placed: Placed, minor: int) -> tuple[Manifest, ...]:
        layers = wiring.layers(placed, around)
        definers = [
            each.name
            for each in around.placed.values()
            if each is not placed and any("." in given for given in each.component.provides)
        ]
        apis = self.trials.apis(definers, minor, "small")  # CRDs are the same for all sizes
        made = self.trials.made(placed.name, layers, minor, apis)
        return tuple(each for each in made if hooks.use_of(each.facts.hook) in SHIPPED)


def _secrets(placed: Placed, around: Surroundings) -> Iterator[Place]:
    """The Secrets that others make for a component, or it makes itself when it runs."""
    for each in wiring.layers(placed, around)[0].plain["secrets"]:
        yield each.get("namespace", placed.namespace), each["name"]
    for name in placed.component.makes_secrets:
        yield placed.namespace, name
