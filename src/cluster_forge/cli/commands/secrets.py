"""secrets list: the Secrets that the stack expects, and the commands that create them."""

from __future__ import annotations

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import SELECTS, verb

command = help_page.group(
    "secrets",
    """List the Secrets that the stack expects.

    Components name Secrets that must be in the cluster before deploy.sh runs, so that no password is in Git. `list`
    prints how to create each of them.

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
    from cluster_forge.cli.output import secrets_text

    stack = description.parsed(session).stack
    secrets = secrets_text.listed(stack)
    for secret in secrets:
        for line in secrets_text.lines(secret, external):
            session.print(line)
    if not secrets:
        session.print("the stack expects no Secrets")
    session.print_json("secrets list", stack=stack.name, secrets=[secrets_text.json(secret) for secret in secrets])


command.add_command(list_secrets, "list")
