"""push --git: a cast stack into a Git repository, or those of several clusters, each into its folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_forge.cli.fleet import Members
    from cluster_forge.cli.session import Session
    from cluster_forge.ports.progress import Reporter
    from cluster_forge.stack.model import Stack
    from cluster_forge.stages.supply.push_git import GitPushRequest, GitPushTools


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The repository and the branch as they were typed; None: those of the description. ``is_trial`` pushes nothing."""

    url: str | None
    branch: str | None
    is_trial: bool


def of_stack(session: Session, folder: str, to: Destination, described: Stack | None) -> None:
    """Push one stack; ``folder`` is that below the workspace.

    Raises:
        ForgeError, ExceptionGroup: as `push_git`, and for an address that is none.
    """
    from cluster_forge.cli.output import supply_text
    from cluster_forge.stages.supply.push_git import push_git

    request = _request(folder, to, described)
    with session.reporting("push") as reporter:
        pushed = push_git(request, _tools(session, described, reporter))
    for line in supply_text.pushed_to_git(request, pushed):
        session.print(line)
    session.print_json("push", folder=folder, trial=to.is_trial, **supply_text.pushed_to_git_json(request, pushed))


def of_clusters(session: Session, stack: str | None, to: Destination) -> None:
    """Push the stack of each chosen cluster into its folder, in the order of the rollout.

    Raises:
        DescriptionError: if clusters have no folders.
        ForgeError, ExceptionGroup: as `fleet.members` and `push_git`.
    """
    from cluster_forge.cli import fleet
    from cluster_forge.cli.output import supply_text
    from cluster_forge.stages.supply.push_git import push_git

    members = fleet.members(session, stack)
    described = {
        folder: _described(session, folder)
        for folder in dict.fromkeys(place.folder for place in members.places.values())
    }
    requests = list(_of_each(members, described, to))
    results = []
    with session.reporting(*(f"push {request.cluster}" for request in requests)) as reporter:
        for request in requests:
            events = fleet.ClusterReporter(reporter, request.cluster)
            tools = _tools(session, described[members.places[request.cluster].folder], events)
            results.append((request, push_git(request, tools)))
    for request, pushed in results:
        for line in supply_text.pushed_to_git(request, pushed):
            session.print(line)
    session.print_json(
        "push",
        trial=to.is_trial,
        clusters=[
            {"name": request.cluster, "folder": request.folder, **supply_text.pushed_to_git_json(request, pushed)}
            for request, pushed in results
        ],
    )


def _of_each(members: Members, described: dict[str, Stack | None], to: Destination) -> Iterator[GitPushRequest]:
    from cluster_forge.foundation.errors import DescriptionError

    if not members.fleet.has_folders:
        raise DescriptionError(
            "the clusters have no folders of their own in the repository",
            where="input/config.yaml",
            fix="write `gitops: {clusterFolders: true}`, or leave --cluster, --selector and --all out",
        )
    for cluster in members.clusters:
        folder = members.places[cluster.name].folder
        request = _request(folder, to, described[folder])
        yield replace(request, cluster=cluster.name, is_central=members.fleet.central is not None)


def _described(session: Session, folder: str) -> Stack | None:
    from cluster_forge.cli import description
    from cluster_forge.stack import variant

    return description.stack_if_any(session, variant.environment_of(folder.rpartition("/")[2]))


def _tools(session: Session, described: Stack | None, reporter: Reporter) -> GitPushTools:
    from cluster_forge import composition
    from cluster_forge.stages.supply.push_git import GitPushTools

    settings = session.settings()
    readers = composition.stack_readers(settings)
    return GitPushTools(
        files=composition.workspace_files(session.workspace),
        repositories=readers.repositories,
        remotes=composition.remote_repositories(settings, described.registries if described else ()),
        reader=readers.reader,
        reporter=reporter,
    )


def _request(folder: str, to: Destination, described: Stack | None) -> GitPushRequest:
    """Where the manifests go: as typed, or as the description says.

    Raises:
        DescriptionError: if neither names a repository, or the address is none.
    """
    from cluster_forge.foundation import git_addresses
    from cluster_forge.foundation.addresses import without_credentials
    from cluster_forge.foundation.errors import DescriptionError
    from cluster_forge.foundation.git_addresses import GitAddress
    from cluster_forge.stack.model import GitOps
    from cluster_forge.stages.supply.push_git import GitPushRequest

    gitops = described.gitops if described else GitOps()
    url = to.url or gitops.url
    if not url:
        raise DescriptionError(
            "the description names no Git repository",
            where="input/config.yaml",
            fix="write `gitops: {source: external, url: https://git.example.com/platform.git}`, or pass --to URL",
        )
    try:
        address = GitAddress.parse(f"git+{git_addresses.as_url(url)}")
    except ValueError as error:
        raise DescriptionError(
            f"{without_credentials(url)!r} is not a Git repository that can be pushed to: {error}",
            fix="write https://HOST/PATH, ssh://git@HOST/PATH or git@HOST:PATH",
        ) from error
    target = to.branch or gitops.branch
    if not git_addresses.is_ref(target):
        raise DescriptionError(f"{target!r} cannot name a branch", fix="pass another --branch")
    return GitPushRequest(
        folder=folder, address=address, path=gitops.path, branch=target, base=gitops.branch, is_trial=to.is_trial
    )
