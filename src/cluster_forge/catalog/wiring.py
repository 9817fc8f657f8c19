"""Catalog components as layers of a description: the version that fits, sized, and wired to the others in the stack."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cluster_forge.catalog import value_paths, versions
from cluster_forge.catalog.external_secret import external_secret
from cluster_forge.catalog.placeholders import Placeholders
from cluster_forge.stack import merge
from cluster_forge.yaml.positioned import Positioned

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import CatalogComponent, Secret, Wiring
    from cluster_forge.catalog.stack_context import StackComponent, StackContext

SECRET_STORE: Final = "secret-store"  # noqa: S105 - a capability
"""The capability of a store that fills Secrets; its attribute ``name`` is the name of a ClusterSecretStore."""

_DOT: Final = re.compile(r"(?<!\\)\.")


def layers(member: StackComponent, context: StackContext, needs: Sequence[str] = ()) -> tuple[Positioned, ...]:
    """The component's description for this stack, in layers, each with its origin.

    Raises:
        DescriptionError: for a ``${…}`` without a value.
    """
    component, version, size = member.component, member.version, context.target.size
    origin = f"catalog:{component.name}"
    replaced = Placeholders(member, context).replaced
    base: dict[str, Any] = {
        "name": component.name,
        "namespace": component.namespace,
        "podSecurity": component.pod_security,
        **run_time_objects(component),
        **_accepted(component),
        "needs": list(needs),
        "values": replaced(merge.values(component.values, version.values)),
        "objects": replaced(component.objects),
        "manifests": version.manifests,
        "secrets": [replaced(_secret(secret)) for secret in component.secrets if _applies(secret, context)],
    }
    if component.wave is not None:
        base["wave"] = component.wave
    helm = versions.chart_of(component, version)
    if helm:
        base["helm"] = helm
    stacked = [_layer(base, origin)]
    sized = merge.values(getattr(component.sizes, size), getattr(version.sizes, size))
    if sized:
        stacked.append(_layer({"values": replaced(sized)}, f"{origin} (size {size})"))
    for wiring in applying(component, context):
        stacked.append(_wired(wiring, stacked, replaced, f"{origin} ({_condition(wiring)})"))
    external_secrets = from_store(component, context)
    if external_secrets:
        objects = merge.positioned(*stacked).plain.get("objects", [])
        stacked.append(_layer({"objects": [*objects, *replaced(external_secrets)]}, f"{origin} (with {SECRET_STORE})"))
    return tuple(stacked)


def run_time_objects(component: CatalogComponent) -> dict[str, Any]:
    """What a component creates at run time, and what its kinds refer to, as a description says it; a key without anything is left
    out.
    """
    operated = [entry.model_dump(exclude_defaults=True) for entry in component.operates]
    referring = [entry.model_dump(exclude_defaults=True) for entry in component.refers_to]
    created = {"operates": operated, "makesSecrets": component.makes_secrets, "refersTo": referring}
    return {key: value for key, value in created.items() if value}


def _accepted(component: CatalogComponent) -> dict[str, Any]:
    """The findings that the component accepts, as a description says it."""
    accepts = [
        {"code": exception.rule, "objects": exception.patterns, "reason": exception.reason}
        for exception in component.exceptions
    ]
    return {"accepts": accepts} if accepts else {}


def from_store(component: CatalogComponent, context: StackContext) -> list[dict[str, Any]]:
    """An ExternalSecret for each Secret that a component expects and a store may have, if the stack has a store."""
    if context.provider(SECRET_STORE) is None:
        return []
    store = f"${{{SECRET_STORE}.name}}"
    return [
        external_secret(secret.name, secret.namespace or "${namespace}", secret.keys, store)
        for secret in component.secrets
        if not secret.by_hand and _applies(secret, context)
    ]


def _secret(secret: Secret) -> dict[str, Any]:
    described = {"name": secret.name, "keys": secret.keys, "purpose": secret.purpose}
    return {**described, "namespace": secret.namespace} if secret.namespace else described


def applying(component: CatalogComponent, context: StackContext) -> Iterator[Wiring]:
    """The wirings of a component that apply in a stack."""
    return (wiring for wiring in component.wiring if _applies(wiring, context))


def _applies(conditional: Wiring | Secret, context: StackContext) -> bool:
    """Whether its conditions are met; what asks for an attribute of what only the cluster provides never applies."""
    without_address = (name for name in context.cluster_provides if context.provider(name) is None)
    return context.meets(conditional) and not any(_asks_for(conditional, name) for name in without_address)


def _asks_for(conditional: Wiring | Secret, name: str) -> bool:
    return f"${{{name}." in str(conditional.model_dump(include={"values", "append", "objects", "name"}))


def _condition(wiring: Wiring) -> str:
    parts = [f"with {', '.join(wiring.all_of)}"] if wiring.all_of else []
    parts += [f"without {', '.join(wiring.none_of)}"] if wiring.none_of else []
    return " ".join(parts) or "wiring"


def _wired(wiring: Wiring, below: Sequence[Positioned], replaced: Callable[[Any], Any], origin: str) -> Positioned:
    values = replaced(wiring.values)
    under = merge.positioned(*below).plain if wiring.append or wiring.objects else {}
    for path, addition in wiring.append.items():
        keys = [key.replace("\\.", ".") for key in _DOT.split(path)]
        present = value_paths.at(merge.values(under.get("values", {}), values), keys)
        added = replaced(addition)
        values = merge.values(values, value_paths.nested(keys, added if present is None else present + added))
    layer: dict[str, Any] = {"values": values} if values else {}
    if wiring.objects:
        layer["objects"] = [*under.get("objects", []), *replaced(wiring.objects)]
    return _layer(layer, origin)


def _layer(content: Mapping[str, Any], origin: str) -> Positioned:
    return Positioned.of(content, Positioned(MappingProxyType({}), origin))
