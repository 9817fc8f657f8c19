"""deploy: a cast stack into a cluster, or into several."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import delivery_options, delivery_through, deployer
from cluster_forge.cli.options import RecordOptions
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import ON_MANY, verb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cluster_forge.cli.fleet import Members
    from cluster_forge.ports.cluster import ClusterFacts
    from cluster_forge.ports.rendering import YamlReader
    from cluster_forge.stack.component import ExpectedSecret
    from cluster_forge.stages.deliver.deploy import DeployResult
    from cluster_forge.stages.deliver.deployment import Deployment
    from cluster_forge.stages.deliver.options import DeployOptions
    from cluster_forge.stages.deliver.secrets.given import GivenSecrets
    from cluster_forge.stages.deliver.tools import DeliverTools


@verb(*ON_MANY, RecordOptions, streams=True)
@click.argument("stack", required=False)
@delivery_options.waits
@delivery_options.timeout
@click.option("--dry-run", is_flag=True, help="Send everything to the API server, which checks it and stores nothing.")
@click.option("--atomic", is_flag=True, help="Go back to the last good release if the deployment fails.")
@click.option(
    "--namespace",
    metavar="NAMESPACE",
    default="",
    help="Namespace of the Argo CD that delivers the stack, where the cluster has several.",
)
@click.option("--prune-data", is_flag=True, help="Prune namespaces, volumes and CRDs, too, with what is in them.")
@click.option(
    "--secrets",
    metavar="FILE",
    help="Make the expected Secrets from a file for age or SOPS, from stdin (-), or from variables (env:).",
)
@delivery_through.options
@delivery_options.passing
def command(  # noqa: PLR0913 - its options
    session: Session,
    stack: str | None,
    *,
    waits: bool,
    timeout: float,
    dry_run: bool,
    atomic: bool,
    namespace: str,
    prune_data: bool,
    secrets: str | None,
    passing: Mapping[str, Any],
) -> int:
    """Deploy a cast stack to a cluster, and wait until it is ready.

    STACK is the name of a folder below stacks/, which may be left out if there is one only, or what was pushed: oci://…, or
    git+https://HOST/REPO@TAG//PATH. Everything is checked before the first change. A component starts when those that it
    needs are ready; run again, it goes on where it stopped.

    Examples:
        cluster-forge deploy
        cluster-forge deploy platform.production --context production --yes
        cluster-forge deploy --secrets secrets.sops.yaml
        cluster-forge deploy oci://registry.example.com/team/platform:v-3fa9c1d2e4b5
        cluster-forge deploy git+https://git.example.com/platform.git@v-3fa9c1d2e4b5
        cluster-forge deploy --all     # the clusters of the description, in order
        cluster-forge deploy --context staging --context production
        cluster-forge deploy --through my-platform
        cluster-forge deploy --dry-run
    """
    from cluster_forge.stages.deliver.options import DeployOptions

    options = DeployOptions(
        timeout=timeout,
        waits=waits,
        is_trial=dry_run,
        is_atomic=atomic,
        namespace=namespace,
        prune_data=prune_data,
        **passing,
    )
    deliver = _to_many if session.is_on_many else _deploy
    return deliver(session, stack, options, _Values.read(secrets) if secrets else None)


@dataclass(frozen=True, slots=True)
class _Values:
    """The values for Secrets that ``--secrets`` names: read once, for any number of clusters, since stdin ends."""

    source: str
    text: str = field(repr=False)
    others: tuple[ExpectedSecret, ...] = ()
    """What the stacks of other clusters expect: its values are accepted, too."""

    @classmethod
    def read(cls, source: str) -> _Values:
        """Read the file or stdin; variables are read for each stack.

        Raises:
            CredentialError, MissingProgramError: if that is not possible.
        """
        from cluster_forge import composition
        from cluster_forge.stages.deliver.secrets import given

        return cls(source, "" if source == given.ENVIRONMENT else composition.secret_text(source))

    def of(self, deployment: Deployment, reader: YamlReader) -> GivenSecrets:
        """The values for the Secrets that a stack expects.

        Raises:
            DescriptionError, ExceptionGroup: for everything that is not such a value.
        """
        from cluster_forge.stages.deliver.secrets import given

        expected = deployment.plan.secrets
        if not (expected or self.others):
            raise given.none_expected(deployment.name)
        if self.source == given.ENVIRONMENT:
            return given.from_environment(expected, os.environ)
        return given.parse(self.text, self._where, (*expected, *self.others), reader)

    @property
    def _where(self) -> str:
        return "stdin" if self.source == "-" else self.source

    def for_all(self, expected: Iterable[ExpectedSecret]) -> _Values:
        """The same values, for the stacks of several clusters, which expect these Secrets."""
        return replace(self, others=tuple(expected))


def _expected(members: Members) -> Iterator[ExpectedSecret]:
    """The Secrets that the stacks of all clusters expect."""
    from cluster_forge.stages.deliver import deployment

    for place in {place.folder: place for place in members.places.values()}.values():
        yield from deployment.read(place.folder, place.files, place.title).plan.secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deployed:
    """One deployment that was tried, and where; ``is_trial``: nothing was changed."""

    result: DeployResult
    deployment: Deployment
    facts: ClusterFacts
    is_trial: bool

    @property
    def is_good(self) -> bool:
        return self.result.is_good

    @property
    def way_back(self) -> str:
        return self.deployment.name if self.result.former and not self.result.back else ""

    def lines(self) -> Iterator[str]:
        from cluster_forge.cli.output import deploy_text

        return deploy_text.deployed(self.result, self.deployment, self.facts, is_trial=self.is_trial)

    def json(self) -> dict[str, Any]:
        from cluster_forge.cli.output import deploy_text

        return deploy_text.deployed_json(self.result, self.deployment, self.facts, is_trial=self.is_trial)

    def reasons(self) -> Iterator[str]:
        from cluster_forge.cli.output import deploy_text

        return deploy_text.reasons(self.result)


def _deploy(session: Session, stack: str | None, options: DeployOptions, values: _Values | None) -> int:
    """To one cluster."""
    from cluster_forge.cli import stack_folders
    from cluster_forge.cli.output import deploy_text
    from cluster_forge.stages.deliver import deployment

    again = session.cluster_command("deploy", *([stack] if stack else []), *(["--dry-run"] if options.is_trial else []))
    with stack_folders.opened(session, stack, "deploy") as place, session.reporting("deploy") as reporter:
        noted = deployer.Noted(reporter)
        tools = replace(session.delivery(noted), files=place.files)
        chosen = deployment.read(place.folder, tools.files, place.title)
        if not options.is_trial:
            deployer.confirm(session, f"Deploy {place.title} to {tools.cluster.about()}?")
        running = set() if options.is_trial else deployer.engines(chosen)
        with deployer.going_on(again, noted, running):
            done = _deployed(session, chosen, tools, options, values)
    for line in done.lines():
        session.print(line)
    session.print_json("deploy", **done.json(), requests=tools.cluster.sent())
    back = session.cluster_command("rollback", done.deployment.name)
    errors = deploy_text.errors(done.result, again, back)
    return deployer.concluded(session, errors, done.reasons())


def _to_many(session: Session, stack: str | None, options: DeployOptions, values: _Values | None) -> int:
    """To several clusters, one step of the rollout after the other."""
    from cluster_forge.cli import fleet
    from cluster_forge.stack.clusters import RolloutWait

    with fleet.opened(session, stack, "deploy") as members:
        options = replace(options, waits=options.waits and members.fleet.rollout.wait is RolloutWait.HEALTHY)
        if members.fleet.central:
            from cluster_forge.cli import central

            return central.roll_out(session, members, options, has_secrets=values is not None)
        if not options.is_trial:
            places = ", ".join(f"{one.name} ({members.places[one.name].title})" for one in members.clusters)
            deployer.confirm(session, f"Deploy to {places}?")
        again = session.fleet_command(
            "deploy", *([stack] if stack else []), *(["--dry-run"] if options.is_trial else [])
        )
        return _rolled_out(session, members, options, values, again)


def _rolled_out(session: Session, members: Members, options: DeployOptions, values: _Values | None, again: str) -> int:
    from cluster_forge.cli import fleet, rollout
    from cluster_forge.stack.clusters import DescribedCluster
    from cluster_forge.stages.deliver import deployment

    with session.reporting(*(f"deploy {cluster.name}" for cluster in members.clusters)) as reporter:
        noted = deployer.Noted(reporter)
        values, running = values and values.for_all(_expected(members)), set[str]()

        def deploy(cluster: DescribedCluster) -> _Deployed:
            own, place = fleet.reached(session, cluster), members.places[cluster.name]
            tools = replace(own.delivery(fleet.ClusterReporter(noted, cluster.name)), files=place.files)
            chosen = members.placed(deployment.read(place.folder, place.files, place.title), cluster, tools)
            running.update(() if options.is_trial else deployer.engines(chosen))
            return _deployed(own, chosen, tools, options, values)

        with deployer.going_on(f"{again} {members.chosen}", noted, running):
            outcomes = rollout.run(session, members, deploy)
    return rollout.concluded(session, members, outcomes, again)


def _deployed(
    session: Session, chosen: Deployment, tools: DeliverTools, options: DeployOptions, values: _Values | None
) -> _Deployed:
    from cluster_forge.stages.deliver import deploy
    from cluster_forge.stages.deliver.deploy import DeployRequest
    from cluster_forge.stages.deliver.secrets.given import NONE

    request = DeployRequest(
        deployment=chosen,
        options=options,
        run=deployer.run(),
        parts=deployer.parts(session, chosen, tools),
        given=values.of(chosen, tools.reader) if values else NONE,
    )
    return _Deployed(
        result=deploy.deploy(request, tools),
        deployment=chosen,
        facts=tools.cluster.about(),
        is_trial=options.is_trial,
    )
