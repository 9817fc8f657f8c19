"""login: try a login, and keep it where Docker keeps its own."""

from __future__ import annotations

import sys
from typing import Final

import click

from cluster_forge.cli import click_options
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, DESCRIBES, verb

_LONGEST: Final = 64 << 10


def checked_host(text: str) -> str:
    """The host of an argument.

    Raises:
        ValueError: if it is not one.
    """
    from cluster_forge.stages.supply import logins

    return logins.host_of(text)


@verb(*CONNECTS, *DESCRIBES)
@click.argument("host", metavar="HOST", callback=click_options.checked(checked_host))
@click.option("-u", "--username", metavar="USER", help="User; asked for if it is missing.")
@click.option("--password-stdin", is_flag=True, help="Read the password or token from stdin.")
def command(session: Session, host: str, username: str | None, password_stdin: bool) -> None:
    """Log in to a registry or a chart repository.

    HOST is a registry's host, with its port, or the address of a chart repository. The login is tried first, then kept
    where `docker login` keeps it: in the credential helper that Docker has, or in ~/.docker/config.json. Without
    --password-stdin the password is asked for, and not shown; it is never an option's value.

    Examples:
        cluster-forge login registry.example.com
        cluster-forge login https://charts.example.com/stable -u me
        printf %s "$TOKEN" | cluster-forge login ghcr.io -u robot --password-stdin
    """
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.foundation.errors import OfflineError
    from cluster_forge.ports.credentials import Credential
    from cluster_forge.stages.supply import logins

    if session.network.offline:
        raise OfflineError("--offline: a login cannot be tried", fix="run it without --offline")
    user, password = _typed(session, username, is_piped=password_stdin)
    credential = Credential(source="this login", user=user, secret=password)
    trials = composition.logins(session.settings(), description.registries(session))
    result = logins.login(host, credential, trials, composition.credential_keeper())
    session.print(f"logged in to {result.host} as {user}; kept in {result.place}")
    if not result.is_verified:
        session.print(f"{result.host} did not ask for a login, so it was not verified")
    session.print_json("login", host=result.host, user=user, place=result.place, verified=result.is_verified)


def _typed(session: Session, user: str | None, *, is_piped: bool) -> tuple[str, str]:
    """User and password, from the terminal or from stdin."""
    if is_piped:
        if not user:
            raise click.UsageError("--password-stdin needs a user: write `-u USER`, too", click.get_current_context())
        password = sys.stdin.buffer.read(_LONGEST + 1).decode(errors="surrogateescape")
        password = password.removesuffix("\n").removesuffix("\r")
    elif session.run.yes or not sys.stdin.isatty():
        raise click.UsageError(
            "there is no terminal to ask for the password: pipe it, with --password-stdin", click.get_current_context()
        )
    else:
        user = user or click.prompt("User", err=True)
        password = click.prompt("Password", hide_input=True, err=True)
    if not password or len(password) > _LONGEST or not password.isprintable():
        raise click.UsageError(
            "the password is empty, too long, or has characters that no password has", click.get_current_context()
        )
    if not user or ":" in user:
        raise click.UsageError("a user is not empty, and has no colon", click.get_current_context())
    return user, password
