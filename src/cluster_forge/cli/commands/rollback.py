"""rollback: a stack in a cluster back to an earlier release."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import delivery_options, destinations
from cluster_forge.cli.options import RecordOptions
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DELIVERS, verb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cluster_forge.stages.deliver.options import DeployOptions
    from cluster_forge.stages.deliver.rollback import RollbackRequest


@verb(*DELIVERS, RecordOptions, streams=True)
@click.argument("stack", required=False)
@click.option(
    "--to",
    type=click.IntRange(1),
    metavar="RELEASE",
    help="The release to go back to [default: the last good one before the newest].",
)
@delivery_options.cluster
@delivery_options.waits
@delivery_options.timeout
@click.option("--dry-run", is_flag=True, help="Change nothing: print what would change, and what is in the way.")
@click.option("--force-rollback", is_flag=True, help="Go back also where data would be lost, as far as it is possible.")
@delivery_options.passing
def command(  # noqa: PLR0913 - its options
    session: Session,
    stack: str | None,
    *,
    to: int | None,
    cluster: str | None,
    waits: bool,
    timeout: float,
    dry_run: bool,
    force_rollback: bool,
    passing: Mapping[str, Any],
) -> int:
    """Go back to an earlier release of a stack, from what the cluster keeps of it.

    STACK may be left out if the cluster has one only. The release is deployed again, as a new one, and what it does not
    have is pruned. Where going back would lose data or is impossible, nothing is changed, and the reason is printed.

    Examples:
        cluster-forge rollback --dry-run
        cluster-forge rollback --cluster eu-1      # of the description
        cluster-forge rollback --to 7 --yes
        cluster-forge rollback platform --context production --wait
    """
    from cluster_forge.cli import central, central_cluster
    from cluster_forge.stages.deliver.options import DeployOptions
    from cluster_forge.stages.deliver.rollback import RollbackRequest

    destination = destinations.chosen(session, cluster)
    if destination.name:
        allowed = passing["allowed"]
        others = {f"--{name.replace('_', '-')}": given for name, given in passing.items() if name != "allowed"}
        central.check_options("rollback", others)
        central.check_allowed(allowed)
        through = DeployOptions(timeout=timeout, waits=waits, is_trial=dry_run, allowed=allowed)
        return central_cluster.go_back(destination, stack, through, to, is_forced=force_rollback)
    # `rollback.target` compares the versions; of the checks beside that, the same is a warning.
    options = DeployOptions(timeout=timeout, waits=waits, is_trial=dry_run, **{**passing, "force_version": True})
    wanted = partial(
        RollbackRequest,
        to=to,
        is_forced=force_rollback,
        force_version=passing["force_version"],
        recreates=passing["recreate"],
    )
    return (_try if dry_run else _go_back)(destination.session, stack, options, wanted)


def _go_back(
    session: Session, stack: str | None, options: DeployOptions, wanted: Callable[..., RollbackRequest]
) -> int:
    from cluster_forge.cli import cluster_stacks, deployer
    from cluster_forge.cli.output import deploy_text
    from cluster_forge.stages.deliver import deploy, rollback
    from cluster_forge.stages.deliver.cluster_records import releases
    from cluster_forge.stages.deliver.deploy import DeployRequest

    with session.reporting("rollback") as reporter:
        noted = deployer.Noted(reporter)
        tools = session.delivery(noted)
        facts = tools.cluster.about()
        name = cluster_stacks.chosen(stack, releases.stacks(tools.cluster), tools.cluster, "rollback")
        release, deployment = rollback.target(wanted(stack=name), tools)
        question = f"Go back to release {release.number} of {name} (version {release.version}) in {facts}?"
        deployer.confirm(session, question)
        again = session.cluster_command("rollback", name, "--to", str(release.number))
        with deployer.going_on(again, noted, deployer.engines(deployment)):
            result = deploy.deploy(
                DeployRequest(
                    deployment=deployment, options=options, run=deployer.run(), cause=rollback.cause(release)
                ),
                tools,
            )
    for line in deploy_text.deployed(result, deployment, facts, is_trial=False):
        session.print(line)
    session.print_json(
        "rollback",
        to=release.number,
        **deploy_text.deployed_json(result, deployment, facts, is_trial=False),
    )
    return deployer.concluded(session, deploy_text.errors(result, again), deploy_text.reasons(result))


def _try(session: Session, stack: str | None, options: DeployOptions, wanted: Callable[..., RollbackRequest]) -> int:
    """What going back would change, and all that is in its way."""
    from cluster_forge.cli import cluster_stacks, deployer
    from cluster_forge.cli.output import deploy_text, rollback_text
    from cluster_forge.foundation.error_groups import expected
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.stages.deliver import deploy, rollback
    from cluster_forge.stages.deliver.cluster_records import releases
    from cluster_forge.stages.deliver.deploy import DeployRequest, DeployResult

    with session.reporting("rollback") as reporter:
        tools = session.delivery(reporter)
        facts = tools.cluster.about()
        name = cluster_stacks.chosen(stack, releases.stacks(tools.cluster), tools.cluster, "rollback")
        planned = rollback.planned(wanted(stack=name), tools)
        result, errors = DeployResult(), list(planned.obstacles)
        try:
            request = DeployRequest(deployment=planned.deployment, options=options, run=deployer.run())
            result = deploy.deploy(request, tools)
        except (ForgeError, ExceptionGroup) as error:
            known = {obstacle.where for obstacle in planned.obstacles}
            errors += [one for one in expected(error) if one.where not in known]
    for line in rollback_text.lines(planned.release, planned.newest, planned.changes, result.warnings, str(facts)):
        session.print(line)
    session.print_json(
        "rollback",
        to=planned.release.number,
        **rollback_text.json(planned.newest, planned.changes),
        **deploy_text.deployed_json(result, planned.deployment, facts, is_trial=True),
    )
    return deployer.concluded(session, errors, ())
