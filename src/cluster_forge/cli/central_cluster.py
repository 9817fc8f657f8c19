"""rollback and remove for one cluster of a central Argo CD."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_forge.cli.destinations import Destination
    from cluster_forge.cli.session import Session
    from cluster_forge.stages.deliver.central_rollback import CentralRollback
    from cluster_forge.stages.deliver.options import DeployOptions
    from cluster_forge.stages.deliver.preflight.problem import Problem
    from cluster_forge.stages.deliver.tools import DeliverTools


def go_back(
    destination: Destination, stack: str | None, options: DeployOptions, to: int | None, *, is_forced: bool
) -> int:
    """Move the pin of one cluster back to an earlier release; the exit code. ``is_forced``: also where data would be lost.

    Raises:
        UnknownNameError, ReleaseError, PreflightError, ExceptionGroup: for what stops it before the first change.
    """
    from cluster_forge.cli import central, cluster_stacks, deployer
    from cluster_forge.cli.output import deploy_text
    from cluster_forge.cli.output.streams import to_stderr
    from cluster_forge.foundation.error_groups import raise_all
    from cluster_forge.stages.deliver import central as stage
    from cluster_forge.stages.deliver import central_rollback
    from cluster_forge.stages.deliver.central_rollback import CentralRollbackRequest

    session, name = destination.session, destination.name
    with session.reporting("rollback") as reporter:
        noted = deployer.Noted(reporter)
        tools = session.delivery(noted)
        facts = tools.cluster.about()
        central_stack = cluster_stacks.central(stack, tools.cluster, name)
        asked = CentralRollbackRequest(
            stack=central_stack, cluster=name, to=to, options=options, run=deployer.run(), is_forced=is_forced
        )
        planned = central_rollback.planned(asked, tools)
        to_stderr(planned.unseen, color=session.color)
        if options.is_trial:
            return _try(session, name, planned, tools)
        raise_all(planned.obstacles)
        release, request = planned.release, planned.rollout
        warnings = stage.checked(request, tools)
        version = f"version {release.version}"
        deployer.confirm(
            session,
            f"Go back to release {release.number} of {central_stack.name} ({version}) in {name}, by the Argo CD of {facts}?",
        )
        again = destination.command("rollback", central_stack.name, "--to", str(release.number))
        with deployer.going_on(again, noted, ("Argo CD",)), stage.opened(request, tools) as rollout:
            done = central.Delivered(cluster=request.clusters[0], result=rollout.deliver(name, noted), facts=facts)
    for line in (*deploy_text.warnings(warnings), *done.lines()):
        session.print(line)
    session.print_json("rollback", cluster=name, to=release.number, unseen=planned.unseen, **done.json())
    errors = deploy_text.failures(done.result.components, f"mend what is shown above, then run `{again}` again")
    return deployer.concluded(session, errors, done.reasons())


def _try(session: Session, name: str, planned: CentralRollback, tools: DeliverTools) -> int:
    """What going back would change in the cluster ``name``, and all that is in its way; the exit code."""
    from cluster_forge.cli import deployer
    from cluster_forge.cli.output import rollback_text
    from cluster_forge.foundation.error_groups import expected
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.stages.deliver import central as stage
    from cluster_forge.stages.deliver import rollback

    release, request = planned.release, planned.rollout
    errors = list(planned.obstacles)
    warnings: tuple[Problem, ...] = ()
    try:
        warnings = stage.checked(request, tools)
    except (ForgeError, ExceptionGroup) as error:
        errors += expected(error)
    newest, changes = rollback.changed(release, request.clusters[0].deployment, tools, name)
    place = f"{name}, by the Argo CD of {tools.cluster.about()}"
    for line in rollback_text.lines(release, newest, changes, warnings, place):
        session.print(line)
    session.print_json(
        "rollback",
        cluster=name,
        to=release.number,
        unseen=planned.unseen,
        trial=True,
        **rollback_text.json(newest, changes),
    )
    return deployer.concluded(session, errors, ())


def remove(destination: Destination, stack: str | None, timeout: float, *, is_trial: bool) -> None:
    """Remove a stack from one cluster.

    Raises:
        UnknownNameError: if it is not there.
        Abort, UsageError: without a yes.
        ForgeError, ExceptionGroup: as `central_remove.remove`.
    """
    from cluster_forge.cli import cluster_stacks, deployer
    from cluster_forge.cli.output import removal_text
    from cluster_forge.cli.prompts import questions
    from cluster_forge.stages.deliver import central_remove
    from cluster_forge.stages.deliver.argocd.central_removal import CentralRemoval

    session, name = destination.session, destination.name
    with session.reporting("remove") as reporter:
        noted = deployer.Noted(reporter)
        tools = session.delivery(noted)
        central_stack = cluster_stacks.central(stack, tools.cluster, name)
        removal = CentralRemoval(central_stack, name, timeout, tools)
        planned = central_remove.planned(removal, tools)
        what = f"the stack {central_stack.name} in {name}, by the Argo CD of {tools.cluster.about()}"
        if not is_trial and not session.run.yes:
            questions.must_confirm(session, f"Remove {what}?")
        again = destination.command("remove", "--stack", central_stack.name)
        with deployer.going_on(again, noted, () if is_trial else ("Argo CD",)):
            if is_trial:
                done = central_remove.foretold(removal)
            else:
                done = central_remove.remove(removal, deployer.run(), tools)
    for line in removal_text.lines(planned, done, what, is_trial=is_trial):
        session.print(line)
    session.print_json(
        "remove",
        stack=central_stack.name,
        cluster=name,
        component="",
        trial=is_trial,
        **removal_text.json(planned, done),
    )
