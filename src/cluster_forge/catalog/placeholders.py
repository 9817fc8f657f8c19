"""``${…}`` in the strings of a component's file: what it is called in the stack, and what other components provide.

``${namespace}`` is the component's own; ``${logs-backend.url}`` is an attribute of the capability ``logs-backend`` as its
provider's file has it, in terms of the provider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.catalog.stack_context import StackComponent, StackContext
from cluster_forge.foundation.errors import DescriptionError

_PLACEHOLDER: Final = re.compile(r"\$?\$\{([^{}]*)\}")


class Placeholders:
    """Replaces the placeholders of one component."""

    def __init__(self, owner: StackComponent, context: StackContext) -> None:
        self._owner = owner
        self._context = context

    def replaced(self, value: Any) -> Any:
        """The value with every ``${…}`` in its strings replaced; ``$${`` stays as ``${``.

        Raises:
            DescriptionError: for a placeholder without a value.
        """
        if isinstance(value, Mapping):
            return {key: self.replaced(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.replaced(item) for item in value]
        return _PLACEHOLDER.sub(self._replacement, value) if isinstance(value, str) else value

    def attributes(self, name: str) -> dict[str, str]:
        """What the component provides as the capability ``name``: its attributes that have a value in this stack."""
        values = {attribute: self._value(f"{name}.{attribute}", self._owner, ()) for attribute in self._provided(name)}
        return {attribute: value for attribute, value in values.items() if value is not None}

    def _provided(self, name: str) -> Mapping[str, str]:
        provides = self._owner.component.provides
        if name in provides:
            return provides[name]
        return {attribute: text for attributes in provides.values() for attribute, text in attributes.items()}

    def _replacement(self, match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        value = self._value(match[1], self._owner, inside=())
        if value is None:
            raise DescriptionError(
                f"{self._owner.name}: unresolved reference {match[0]}",
                where=f"catalog:{self._owner.name}",
                fix="add a component that provides it (`cluster-forge catalog show NAME`), or set the value yourself",
            )
        return value

    def _value(self, name: str, owner: StackComponent, inside: tuple[str, ...]) -> str | None:
        capability, dot, attribute = name.rpartition(".")
        if not dot:
            return _own(owner, self._context).get(name)
        provider = self._context.provider(capability)
        if provider is None or name in inside:
            return None
        provides = provider.component.provides
        text = provides.get(capability, {}).get(attribute)
        if text is None:
            text = next((attributes[attribute] for attributes in provides.values() if attribute in attributes), None)
        if text is None:
            return _own(provider, self._context).get(attribute)

        def inner(match: re.Match[str]) -> str:
            return self._value(match[1], provider, (*inside, name)) or match[0]

        return _PLACEHOLDER.sub(inner, text)


def facts(context: StackContext) -> dict[str, dict[str, str]]:
    """What the components of a stack provide: the attributes of each capability, and of each component, which has its
    ``namespace`` and ``release``, too.
    """
    capabilities = dict.fromkeys(name for member in context.components.values() for name in member.component.provides)
    providers = {name: provider for name in capabilities if (provider := context.provider(name))}
    provided = {name: Placeholders(provider, context).attributes(name) for name, provider in providers.items()}
    for name, member in context.components.items():
        own = {"namespace": member.namespace, "release": member.release}
        provided[name] = {**own, **Placeholders(member, context).attributes(name)}
    return provided


def _own(component: StackComponent, context: StackContext) -> Mapping[str, str]:
    target = context.target
    return {
        "name": component.name,
        "namespace": component.namespace,
        "release": component.release,
        "domain": target.domain,
        "size": str(target.size),
    }
