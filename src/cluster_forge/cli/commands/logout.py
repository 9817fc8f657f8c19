"""logout: remove a login from where Docker keeps its own."""

from __future__ import annotations

import click

from cluster_forge.cli import click_options
from cluster_forge.cli.commands.login import checked_host
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import verb


@verb()
@click.argument("host", metavar="HOST", callback=click_options.checked(checked_host))
def command(session: Session, host: str) -> None:
    """Remove the login for a registry or a chart repository.

    The login is removed from Docker's credential helper and from ~/.docker/config.json, as `docker logout` does.
    Logins of Helm, Podman, curl and Git stay.

    Examples:
        cluster-forge logout registry.example.com
    """
    from cluster_forge import composition

    name = checked_host(host)
    place = composition.credential_keeper().forget(name)
    session.print(f"logged out of {name}: removed from {place}" if place else f"there was no login for {name}")
    session.print_json("logout", host=name, place=place)
