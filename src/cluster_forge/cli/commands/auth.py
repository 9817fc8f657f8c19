"""auth status: which login would be used for each host of the stack, and whether it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, DESCRIBES, verb
from cluster_forge.stack.selection import Selection

if TYPE_CHECKING:
    from cluster_forge.stages.supply.logins import ServerStatus

command = help_page.group(
    "auth",
    """Show which login would be used for each host of the stack.

    Logins are those of Docker, Podman, Helm, curl and Git on this machine, and of the environment.

    Examples:
        cluster-forge auth status
    """,
)


@verb(*CONNECTS, Selection, *DESCRIBES)
@click.pass_context
def status(context: click.Context, session: Session) -> None:
    """Show the login for each host of the stack, where it comes from, and whether it works.

    Hosts are those of charts, manifests, the image's repository and `gitops.url`. Each is asked once; with --offline
    none is asked. The exit code is 1 if a login does not work. No password is shown.

    Examples:
        cluster-forge auth status
        cluster-forge auth status --offline --format json
    """
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.cli.output import logins_text
    from cluster_forge.stages.supply import logins

    stack = description.parsed(session).stack
    settings = session.settings()
    trials = None if session.network.offline else composition.logins(settings, stack.registries)
    statuses = logins.status(stack, composition.credentials(), trials, composition.workers(settings))
    for server in statuses:
        for line in logins_text.lines(server):
            session.print(line)
    if not statuses:
        session.print("the stack has nothing that is fetched from or delivered to a host")
    session.print_json("auth status", stack=stack.name, hosts=[_json(server) for server in statuses])
    if logins.failing(statuses):
        context.exit(1)


def _json(server: ServerStatus) -> dict[str, Any]:
    credential, trial = server.credential, server.trial
    return {
        "host": server.host,
        "address": server.address,
        "purposes": server.purposes,
        "credential": {"kind": credential.kind, "user": credential.shown_user, "source": credential.source}
        if credential
        else None,
        "trial": {"verdict": trial.verdict, "message": trial.message, "fix": trial.fix} if trial else None,
    }


command.add_command(status, "status")
