"""secrets list: the Secrets that the stack expects, and the commands that create them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import SELECTS, verb

if TYPE_CHECKING:
    from cluster_forge.stack.model import ExpectedSecret

command = help_page.group(
    "secrets",
    """List the Secrets that the stack expects.

    Examples:
        cluster-forge secrets list
    """,
)


@verb(*SELECTS)
@click.option(
    "--external", metavar="STORE", help="Print ExternalSecrets for this ClusterSecretStore instead of commands."
)
def list_secrets(session: Session, external: str | None) -> None:
    """List the Secrets that the stack expects, each with the kubectl command that creates it.

    No secret value is read or written: fill in the placeholders yourself. Secrets that External Secrets creates are
    listed with the entries that its store must have.

    Examples:
        cluster-forge secrets list
        cluster-forge secrets list grafana --external vault > secrets.yaml
    """
    from cluster_forge.cli import description

    stack = description.loaded(session).stack
    secrets = {
        (secret.namespace, secret.name): (component.name, secret)
        for component in stack.components
        for secret in component.secrets
    }
    from_store = {_external_secret(body) for component in stack.components for body in component.objects}
    for place, (component, secret) in secrets.items():
        session.print(f"# {component}: {secret.purpose or secret.name}")
        if place in from_store:
            session.print(f"#   External Secrets creates {secret.namespace}/{secret.name} from the store:")
            session.print(f"#   its entry {secret.name!r} must have {', '.join(secret.keys)}")
        else:
            for line in _external(secret, external) if external else _command(secret):
                session.print(line)
        session.print("")
    if not secrets:
        session.print("the stack expects no Secrets")
    session.print_json(
        "secrets list",
        stack=stack.name,
        secrets=[
            {
                "component": component,
                "name": secret.name,
                "namespace": secret.namespace,
                "keys": dict(secret.keys),
                "purpose": secret.purpose,
                "fromStore": place in from_store,
                "command": "\n".join(_command(secret)),
            }
            for place, (component, secret) in secrets.items()
        ],
    )


def _external_secret(body: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of an ExternalSecret; two empty texts for any other object."""
    metadata = body.get("metadata") or {}
    is_external = body.get("kind") == "ExternalSecret"
    return (metadata.get("namespace", ""), metadata.get("name", "")) if is_external else ("", "")


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
