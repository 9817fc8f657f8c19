"""deploy to the clusters of a central Argo CD, one pin after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cluster_forge.cli.fleet import Members
    from cluster_forge.cli.session import Session
    from cluster_forge.stack.clusters import DescribedCluster
    from cluster_forge.stages.deliver.argocd.central import CentralRequest
    from cluster_forge.stages.deliver.options import DeployOptions
    from cluster_forge.stages.deliver.results import ComponentResult
    from cluster_forge.stages.deliver.tools import DeliverTools


def roll_out(session: Session, members: Members, options: DeployOptions, *, has_secrets: bool) -> int:
    """Move the pins of the clusters in the order of the rollout; the exit code.

    Raises:
        UsageError: for options that need a connection to the clusters themselves.
        ForgeError, ExceptionGroup: for what stops the rollout before its first cluster.
    """
    from cluster_forge import composition
    from cluster_forge.cli import deployer, fleet
    from cluster_forge.cli.output import central_text, deploy_text, rollout_text
    from cluster_forge.stages.deliver import central
    from cluster_forge.stages.deliver.rollout import roll_out as rolled_out

    _check_options(options, has_secrets=has_secrets)
    assert members.fleet.central is not None, "a central Argo CD is described"
    own = fleet.reached(session, members.fleet.central)
    with session.reporting(*(f"deploy {cluster.name}" for cluster in members.clusters), streams=True) as reporter:
        noted = deployer.Noted(reporter)
        tools = own.delivery(noted)
        request = _request(own, members, options, tools)
        warnings = central.checked(request, tools)
        facts = tools.cluster.about()
        for line in deploy_text.warnings(warnings):
            session.print(line)
        if options.is_trial:
            session.print(central_text.trial(members.clusters, facts))
            session.print_json("deploy", is_line=True, clusters=[], trial=True)
            return 0
        names = ", ".join(cluster.name for cluster in members.clusters)
        deployer.confirm(session, f"Deploy to {names} through the Argo CD of {facts}?")
        rollout = members.fleet.rollout
        workers = composition.workers(replace(session.settings(), jobs=rollout.max_unavailable))
        again = session.command_line("deploy")
        with deployer.going_on(f"{again} {members.chosen}", noted), central.opened(request, tools) as delivery:

            def deploy(cluster: DescribedCluster) -> tuple[ComponentResult, ...]:
                return delivery.deliver(cluster.name, fleet.ClusterReporter(noted, cluster.name))

            outcomes = rolled_out(
                members.steps, rollout, workers, deploy, lambda done: all(one.state.is_good for one in done)
            )
    for line in central_text.lines(outcomes, request, facts):
        session.print(line)
    session.print_json("deploy", is_line=True, clusters=central_text.json(outcomes, request, facts))
    reasons = [
        line for one in outcomes for line in deploy_text.lines([c for c in one.result or () if not c.state.is_good])
    ]
    return deployer.concluded(session, rollout_text.errors(outcomes, again, members.option), reasons)


def _check_options(options: DeployOptions, *, has_secrets: bool) -> None:
    given = {
        "--secrets": has_secrets,
        "--atomic": options.is_atomic,
        "--adopt": options.adopt,
        "--force-conflicts": options.force_conflicts,
        "--recreate": options.recreate,
        "--prune-data": options.prune_data,
    }
    if wrong := [option for option, is_given in given.items() if is_given]:
        raise click.UsageError(
            f"{', '.join(wrong)}: a central Argo CD changes the clusters, and not deploy (gitops.central)"
        )


def _request(session: Session, members: Members, options: DeployOptions, tools: DeliverTools) -> CentralRequest:
    """What is rolled out; each stack is read once."""
    from cluster_forge.cli import deployer
    from cluster_forge.stages.deliver import deployment
    from cluster_forge.stages.deliver.argocd.central import CentralCluster, CentralRequest

    folders = {name: place.folder for name, place in members.places.items()}
    stacks = {folder: deployment.read(folder, tools.files) for folder in dict.fromkeys(folders.values())}
    parts = {folder: deployer.parts(session, stack, tools) for folder, stack in stacks.items()}
    return CentralRequest(
        clusters=tuple(
            CentralCluster(
                name=cluster.name,
                deployment=stacks[folders[cluster.name]],
                parts=parts[folders[cluster.name]],
                step=members.fleet.step_of(cluster),
            )
            for cluster in members.clusters
        ),
        described=frozenset(cluster.name for cluster in members.fleet.clusters),
        at_once=members.fleet.rollout.max_unavailable,
        options=options,
        run=deployer.run(),
    )
