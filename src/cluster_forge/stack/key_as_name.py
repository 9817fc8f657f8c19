"""Components whose name was written as a key: ``- grafana:`` with the settings below it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.names import is_dns_label
from cluster_forge.stack.schema.component import EntrySchema
from cluster_forge.yaml.positioned import Positioned

_KEYS: Final = frozenset(field.alias or name for name, field in EntrySchema.model_fields.items())
_SECTIONS: Final = ("components", "define")


def named(document: Positioned) -> tuple[Positioned, list[DescriptionError]]:
    """The description with these components named, so that their settings are checked too, and an error for each."""
    errors: list[DescriptionError] = []
    layer = _layer(document, "", errors)
    environments = document.get("environments")
    if environments:
        layers = {name: _layer(inner, f"environments.{name}.", errors) for name, inner in environments.mapping.items()}
        changed = replace(environments, content=MappingProxyType(layers)) if layers else environments
        layer = replace(layer, content=MappingProxyType({**layer.mapping, "environments": changed}))
    return (layer if errors else document), errors


def _layer(document: Positioned, path: str, errors: list[DescriptionError]) -> Positioned:
    members = dict(document.mapping)
    for section in _SECTIONS:
        listed = document.get(section)
        if listed and listed.items:
            items = tuple(_named(item, f"{path}{section}[{index}]", errors) for index, item in enumerate(listed.items))
            members[section] = replace(listed, content=items)
    return replace(document, content=MappingProxyType(members)) if members else document


def _named(item: Positioned, path: str, errors: list[DescriptionError]) -> Positioned:
    """The component with its name; as it is if a name is given, or if no key can be one."""
    names = [key for key in item.mapping if key not in _KEYS and is_dns_label(key)]
    if "name" in item.mapping or len(names) != 1:
        return item
    (name,) = names
    key = item.mapping[name]
    if key.content is not None and not key.mapping:
        return item
    inner = ": write its settings beside `name`, as far to the right" if key.mapping or len(item.mapping) > 1 else ""
    errors.append(
        DescriptionError(
            f"{path}: {name!r} is a key, not a name", where=item.where, fix=f"write `- name: {name}`{inner}"
        )
    )
    is_settings = not _KEYS.isdisjoint(key.mapping)
    settings = key.mapping if is_settings else {}
    others = {setting: value for setting, value in item.mapping.items() if setting != name}
    return replace(item, content=MappingProxyType({**settings, **others, "name": Positioned.of(name, item)}))
