"""outdated: what sources have by now."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DESCRIBES, FETCHES, verb
from cluster_forge.service_options import StoreOptions
from cluster_forge.stack.selection import Selection


@verb(StoreOptions, *FETCHES, Selection, *DESCRIBES)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there is a newer version for the target.")
def command(session: Session, exit_code: bool) -> int:
    """List the sources of which there are newer versions.

    For each one: the locked version and its age, the newest one in the range of the description, the newest one for the
    target's Kubernetes version, and the newest one at all. Of branches in Git the commit, of `image.base` the digest.
    Nothing is changed; -v lists every source.

    Examples:
        cluster-forge outdated
        cluster-forge outdated grafana --format json
        cluster-forge outdated --exit-code     # in a pipeline
    """
    from cluster_forge.cli.description import catalog_of, load
    from cluster_forge.cli.output import outdated_text
    from cluster_forge.stages.supply.outdated import OutdatedRequest
    from cluster_forge.stages.supply.outdated import outdated as outdated_stage

    with session.services(renders=False) as services:
        description = load(services, session.selection)
        stack = description.stack
        request = OutdatedRequest(stack=stack, lock=description.lock, catalog=catalog_of(session, may_be_empty=True))
        with session.reporting("outdated") as reporter:
            result = outdated_stage(request, services.offers, services.engine, services.toolbox.fetchers, reporter)
    errors = [error for status in result.sources for error in status.errors]
    for error in errors:
        session.print_problem(error)
    is_whole = session.output.verbosity > 1
    for line in outdated_text.lines(result, stack.target.kubernetes, datetime.now(UTC), is_whole=is_whole):
        session.print(line)
    session.print_json(
        "outdated",
        stack=stack.name,
        kubernetes=str(stack.target.kubernetes),
        sources=[outdated_text.status_json(status) for status in result.sources],
        unversioned=result.unversioned,
    )
    if errors:
        return errors[0].exit_code
    return 1 if exit_code and any(status.is_outdated for status in result.sources) else 0
