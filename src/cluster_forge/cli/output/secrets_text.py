"""The Secrets that a stack expects: as commands that create them, as ExternalSecrets, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster_forge.catalog.external_secret import external_secret
from cluster_forge.stack.model import ExpectedSecret, Stack
from cluster_forge.yaml import document_writer


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSecret:
    """A Secret, the component that expects it, and whether an ExternalSecret of the stack creates it."""

    component: str
    secret: ExpectedSecret
    is_from_store: bool


def listed(stack: Stack) -> list[ListedSecret]:
    """Each Secret once, even if several components expect it."""
    from_store = {
        (body["metadata"].get("namespace", ""), body["metadata"].get("name", ""))
        for component in stack.components
        for body in component.objects
        if body.get("kind") == "ExternalSecret" and body.get("metadata")
    }
    expected = {
        (secret.namespace, secret.name): (component.name, secret)
        for component in stack.components
        for secret in component.secrets
    }
    return [
        ListedSecret(component=component, secret=secret, is_from_store=place in from_store)
        for place, (component, secret) in expected.items()
    ]


def lines(entry: ListedSecret, store: str | None) -> Iterator[str]:
    """What to do for a Secret: a command, an entry in a store, or with ``store`` an ExternalSecret for that one."""
    secret = entry.secret
    yield f"# {entry.component}: {secret.purpose or secret.name}"
    if entry.is_from_store:
        yield f"#   External Secrets creates {secret.namespace}/{secret.name} from the store:"
        yield f"#   its entry {secret.name!r} must have {', '.join(secret.keys)}"
    elif store:
        yield "---"
        yield from document_writer.mapping(external_secret(secret.name, secret.namespace, secret.keys, store))
    else:
        yield from _command(secret)
    yield ""


def json(entry: ListedSecret) -> dict[str, Any]:
    secret = entry.secret
    return {
        "component": entry.component,
        "name": secret.name,
        "namespace": secret.namespace,
        "keys": dict(secret.keys),
        "purpose": secret.purpose,
        "fromStore": entry.is_from_store,
        "command": "\n".join(_command(secret)),
    }


def _command(secret: ExpectedSecret) -> Iterator[str]:
    start = ["kubectl", "create", "secret", "generic", secret.name, "--namespace", secret.namespace]
    parts = [shlex.join(start), *(f"  --from-literal={shlex.quote(f'{key}=…')}" for key in secret.keys)]
    for key, meaning in secret.keys.items():
        yield f"#   {key}: {meaning}"
    yield " \\\n".join(parts)
