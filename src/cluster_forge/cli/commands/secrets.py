"""secrets list: the Secrets that the stack expects, and how to make them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli.session import Session, verb

if TYPE_CHECKING:
    from cluster_forge.stack.model import ExpectedSecret


@click.group("secrets", help="The Secrets that the stack expects, and how to make them.")
def command() -> None:
    """The group; its verb is below."""


@verb("List the Secrets that the stack expects.", selection=True)
@click.option("--external", metavar="STORE", help="As ExternalSecrets of this ClusterSecretStore instead of commands.")
def list_secrets(session: Session, external: str | None) -> None:
    """Each with the command that makes it. Nothing secret is read or written: every value is for you to fill in."""
    from cluster_forge.cli import description

    stack = description.loaded(session.files(), session.selection).stack
    found = [(component.name, secret) for component in stack.components for secret in component.secrets]
    once = {(secret.namespace, secret.name): (name, secret) for name, secret in found}
    fetched = {_identity(each) for component in stack.components for each in component.objects}
    for place, (name, secret) in once.items():
        session.say(f"# {name}: {secret.purpose or secret.name}")
        if place in fetched:
            session.say(
                f"#   External Secrets makes {secret.namespace}/{secret.name} from the store's entry {secret.name!r}:"
            )
            session.say(f"#   it has to have {', '.join(secret.keys)}")
        else:
            for line in _external(secret, external) if external else _command(secret):
                session.say(line)
        session.say("")
    if not once:
        session.say("the stack expects no Secrets")
    session.answer(
        "secrets list",
        stack=stack.name,
        secrets=[
            {
                "component": name,
                "name": secret.name,
                "namespace": secret.namespace,
                "keys": dict(secret.keys),
                "purpose": secret.purpose,
                "fromStore": place in fetched,
                "command": "\n".join(_command(secret)),
            }
            for place, (name, secret) in once.items()
        ],
    )


def _identity(body: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of an ExternalSecret; of no object that is none."""
    metadata = body.get("metadata") or {}
    is_one = body.get("kind") == "ExternalSecret"
    return (metadata.get("namespace", ""), metadata.get("name", "")) if is_one else ("", "")


def _command(secret: ExpectedSecret) -> Iterator[str]:
    start = ["kubectl", "create", "secret", "generic", secret.name, "--namespace", secret.namespace]
    lines = [shlex.join(start), *(f"  --from-literal={shlex.quote(f'{key}=…')}" for key in secret.keys)]
    for key, meaning in secret.keys.items():
        yield f"#   {key}: {meaning}"
    yield " \\\n".join(lines)


def _external(secret: ExpectedSecret, store: str) -> Iterator[str]:
    from cluster_forge.yaml import document_writer

    data: list[dict[str, Any]] = [
        {"secretKey": key, "remoteRef": {"key": secret.name, "property": key}} for key in secret.keys
    ]
    body = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": secret.name, "namespace": secret.namespace},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": secret.name},
            "data": data,
        },
    }
    yield "---"
    yield from document_writer.mapping(body, "")


command.add_command(list_secrets, "list")
