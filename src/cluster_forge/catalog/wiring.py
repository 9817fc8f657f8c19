"""Components as they are in a stack: the version that fits, sized, and wired to the others that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.catalog.component_format import minors
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack import merge
from cluster_forge.yaml.positioned import Positioned

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import CatalogComponent, PartialHelm, Secret, Version, Wiring
    from cluster_forge.stack.model import Target

SECRET_STORE: Final = "secret-store"  # noqa: S105 - a capability
"""The capability of what gives Secrets their content: with its ``name``, a ClusterSecretStore's."""

DOMAIN: Final = "domain"
"""The capability that is there where ``target.domain`` is given."""

_PLACEHOLDER = re.compile(r"\$?\$\{([^{}]*)\}")
_DOT = re.compile(r"(?<!\\)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A component of the catalog in a stack: the version that was chosen, and what its user changed of its place."""

    component: CatalogComponent
    version: Version
    namespace: str
    release: str

    @property
    def name(self) -> str:
        return self.component.name


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is in a stack: its components of the catalog in the order of preference, and its target.

    ``given`` are the capabilities that the cluster has by itself, ``others`` the names of components that are no
    catalog's: they meet needs, but nobody knows their addresses.
    """

    target: Target
    placed: Mapping[str, Placed]
    given: frozenset[str] = frozenset()
    preference: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def provider(self, name: str) -> Placed | None:
        """Who gives a capability, or the component of that name."""
        if name in self.placed:
            return self.placed[name]
        order = [each for each in self.preference.get(name, ()) if each in self.placed]
        order += [each for each in self.placed if each not in order]
        return next((self.placed[each] for each in order if name in self.placed[each].component.provides), None)

    def has(self, name: str) -> bool:
        """Whether a component or capability is there."""
        if name == DOMAIN:
            return bool(self.target.domain)
        return name in self.given or self.provider(name) is not None


def layers(placed: Placed, around: Surroundings, needs: Sequence[str] = ()) -> tuple[Positioned, ...]:
    """The component's description for this stack, in layers, each with where it comes from.

    Raises:
        DescriptionError: for a ``${…}`` that stands for nothing.
    """
    component, version, size = placed.component, placed.version, around.target.size
    origin = f"catalog:{component.name}"
    filled = _Filling(placed, around).filled
    values = merge.values(component.values, version.values)
    base: dict[str, Any] = {
        "name": component.name,
        "namespace": component.namespace,
        "podSecurity": component.pod_security,
        "needs": list(needs),
        "values": filled(values),
        "objects": filled(component.objects),
        "manifests": version.manifests,
        "secrets": [filled(_secret(each)) for each in component.secrets if _applies(each, around)],
    }
    if component.wave is not None:
        base["wave"] = component.wave
    helm = helm_of(component, version)
    if helm:
        base["helm"] = helm
    found = [_traced(base, origin)]
    sized = merge.values(getattr(component.sizes, size), getattr(version.sizes, size))
    if sized:
        found.append(_traced({"values": filled(sized)}, f"{origin} (size {size})"))
    for wiring in applying(component, around):
        found.append(_wired(wiring, found, filled, f"{origin} ({_because(wiring)})"))
    fetched = from_store(component, around)
    if fetched:
        there = merge.positioned(*found).plain.get("objects", [])
        found.append(_traced({"objects": [*there, *filled(fetched)]}, f"{origin} (with {SECRET_STORE})"))
    return tuple(found)


def from_store(component: CatalogComponent, around: Surroundings) -> list[dict[str, Any]]:
    """An ExternalSecret (external-secrets.io/v1) for each Secret that a component expects, where a store is there.

    The store's entry is called like the Secret, and its fields like the keys.
    """
    if around.provider(SECRET_STORE) is None:
        return []
    return [
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": secret.name, "namespace": secret.namespace or "${namespace}"},
            "spec": {
                "refreshInterval": "1h",
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": f"${{{SECRET_STORE}.name}}"},
                "target": {"name": secret.name},
                "data": [{"secretKey": key, "remoteRef": {"key": secret.name, "property": key}} for key in secret.keys],
            },
        }
        for secret in component.secrets
        if not secret.by_hand and _applies(secret, around)
    ]


def _secret(secret: Secret) -> dict[str, Any]:
    shown = {"name": secret.name, "keys": secret.keys, "purpose": secret.purpose}
    return {**shown, "namespace": secret.namespace} if secret.namespace else shown


def applying(component: CatalogComponent, around: Surroundings) -> Iterator[Wiring]:
    """The wirings that count in these surroundings."""
    return (each for each in component.wiring if _applies(each, around))


def _applies(what: Wiring | Secret, around: Surroundings) -> bool:
    """Whether all sides are there. Of what the cluster has by itself nobody knows an address, so none may be asked for."""
    return (
        around.target.size in what.sizes
        and all(map(around.has, what.all_of))
        and not any(map(around.has, what.none_of))
        and not any(_is_asked_for(name, what) for name in around.given if around.provider(name) is None)
    )


def _is_asked_for(name: str, what: Wiring | Secret) -> bool:
    said = what.model_dump(include={"values", "append", "objects", "name"})
    return f"${{{name}." in str(said)


def chosen_version(component: CatalogComponent, minor: int, asked: str = "") -> Version | None:
    """The newest version for a minor version of Kubernetes, or the one that is asked for; None where there is none."""
    possible = [each for each in component.versions if asked in ("", each.version)]
    fitting = [each for each in possible if minor in minors(each.kubernetes)]
    return next(iter(fitting or (possible if asked else ())), None)


def helm_of(component: CatalogComponent, version: Version) -> dict[str, str]:
    """``helm`` as a description has it; empty for a component without a chart."""
    said: dict[str, str] = {}
    each: PartialHelm
    for each in (component.helm, version.helm):
        said |= {key: value for key, value in each.model_dump().items() if value}
    return {**said, "version": version.version} if said else {}


def _because(wiring: Wiring) -> str:
    parts = [f"with {', '.join(wiring.all_of)}"] if wiring.all_of else []
    parts += [f"without {', '.join(wiring.none_of)}"] if wiring.none_of else []
    return " ".join(parts) or "wiring"


def _wired(wiring: Wiring, below: Sequence[Positioned], filled: Callable[[Any], Any], origin: str) -> Positioned:
    values = filled(wiring.values)
    under = merge.positioned(*below).plain if wiring.append or wiring.objects else {}
    for path, extra in wiring.append.items():
        keys = [key.replace("\\.", ".") for key in _DOT.split(path)]
        there = _at(merge.values(under.get("values", {}), values), keys)
        more = filled(extra)
        values = merge.values(values, _nested(keys, more if there is None else there + more))
    layer: dict[str, Any] = {"values": values} if values else {}
    if wiring.objects:
        layer["objects"] = [*under.get("objects", []), *filled(wiring.objects)]
    return _traced(layer, origin)


def _at(values: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _nested(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _traced(value: Mapping[str, Any], origin: str) -> Positioned:
    return Positioned.of(value, Positioned(MappingProxyType({}), origin))


class _Filling:
    """``${…}`` of one component's strings."""

    def __init__(self, placed: Placed, around: Surroundings) -> None:
        self._placed = placed
        self._around = around

    def filled(self, value: Any) -> Any:
        """The value with every ``${…}`` in a string replaced; ``$${`` stays as ``${``."""
        if isinstance(value, Mapping):
            return {key: self.filled(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        return _PLACEHOLDER.sub(self._one, value) if isinstance(value, str) else value

    def _one(self, found: re.Match[str]) -> str:
        if found[0].startswith("$$"):
            return found[0][1:]
        value = self._meaning(found[1], self._placed, inside=())
        if value is None:
            raise DescriptionError(
                f"{self._placed.name}: nothing says what {found[0]} is",
                where=f"catalog:{self._placed.name}",
                fix="add a component that gives it (`cluster-forge catalog show NAME`), or set the value yourself",
            )
        return value

    def _meaning(self, name: str, placed: Placed, inside: tuple[str, ...]) -> str | None:
        owner, dot, attribute = name.rpartition(".")
        if not dot:
            return _own(placed, self._around).get(name)
        provider = self._around.provider(owner)
        if provider is None or name in inside:
            return None
        component = provider.component
        given = component.provides.get(owner)
        text = given.get(attribute) if given else None
        if text is None:
            text = next((each[attribute] for each in component.provides.values() if attribute in each), None)
        if text is None:
            return _own(provider, self._around).get(attribute)

        def inner(found: re.Match[str]) -> str:
            return self._meaning(found[1], provider, (*inside, name)) or found[0]

        return _PLACEHOLDER.sub(inner, text)


def _own(placed: Placed, around: Surroundings) -> Mapping[str, str]:
    target = around.target
    return {
        "name": placed.name,
        "namespace": placed.namespace,
        "release": placed.release,
        "domain": target.domain,
        "size": str(target.size),
    }
