"""Small stacks of the catalog's components as whole: everyone in them wired to the others, the objects in namespaces."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cluster_forge.catalog import links, wiring
from cluster_forge.catalog.company import MINORS
from cluster_forge.catalog.inventory import Inventory, Place
from cluster_forge.catalog.rules import Breach
from cluster_forge.catalog.wiring import Surroundings
from cluster_forge.manifests import hooks, normalize
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes

if TYPE_CHECKING:
    from cluster_forge.stages.trials import Trials

SHIPPED = (hooks.HookUse.NONE, hooks.HookUse.INSTALL)


@dataclass(frozen=True)
class SmallStack:
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
        return links.breaches(self.every, secrets=self.secrets, exceptions=exceptions)

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
class SmallStacks:
    """Makes small stacks; the same one is made once."""

    trials: Trials
    _made: dict[tuple[object, ...], SmallStack] = field(default_factory=dict, init=False, repr=False)

    def of(self, *names: str, size: str = "small", minor: int = 0, domain: str = "") -> SmallStack:
        """A stack of these components, without what they need; on the newest Kubernetes that all are for."""
        companies = self.trials.companies
        minor = minor or max(each for each in MINORS if all(companies.placed(name, each) for name in names))
        key = (*names, size, minor, domain)
        if key not in self._made:
            self._made[key] = self._make(companies.around(names, minor, size, domain=domain), minor, size)
        return self._made[key]

    def whole(self, *names: str, size: str = "small", minor: int = 0, domain: str = "") -> SmallStack:
        """The same, with what they need."""
        companies, library = self.trials.companies, self.trials.companies.library
        at = minor or max(each for each in MINORS if all(companies.placed(name, each) for name in names))
        needed = [other for name in names for other in companies.neighbours(library.component(name), size, at)]
        return self.of(*dict.fromkeys((*names, *needed)), size=size, minor=at, domain=domain)

    def _make(self, around: Surroundings, minor: int, size: str) -> SmallStack:
        parts: dict[str, tuple[Manifest, ...]] = {}
        secrets: set[Place] = set()
        for name, placed in around.placed.items():
            layers = wiring.layers(placed, around)
            apis = self.trials.apis(
                [other for other in around.placed if other != name and self._defines(other)], minor, size
            )
            made = self.trials.made(name, layers, minor, apis)
            parts[name] = tuple(each for each in made if hooks.use_of(each) in SHIPPED)
            expected = layers[0].plain["secrets"]
            secrets |= {(each.get("namespace", placed.namespace), each["name"]) for each in expected}
            secrets |= {(placed.namespace, each) for each in placed.component.makes_secrets}
        scopes = Scopes.of(minor, [manifest for part in parts.values() for manifest in part])
        placed_parts = {
            name: tuple(normalize.placed(each, around.placed[name].namespace, scopes) for each in part)
            for name, part in parts.items()
        }
        return SmallStack(around, placed_parts, frozenset(secrets))

    def _defines(self, name: str) -> bool:
        """Whether a component brings CRDs: it says so by the groups of their APIs."""
        return any("." in each for each in self.trials.companies.library.component(name).provides)


def files_of(manifest: Manifest) -> dict[str, str]:
    """The files in a ConfigMap or Secret, as text."""
    body = manifest.body
    decoded = (
        {key: base64.b64decode(text).decode() for key, text in (body.get("data") or {}).items()}
        if manifest.id.kind == "Secret"
        else dict(body.get("data") or {})
    )
    return decoded | (body.get("stringData") or {})


def members(value: Any, key: str) -> Iterator[Any]:
    """Every member of that name in nested mappings and lists."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name == key:
                yield member
            yield from members(member, key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from members(item, key)
