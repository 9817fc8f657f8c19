"""The clusters that a verb works on where these are several: of the description, each with the cast stack of its environment, or
contexts with one stack.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from cluster_forge.service_options import ClusterOptions, ContextOptions, FleetOptions

if TYPE_CHECKING:
    from cluster_forge.cli.session import Session
    from cluster_forge.cli.stack_folders import StackFolder
    from cluster_forge.manifests.finding import Finding
    from cluster_forge.manifests.part import Part
    from cluster_forge.ports.progress import DeliveryReporter
    from cluster_forge.stack.clusters import Central, DescribedCluster, Fleet
    from cluster_forge.stages.deliver.deployment import Deployment
    from cluster_forge.stages.deliver.rollout import ClusterOutcome
    from cluster_forge.stages.deliver.tools import DeliverTools


Result = TypeVar("Result")
_AT_ONCE: Final = 8
"""Clusters that are looked at side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The chosen clusters in the steps of the rollout, each with the folder of its stack.

    ``option`` is the one that chooses clusters by their names: ``--cluster``, or ``--context``.
    """

    steps: tuple[tuple[DescribedCluster, ...], ...]
    fleet: Fleet
    places: dict[str, StackFolder]
    option: str

    @property
    def clusters(self) -> tuple[DescribedCluster, ...]:
        return tuple(cluster for step in self.steps for cluster in step)

    @property
    def chosen(self) -> str:
        """The options that choose these clusters."""
        return " ".join(f"{self.option} {shlex.quote(cluster.name)}" for cluster in self.clusters)

    def placed(self, deployment: Deployment, cluster: DescribedCluster, tools: DeliverTools) -> Deployment:
        """The deployment of a stack to one of the clusters, by an engine in that cluster."""
        from cluster_forge.stages.deliver import deployment as deployments

        if not self.fleet.has_folders:
            return deployment
        return deployments.placed(deployment, cluster.name, tools.reader.read)


@contextlib.contextmanager
def opened(session: Session, stack: str | None, verb: str) -> Iterator[Members]:
    """The clusters that the options choose, for as long as the context lasts.

    Raises:
        UsageError: if clusters are chosen in two ways, a context twice, or an option that chooses them is empty.
        UnknownNameError, DescriptionError, ExceptionGroup: for names and labels that no cluster has.
        StaleError, ExceptionGroup: for each environment whose stack is not cast.
        KubeconfigError: for a kubeconfig in the workspace, whose programs would be run.
        FetchError, ImageError, ExceptionGroup: as `stack_folders.opened`.
    """
    from cluster_forge.cli import stack_folders

    if session.fleet.is_used:
        yield members(session, stack)
        return
    with stack_folders.opened(session, stack, verb) as place:
        yield _of_contexts(session.contexts, place)


def members(session: Session, stack: str | None) -> Members:
    """The clusters of the description that the options choose.

    Raises:
        UsageError, UnknownNameError, DescriptionError, StaleError, KubeconfigError, ExceptionGroup: as `opened`.
    """
    from cluster_forge.cli import description

    if stack or session.contexts != ContextOptions():
        raise click.UsageError(
            "--cluster, --selector and --all take stacks and contexts from the description: leave them out"
        )
    parsed = description.parsed(session)
    chosen = _chosen(parsed.fleet, session.fleet)
    _check_kubeconfigs(chosen, parsed.fleet.central, session.workspace)
    return Members(
        steps=parsed.fleet.steps(chosen),
        fleet=parsed.fleet,
        places=_places(session, parsed.stack.name, chosen),
        option="--cluster",
    )


def described(session: Session, name: str) -> tuple[Fleet, DescribedCluster]:
    """The clusters of the description, and the one of this name.

    Raises:
        UnknownNameError, DescriptionError, KubeconfigError, ExceptionGroup: as `opened`.
    """
    from cluster_forge.cli import description

    fleet = description.parsed(session).fleet
    chosen = fleet.chosen([name])
    _check_kubeconfigs(chosen, fleet.central, session.workspace)
    return fleet, chosen[0]


def _of_contexts(options: ContextOptions, place: StackFolder) -> Members:
    """Contexts of the kubeconfig, each a step of its own, with one stack."""
    from cluster_forge.stack.clusters import DescribedCluster, Fleet

    names = options.contexts
    if len(set(names)) < len(names):
        raise click.UsageError("--context names a context twice")
    clusters = tuple(DescribedCluster(name=name, context=name, kubeconfig=options.kubeconfig or "") for name in names)
    return Members(
        steps=tuple((cluster,) for cluster in clusters),
        fleet=Fleet(clusters=clusters),
        places=dict.fromkeys(names, place),
        option="--context",
    )


def looked_at(
    session: Session,
    members: Members,
    stage: str,
    look: Callable[[DeployedTo, DeliverTools], Result],
    *,
    through_central: bool = False,
) -> list[ClusterOutcome[Result]]:
    """``look`` at every cluster, side by side; ``through_central``: at what a central Argo CD says of it, where there is one."""
    from cluster_forge import composition
    from cluster_forge.stages.deliver.rollout import outcome

    with session.reporting(*(f"{stage} {cluster.name}" for cluster in members.clusters)) as reporter:

        def seen(cluster: DescribedCluster) -> ClusterOutcome[Result]:
            def at(cluster: DescribedCluster) -> Result:
                central = members.fleet.central if through_central else None
                own = reached(session, central or cluster)
                tools = own.delivery(ClusterReporter(reporter, cluster.name))
                return look(_deployed_to(own, members, cluster, tools, is_central=central is not None), tools)

            return outcome(cluster, at, lambda _: True)

        workers = composition.workers(replace(session.settings(), jobs=_AT_ONCE))
        return workers.map(seen, members.clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedTo:
    """The stack of one cluster, and its components with the documents of their objects."""

    deployment: Deployment
    parts: Sequence[Part]


def _deployed_to(
    session: Session, members: Members, cluster: DescribedCluster, tools: DeliverTools, *, is_central: bool
) -> DeployedTo:
    from cluster_forge.cli import stack_folders
    from cluster_forge.stages.deliver import central

    deployment, parts = stack_folders.read(session, members.places[cluster.name])
    if is_central:
        deployment = replace(deployment, plan=central.plan_of(deployment, cluster.name, tools))
    else:
        deployment = members.placed(deployment, cluster, tools)
    return DeployedTo(deployment=deployment, parts=parts)


def reached(session: Session, cluster: DescribedCluster | Central) -> Session:
    """The session of one cluster."""
    kubeconfig = str(Path(cluster.kubeconfig).expanduser()) if cluster.kubeconfig else None
    options = ClusterOptions(context=cluster.context or None, kubeconfig=kubeconfig)
    return replace(session, cluster=options, contexts=ContextOptions(), fleet=FleetOptions())


@dataclass(frozen=True, slots=True)
class ClusterReporter:
    """`DeliveryReporter` of one cluster among several: a stage of it is called ``deploy eu-1``."""

    inner: DeliveryReporter
    cluster: str

    def stage_started(self, stage: str, total: int) -> None:
        self.inner.stage_started(self._of(stage), total)

    def item_started(self, stage: str, item: str) -> None:
        self.inner.item_started(self._of(stage), item)

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        self.inner.item_waiting(self._of(stage), item, reason)

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        self.inner.item_finished(self._of(stage), item, detail, **facts)

    def stage_finished(self, stage: str, summary: str) -> None:
        self.inner.stage_finished(self._of(stage), summary)

    def _of(self, stage: str) -> str:
        return f"{stage} {self.cluster}"

    def finding_reported(self, finding: Finding) -> None:
        self.inner.finding_reported(finding)


def _chosen(fleet: Fleet, options: FleetOptions) -> tuple[DescribedCluster, ...]:
    if not all(text.strip(" ,") for text in options.names):
        raise click.UsageError("--cluster is empty: name clusters, or pass --all")
    if options.every and (options.names or options.selector):
        raise click.UsageError("--all together with --cluster or --selector: leave one of them out")
    names = [name for text in options.names for name in text.split(",") if name]
    return fleet.chosen(names, options.selector or "")


def _places(session: Session, stack: str, clusters: Sequence[DescribedCluster]) -> dict[str, StackFolder]:
    from cluster_forge import composition
    from cluster_forge.cli.stack_folders import StackFolder
    from cluster_forge.foundation.error_groups import raise_all
    from cluster_forge.foundation.errors import StaleError
    from cluster_forge.stages.build.cast import STACKS
    from cluster_forge.stages.supply import cast_stack

    files = composition.workspace_files(session.workspace)
    cast = cast_stack.folders(files)
    names = {cluster.name: ".".join(filter(None, (stack, cluster.cast_for))) for cluster in clusters}
    environments = {names[cluster.name]: cluster.cast_for for cluster in clusters}
    raise_all(
        StaleError(
            f"stacks/{name} is not cast",
            fix="run `" + session.command_line("forge" + (f" --environment {environment}`" if environment else "`")),
        )
        for name, environment in environments.items()
        if name not in cast
    )
    folders = {cluster: f"{STACKS}/{name}" for cluster, name in names.items()}
    return {
        cluster: StackFolder(title=folder, folder=folder, path=(session.workspace / folder).absolute(), files=files)
        for cluster, folder in folders.items()
    }


def _check_kubeconfigs(clusters: Sequence[DescribedCluster], central: Central | None, workspace: Path) -> None:
    """A workspace is data, also a foreign one (ADR 0016): the programs that a kubeconfig names are not run from there."""
    from cluster_forge.foundation.error_groups import raise_all
    from cluster_forge.foundation.errors import KubeconfigError

    root = workspace.resolve()
    named = [
        *((f"cluster {cluster.name}", cluster) for cluster in clusters),
        *([("`central`", central)] if central else ()),
    ]
    raise_all(
        KubeconfigError(
            f"the kubeconfig of {title} is {cluster.kubeconfig!r}, in the workspace",
            where=cluster.where,
            fix="name a file elsewhere, such as ~/.kube/config, or leave `kubeconfig` out",
        )
        for title, cluster in named
        if cluster.kubeconfig and Path(cluster.kubeconfig).expanduser().resolve().is_relative_to(root)
    )
