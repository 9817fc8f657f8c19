"""remove: a stack, or one component of it, out of a cluster."""

from __future__ import annotations

import click

from cluster_forge.cli import delivery_options
from cluster_forge.cli.click_options import Amount
from cluster_forge.cli.options import RecordOptions
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import DELIVERS, verb


@verb(*DELIVERS, RecordOptions, streams=True)
@click.argument("component", required=False)
@click.option("--stack", metavar="NAME", help="The stack [default: the only one in the cluster].")
@delivery_options.cluster
@click.option("--data", is_flag=True, help="Volumes, CRDs and namespaces go, too, with everything in them.")
@click.option(
    "--timeout",
    type=Amount(1, 86_400),
    default=300,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait until one object is gone, in seconds.",
)
@click.option("--dry-run", is_flag=True, help="Change nothing: print what would go, in its order, and what would stay.")
def command(  # noqa: PLR0913 - its options
    session: Session,
    component: str | None,
    *,
    stack: str | None,
    cluster: str | None,
    data: bool,
    timeout: float,
    dry_run: bool,
) -> None:
    """Remove a stack, or one component of it, from a cluster.

    What needs others goes before them, and custom resources before their operators. Volumes, CRDs and namespaces that still
    hold something stay, unless --data says otherwise; so does what others have taken over. Run again, it goes on.

    Examples:
        cluster-forge remove --dry-run
        cluster-forge remove grafana
        cluster-forge remove --cluster eu-1      # of the description
        cluster-forge remove --stack platform --data --yes
    """
    from cluster_forge.cli import central, central_cluster, cluster_stacks, deployer, destinations
    from cluster_forge.cli.output import removal_text
    from cluster_forge.cli.prompts import questions
    from cluster_forge.stages.deliver import remove
    from cluster_forge.stages.deliver.cluster_records import claims
    from cluster_forge.stages.deliver.removal.request import RemoveRequest

    destination = destinations.chosen(session, cluster)
    if destination.name:
        central.check_options("remove", {"--data": data})
        if component:
            raise click.UsageError(
                f"Argo CD would put {component} back: take it out of the description, then forge, push and deploy"
            )
        central_cluster.remove(destination, stack, timeout, is_trial=dry_run)
        return
    session = destination.session
    with session.reporting("remove") as reporter:
        noted = deployer.Noted(reporter)
        tools = session.delivery(noted)
        facts = tools.cluster.about()
        name = cluster_stacks.chosen(stack, claims.stacks(tools.cluster), tools.cluster, "remove --stack")
        request = RemoveRequest(stack=name, component=component or "", data=data, timeout=timeout, run=deployer.run())
        planned = remove.planned(request, tools)
        what = f"{component} of {name}" if component else f"the stack {name}"
        if not dry_run and not session.run.yes:
            questions.must_confirm(session, f"Remove {what} from {facts}{', with all its data' if data else ''}?")
        with deployer.going_on(
            session.cluster_command("remove", *([component] if component else []), "--stack", name), noted
        ):
            done = (remove.foretold if dry_run else remove.remove)(request, tools)
    for line in removal_text.lines(planned, done, f"{what} in {facts}", is_trial=dry_run):
        session.print(line)
    session.print_json(
        "remove", stack=name, component=component or "", trial=dry_run, **removal_text.json(planned, done)
    )
