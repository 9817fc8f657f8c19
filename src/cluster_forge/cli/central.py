"""deploy to the clusters of a central Argo CD, one pin after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from cluster_forge.cli.fleet import Members
    from cluster_forge.cli.session import Session
    from cluster_forge.ports.cluster import ClusterFacts
    from cluster_forge.stack.clusters import DescribedCluster
    from cluster_forge.stages.deliver.argocd.central import CentralCluster, CentralRequest
    from cluster_forge.stages.deliver.central import CentralResult
    from cluster_forge.stages.deliver.options import DeployOptions
    from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of the components in one cluster, and the Argo CD that has delivered them."""

    cluster: CentralCluster
    result: CentralResult
    facts: ClusterFacts

    @property
    def is_good(self) -> bool:
        return self.result.is_good

    @property
    def way_back(self) -> str:
        return self.cluster.deployment.name if self.result.former else ""

    def lines(self) -> Iterator[str]:
        from cluster_forge.cli.output import central_text

        return central_text.lines(self.cluster, self.result, self.facts)

    def json(self) -> dict[str, Any]:
        from cluster_forge.cli.output import central_text

        return central_text.json(self.cluster, self.result, self.facts)

    def reasons(self) -> Iterator[str]:
        from cluster_forge.cli.output import deploy_text

        return deploy_text.lines([component for component in self.result.components if not component.state.is_good])


def roll_out(session: Session, members: Members, options: DeployOptions, *, has_secrets: bool) -> int:
    """Move the pins of the clusters in the order of the rollout; the exit code.

    Raises:
        UsageError: for options that need a connection to the clusters themselves.
        ForgeError, ExceptionGroup: for what stops the rollout before its first cluster.
    """
    from cluster_forge.cli import deployer, fleet, rollout
    from cluster_forge.cli.output import central_text, deploy_text
    from cluster_forge.stages.deliver import central

    check_options(
        "deploy",
        {
            "--secrets": has_secrets,
            "--atomic": options.is_atomic,
            "--adopt": options.adopt,
            "--force-conflicts": options.force_conflicts,
            "--recreate": options.recreate,
            "--prune-data": options.prune_data,
            "--force-version": options.force_version,
            "--force-environment": options.force_environment,
            "--allow-missing-apis": options.allow_missing_apis,
            "--allow-missing-secrets": options.allow_missing_secrets,
        },
    )
    check_allowed(options.allowed)
    assert members.fleet.central is not None, "a central Argo CD is described"
    own = fleet.reached(session, members.fleet.central)
    with session.reporting(*(f"deploy {cluster.name}" for cluster in members.clusters)) as reporter:
        noted = deployer.Noted(reporter)
        tools = own.delivery(noted)
        request = _request(own, members, options, tools)
        warnings = central.checked(request, tools)
        facts = tools.cluster.about()
        for line in deploy_text.warnings(warnings):
            session.print(line)
        if options.is_trial:
            session.print(central_text.trial(members.clusters, facts))
            session.print_json("deploy", clusters=[], trial=True)
            return 0
        names = ", ".join(cluster.name for cluster in members.clusters)
        deployer.confirm(session, f"Deploy to {names} through the Argo CD of {facts}?")
        again = session.fleet_command("deploy")
        stacks = {one.name: one for one in request.clusters}
        with (
            deployer.going_on(f"{again} {members.chosen}", noted, ("Argo CD",)),
            central.opened(request, tools) as delivery,
        ):

            def deploy(cluster: DescribedCluster) -> Delivered:
                result = delivery.deliver(cluster.name, fleet.ClusterReporter(noted, cluster.name))
                return Delivered(cluster=stacks[cluster.name], result=result, facts=facts)

            outcomes = rollout.run(session, members, deploy)
    return rollout.concluded(session, members, outcomes, again)


def check_allowed(codes: Collection[str]) -> None:
    """Refuse codes of checks that are not made here: what they let pass would pass unseen.

    Raises:
        UsageError: for all of them.
    """
    from cluster_forge.stages.deliver import central

    if unchecked := sorted(set(codes) - central.CODES):
        raise click.UsageError(
            f"--allow {', '.join(unchecked)}: not checked where a central Argo CD delivers (gitops.central); "
            f"what is: {', '.join(sorted(central.CODES))}"
        )


def check_options(verb: str, given: Mapping[str, bool]) -> None:
    """Refuse options that need a connection to the clusters themselves; ``given`` says which of them are set.

    Raises:
        UsageError: for all that are.
    """
    if wrong := [option for option, is_given in given.items() if is_given]:
        raise click.UsageError(
            f"{', '.join(wrong)}: a central Argo CD changes the clusters, and not {verb} (gitops.central)"
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
