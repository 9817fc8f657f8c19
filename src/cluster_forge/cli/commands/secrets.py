"""secrets list: the Secrets that the stack expects, and the commands that create them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import SELECTS, verb

if TYPE_CHECKING:
    from cluster_forge.composition import Services
    from cluster_forge.stack.model import Stack
    from cluster_forge.stages.build.expected_secrets import SecretList

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

    The list has what the objects in working/ refer to, or those that `mine` rendered; before that, what the description
    lists. No secret value is read or written: fill in the placeholders yourself.

    Examples:
        cluster-forge secrets list
        cluster-forge secrets list grafana --external vault > secrets.yaml
    """
    from cluster_forge.cli.output import secrets_text

    stack, secrets, is_stale = _expected(session)
    for line in secrets_text.heading(secrets, is_stale=is_stale):
        session.print(line)
    for secret in secrets.secrets:
        for line in secrets_text.lines(secret, external):
            session.print(line)
    if not secrets.secrets:
        session.print(f"{'# ' if external else ''}the stack expects no Secrets")
    session.print_json(
        "secrets list",
        stack=stack.name,
        basis=secrets.basis,
        stale=is_stale,
        notRendered=secrets.not_rendered,
        secrets=[secrets_text.json(secret) for secret in secrets.secrets],
    )


def _expected(session: Session) -> tuple[Stack, SecretList, bool]:
    """The stack, its Secrets, and whether the description has changed since `smelt` wrote what they are read from."""
    from cluster_forge.cli import description
    from cluster_forge.stages.build import expected_secrets
    from cluster_forge.stages.build.expected_secrets import Basis, RunTimeSecrets
    from cluster_forge.stages.catalog import run_time_objects

    stack = description.parsed(session).stack
    basis = expected_secrets.basis_of(stack, session.files())
    if basis is Basis.DESCRIPTION:
        return stack, expected_secrets.from_description(stack), False
    library = description.catalog_of(session, may_be_empty=True)
    with session.services(offline=True, renders=False) as services:
        secrets = expected_secrets.from_objects(
            stack,
            services.toolbox,
            RunTimeSecrets(
                operated=run_time_objects.kinds_in(stack, library),
                created=run_time_objects.secrets_in(stack, library),
                replaceable=run_time_objects.named_in_values(stack, library),
            ),
        )
        return stack, secrets, basis is Basis.WORKING and _is_stale(session, services)


def _is_stale(session: Session, services: Services) -> bool:
    """Whether `working/` is out of date. Not known, and not asked, for a part of the stack."""
    from cluster_forge.cli.description import load
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.stages.build import input_fingerprint, locking, working_tree

    selection = session.selection
    if selection.names or selection.select or selection.skip:
        return False
    try:
        now = load(services, selection)
        sources = locking.look_up(now.stack.components, now.lock, services.sources)
        inputs = input_fingerprint.fingerprint(now.stack, sources, now.lock, services.toolbox)
    except (ForgeError, ExceptionGroup):
        return True
    working = working_tree.state(services.toolbox)
    return working is None or working.record.inputs != inputs


command.add_command(list_secrets, "list")
