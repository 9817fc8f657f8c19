"""lock show|verify: what the stack is made from, and whether it still is what the sources have."""

from __future__ import annotations

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DESCRIBES, FETCHES, verb
from cluster_forge.service_options import StoreOptions
from cluster_forge.stack.selection import Selection

command = help_page.group(
    "lock",
    """Show what is locked, or compare it with the sources.

    cluster-forge.lock pins every source of the stack: its version and the digest of its bytes. `mine` writes it, and
    `mine --update NAME` moves it to newer versions.

    Examples:
        cluster-forge lock show
        cluster-forge lock verify
    """,
)


@verb(StoreOptions, Selection, *DESCRIBES)
def show(session: Session) -> None:
    """Print the locked sources of the stack: version, digest and address.

    A chart that is asked for by a range has the range behind its address. Charts in input/ are not listed: they are
    read as they are.

    Examples:
        cluster-forge lock show
        cluster-forge lock show grafana --format json
    """
    from cluster_forge.cli.description import locked_stack
    from cluster_forge.cli.output import lock_text

    with session.services(offline=True, renders=False) as services:
        stack = locked_stack(services, session.selection)
        sources = stack.sources()
    for line in lock_text.lines(sources):
        session.print(line)
    session.print_json(
        "lock show",
        stack=stack.stack.name,
        sources=[lock_text.source_json(source) for source in sources],
    )


@verb(StoreOptions, *FETCHES, Selection, *DESCRIBES)
def verify(session: Session) -> int:
    """Fetch every locked source again and compare its digest with the lock.

    Nothing is taken from the store, and nothing is changed. All differences are printed; the exit code is 1 if there
    are any, and that of the error if a source cannot be fetched.

    Examples:
        cluster-forge lock verify
        cluster-forge lock verify --offline --mirror /srv/mirror
    """
    from cluster_forge.cli.description import locked_stack
    from cluster_forge.cli.output import lock_text
    from cluster_forge.stages.supply import lock_check
    from cluster_forge.stages.supply.lock_check import SourceState

    with session.services(renders=False, refetches=True) as services:
        stack = locked_stack(services, session.selection)
        with session.reporting("verify") as reporter:
            checked = lock_check.verify(stack, services.sources, services.toolbox.fetchers, reporter)
    errors = [error for source in checked for error in source.errors]
    for error in errors:
        session.print_problem(error)
    session.print(lock_text.summary(checked))
    session.print_json(
        "lock verify", stack=stack.stack.name, sources=[lock_text.checked_json(source) for source in checked]
    )
    if any(source.state is SourceState.DIFFERENT for source in checked):
        return 1
    return errors[0].exit_code if errors else 0


command.add_command(show, "show")
command.add_command(verify, "verify")
