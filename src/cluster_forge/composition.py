"""From settings to adapters: the one place that constructs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.adapters.storage.unread_store import UnreadStore
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.workspace import (
    FolderOfEdits,
    KeptDigests,
    OutputFolder,
    RunLog,
    WorkspaceFiles,
    append_to_history,
)
from cluster_forge.foundation.addresses import masked
from cluster_forge.foundation.errors import MissingProgramError, OfflineError, StoreError, WorkspaceError, gathered
from cluster_forge.ports.git import RemoteRepositories, Repositories
from cluster_forge.ports.progress import NO_TRANSFERS, DeliveryReporter, Transfers
from cluster_forge.ports.rendering import HelmEngine, YamlReader
from cluster_forge.ports.sources import Charts, Offers, Sources
from cluster_forge.ports.workers import Workers
from cluster_forge.service_options import ClusterOptions, MirrorOptions, NetworkOptions, RenderOptions, StoreOptions
from cluster_forge.stack.registry_settings import RegistrySettings
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.adapters.credentials.user_files import UserFiles
    from cluster_forge.adapters.git.offline import OfflineTrees
    from cluster_forge.adapters.git.remote_trees import RemoteTrees
    from cluster_forge.adapters.http.authorization import Authorization
    from cluster_forge.adapters.http.client import HttpClient
    from cluster_forge.adapters.http.downloads import HttpDownloads
    from cluster_forge.adapters.http.offline import OfflineDownloads
    from cluster_forge.adapters.http.policy import HostSettings
    from cluster_forge.adapters.kubernetes.api_server import ApiServer
    from cluster_forge.adapters.rendering.worker_pool import WorkerPoolRenderer
    from cluster_forge.adapters.sources import StackSources
    from cluster_forge.adapters.sources.mirror import IndexedMirror
    from cluster_forge.catalog.library import Library
    from cluster_forge.ports.credentials import CredentialKeeper, Credentials, Logins
    from cluster_forge.ports.machine import Machine
    from cluster_forge.ports.mirrors import MirrorWriter
    from cluster_forge.ports.registry import Registry, RegistryUploads
    from cluster_forge.ports.storage import Store, StoredKind
    from cluster_forge.stages.catalog.trial_renderer import TrialRenderer
    from cluster_forge.stages.deliver.tools import DeliverTools

_FOR_WORKERS = {"GOGC": "800", "GOMEMLIMIT": "128MiB", "PYTHONUTF8": "1"}
"""For Helm's library: less CPU than with Go's default, for some memory; more than this limit saves no CPU (ADR 0012)."""

_EARLY_WORKERS = 4
"""Processes that are started before it is known how many are needed."""

_FETCHERS = 16
"""Threads that fetch: they wait for the network, whatever the number of cores."""
_REQUESTS = 6
"""Requests to an API server at once: more make it no faster, and take shares from others (API Priority and Fairness)."""
_WAITERS = 512
"""Threads that wait, one for each component of a delivery; more components wait for their turn."""
_GIT = ("git+https", "git+ssh", "git+file", "git+http")

_START = "from cluster_forge.composition import serve; serve()"
"""The program of a process that renders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the stages of one command work with."""

    files: WorkspaceFiles
    toolbox: Toolbox
    sources: Sources
    offers: Offers
    engine: HelmEngine
    repositories: Repositories
    use_registries: Callable[[Sequence[RegistrySettings]], None]
    """Takes what the description says about hosts; to be called before anything is fetched."""
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes that render."""
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The workspace and the options of a command, as its user gave them.

    ``refetches``: sources are fetched although the store has them. ``transfers`` receives what happens on the network.
    ``starts_workers``: the processes that render are started at once, while the description is still being read.
    """

    workspace: Path
    jobs: int = 1
    store: StoreOptions = field(default_factory=StoreOptions)
    rendering: RenderOptions = field(default_factory=RenderOptions)
    mirrors: MirrorOptions = field(default_factory=MirrorOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    refetches: bool = False
    transfers: Transfers = NO_TRANSFERS
    starts_workers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """What `push` and `pull` work with."""

    registry: Registry
    uploads: RegistryUploads
    workers: Workers


def registries(settings: Settings, hosts: Sequence[RegistrySettings]) -> Registries:
    """The adapters for a command that reads and writes registries; ``hosts`` is what the description says about hosts.

    Raises:
        OfflineError: under ``--offline``.
        DescriptionError, ExceptionGroup: for each file that ``hosts`` name and that is not there.
    """
    from cluster_forge.adapters.http.downloads import HttpDownloads
    from cluster_forge.adapters.registry.reader import RegistryReader
    from cluster_forge.adapters.registry.uploads import HttpRegistryUploads

    downloads = _downloads(settings)
    if not isinstance(downloads, HttpDownloads):
        raise OfflineError("--offline: the command needs a registry", fix="run it without --offline")
    _use_registries(downloads, settings.workspace, hosts)
    reader = RegistryReader(downloads.client)
    uploads = HttpRegistryUploads(downloads.client, reader)
    workers = ThreadWorkers(max(settings.jobs, _FETCHERS))
    return Registries(registry=reader, uploads=uploads, workers=workers)


def remote_repositories(settings: Settings, hosts: Sequence[RegistrySettings]) -> RemoteRepositories:
    """What a command pushes to Git repositories with; ``hosts`` is what the description says about hosts.

    Raises:
        OfflineError: under ``--offline``.
        DescriptionError, ExceptionGroup: for each file that ``hosts`` name and that is not there.
    """
    from cluster_forge.adapters.git.program import GitLimits, GitProgram
    from cluster_forge.adapters.git.publishing import GitPublisher
    from cluster_forge.adapters.http.downloads import HttpDownloads

    downloads = _downloads(settings)
    if not isinstance(downloads, HttpDownloads):
        raise OfflineError("--offline: the command needs a Git repository", fix="run it without --offline")
    _use_registries(downloads, settings.workspace, hosts)
    return GitPublisher(
        program=GitProgram(GitLimits(whole=settings.network.timeout)),
        policy=downloads.policy,
        credentials=_git_credentials,
        hosts=lambda: downloads.hosts,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReaders:
    """What reads the objects of a cast stack."""

    repositories: Repositories
    reader: YamlReader


def stack_readers(settings: Settings) -> StackReaders:
    """The adapters for a command that reads cast stacks, and needs no store."""
    from cluster_forge.adapters.git.bare_repositories import BareRepositories
    from cluster_forge.adapters.storage.cache import NoCache

    return StackReaders(repositories=BareRepositories(workers(settings), NoCache()), reader=_reader())


def cluster(settings: Settings, options: ClusterOptions) -> ApiServer:
    """The cluster that kubectl would use with these options. Nothing is asked of it yet.

    Raises:
        OfflineError: under ``--offline``.
        KubeconfigError, ExceptionGroup: for everything in the kubeconfig that cannot be used.
    """
    from cluster_forge.adapters.kubernetes import kubeconfig
    from cluster_forge.adapters.kubernetes.api_server import ApiServer
    from cluster_forge.adapters.kubernetes.credentials import Credentials
    from cluster_forge.adapters.kubernetes.transport import Transport

    if settings.network.offline:
        raise OfflineError("--offline: the command needs a cluster", fix="run it without --offline")
    access = kubeconfig.find(
        _reader(), file=options.kubeconfig or "", context=options.context or "", environment=os.environ
    )
    return ApiServer(Transport(access, Credentials(access, os.environ)))


def delivery(settings: Settings, options: ClusterOptions, reporter: DeliveryReporter) -> DeliverTools:
    """What the stages that deliver work with.

    Raises:
        OfflineError, KubeconfigError, ExceptionGroup: as `cluster`.
        WorkspaceError: if the workspace does not exist.
    """
    from cluster_forge.adapters.clock import SystemClock
    from cluster_forge.adapters.yaml.lazy import LazyYaml
    from cluster_forge.stages.deliver.tools import DeliverTools

    return DeliverTools(
        cluster=cluster(settings, options),
        files=workspace_files(settings.workspace),
        reader=LazyYaml(_small_reader),
        clock=SystemClock(),
        workers=ThreadWorkers(_REQUESTS),
        waiters=ThreadWorkers(_WAITERS),
        reporter=reporter,
    )


def repositories(settings: Settings) -> Repositories:
    """Bare repositories, for reading."""
    from cluster_forge.adapters.git.bare_repositories import BareRepositories
    from cluster_forge.adapters.storage.cache import NoCache

    return BareRepositories(ThreadWorkers(settings.jobs), NoCache())


def machine() -> Machine:
    """The machine that this process runs on."""
    from cluster_forge.adapters.machine import LocalMachine

    return LocalMachine()


def secret_text(source: str) -> str:
    """The values of Secrets in a file that is encrypted with age or SOPS, or on stdin (``-``).

    Raises:
        CredentialError, MissingProgramError: if they cannot be read.
    """
    from cluster_forge.adapters import secret_files

    return secret_files.read(source, os.environ)


def output_folder(directory: Path) -> OutputFolder:
    """The folders in a directory outside of the workspace."""
    return OutputFolder(directory)


def services(settings: Settings) -> Services:
    """The adapters for one command.

    Raises:
        MissingProgramError: if the engine (or, for ``auto``, every engine) is not installed.
        WorkspaceError: if the workspace does not exist.
        FetchError, ExceptionGroup: for every mirror without an index.
    """
    from cluster_forge.adapters.git.lazy import LazyRepositories
    from cluster_forge.adapters.kustomize.caching import CachingKustomize
    from cluster_forge.adapters.kustomize.program import KustomizeProgram
    from cluster_forge.adapters.rendering.caching import CachingRenderer
    from cluster_forge.adapters.storage.cache import FolderCache, NoCache
    from cluster_forge.adapters.yaml.lazy import LazyYaml

    files = workspace_files(settings.workspace)
    root = store_root(settings.store)
    helm = _engine(settings.rendering.helm_engine)
    cache = NoCache() if settings.rendering.no_cache else FolderCache(root)
    workers = ThreadWorkers(settings.jobs)
    processes = _worker_pool(settings, helm)
    downloads = _downloads(settings)
    kustomize = KustomizeProgram(settings.rendering.render_seconds, settings.rendering.render_memory)
    toolbox = Toolbox(
        store=FolderStore(root),
        files=files,
        digests=KeptDigests(files, cache, workers),
        renderer=CachingRenderer(processes, cache),
        kustomize=CachingKustomize(kustomize, cache),
        reader=LazyYaml(_reader),
        workers=workers,
        fetchers=ThreadWorkers(max(settings.jobs, _FETCHERS)),
        cache=cache,
        kept_edits=FolderOfEdits(settings.workspace),
    )
    fetching = replace(toolbox, store=UnreadStore()) if settings.refetches else toolbox
    sources = _sources(settings, fetching, helm, files, downloads)
    if settings.starts_workers:  # after everything that may raise an error: `Services` ends them
        processes.start(min(settings.jobs, _EARLY_WORKERS))
    return Services(
        files=files,
        toolbox=toolbox,
        sources=sources,
        offers=sources,
        engine=helm,
        repositories=LazyRepositories(lambda: _repositories(toolbox)),
        use_registries=partial(_use_registries, downloads, settings.workspace),
        close=processes.close,
    )


def _sources(
    settings: Settings,
    toolbox: Toolbox,
    helm: HelmEngine,
    files: WorkspaceFiles,
    downloads: OfflineDownloads | HttpDownloads,
) -> StackSources:
    from cluster_forge.adapters.sources import StackSources
    from cluster_forge.adapters.sources.git_repositories import GitRepositories
    from cluster_forge.adapters.sources.http_repositories import HttpRepositories
    from cluster_forge.adapters.sources.kept_indexes import KeptIndexes
    from cluster_forge.adapters.sources.local_charts import LocalCharts
    from cluster_forge.adapters.sources.local_kustomizations import LocalKustomizations
    from cluster_forge.adapters.sources.oci_repositories import OciRepositories
    from cluster_forge.adapters.sources.registry_artifacts import RegistryArtifacts
    from cluster_forge.adapters.sources.registry_images import RegistryImages

    registry_at = partial(_registry, downloads)
    by_http = HttpRepositories(
        store=toolbox.store,
        downloads=downloads,
        indexes=KeptIndexes(downloads=downloads, cache=toolbox.cache),
        registry_at=registry_at,
        newest_in_range=helm.newest_in_range,
    )
    by_oci = OciRepositories(registry_at=registry_at, newest_in_range=helm.newest_in_range)
    git = GitRepositories(
        trees=cache(partial(_git_trees, settings, downloads)), charts=_charts, newest_in_range=helm.newest_in_range
    )
    return StackSources(
        store=toolbox.store,
        mirrors=_mirrors(settings.mirrors.mirror, registry_at),
        repositories={"https": by_http, "http": by_http, "file": by_http, "oci": by_oci, **dict.fromkeys(_GIT, git)},
        git=git,
        local=LocalCharts(files=files, charts=_charts, newest_in_range=helm.newest_in_range),
        kustomizations=LocalKustomizations(files=files),
        images=RegistryImages(registry_at),
        artifacts=RegistryArtifacts(registry_at),
        downloads=downloads,
        charts=_charts,
        newest_in_range=helm.newest_in_range,
    )


def _worker_pool(settings: Settings, helm: HelmEngine) -> WorkerPoolRenderer:
    from cluster_forge.adapters.rendering.worker_pool import JobLimits, WorkerPoolRenderer

    rendering = settings.rendering
    return WorkerPoolRenderer(
        [sys.executable, "-P", "-c", _START, rendering.helm_engine],  # -P: files of the current folder are not modules
        helm,
        JobLimits(seconds=rendering.render_seconds, memory=rendering.render_memory),
        {**_FOR_WORKERS, **os.environ},
    )


def serve() -> None:
    """Render for the process that started this one, until it closes the pipe: ``python -c … ENGINE BYTES``."""
    from cluster_forge.adapters.rendering import worker
    from cluster_forge.adapters.rendering.in_process import InProcessRenderer

    engine, memory = sys.argv[1:]
    worker.serve(InProcessRenderer(_engine(engine), _reader()), memory=int(memory))


def run_log(workspace: Path, verb: str) -> RunLog | None:
    """The log of a run; None outside of a workspace, where it would be the first file of a folder."""
    return RunLog(workspace, verb) if (workspace / "input").is_dir() else None


def workspace_files(workspace: Path) -> WorkspaceFiles:
    """The files of a workspace, for a command that needs no other service.

    Raises:
        WorkspaceError: if the folder does not exist.
    """
    if not workspace.is_dir():
        raise WorkspaceError(
            "there is no such folder", where=str(workspace), fix="pass an existing folder: -C WORKSPACE"
        )
    return WorkspaceFiles(workspace)


def store_root(options: StoreOptions) -> Path:
    """The store's folder: ``--store``, or ``$XDG_CACHE_HOME/cluster-forge``, or ``~/.cache/cluster-forge``.

    Raises:
        StoreError: if the user has no home folder, as in many containers.
    """
    if options.store:
        return Path(options.store)
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "cluster-forge"
    except RuntimeError as error:
        raise StoreError(
            "there is no place for the store: this user has no home folder",
            fix="name one: --store DIR, or XDG_CACHE_HOME",
        ) from error


def store_of(options: StoreOptions) -> Store:
    """The store alone.

    Raises:
        StoreError: as for `store_root`.
    """
    return FolderStore(store_root(options))


def stored_kinds(root: Path) -> Sequence[StoredKind]:
    """What the store at ``root`` holds.

    Raises:
        StoreError: if the folder cannot be read.
    """
    from cluster_forge.adapters.storage import housekeeping

    return housekeeping.stored_kinds(root)


def clean_store(root: Path, older_than: float, *, sources: bool) -> Sequence[StoredKind]:
    """Remove entries of the store at ``root`` that were not used for ``older_than`` seconds; what was removed.

    Raises:
        StoreError: if the folder cannot be read or written.
    """
    from cluster_forge.adapters.storage import housekeeping

    return housekeeping.clean(root, older_than, sources=sources)


def append_history(workspace: Path, entry: Mapping[str, Any]) -> None:
    """Append an entry to the history of a workspace. The caller holds the workspace's lock.

    Raises:
        WorkspaceError: if it cannot be written.
    """
    append_to_history(workspace, entry)


def trial_renderer(services: Services, library: Library) -> TrialRenderer:
    """The renderer for trials of a catalog's components."""
    from cluster_forge.adapters import charts
    from cluster_forge.catalog.trial_plan import TrialPlans
    from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

    toolbox = services.toolbox
    return TrialRenderer(TrialPlans(library), services.sources, toolbox.store, toolbox.renderer, charts, toolbox.reader)


def _mirrors(places: Sequence[str], registry_at: Callable[[str], Registry]) -> Sequence[IndexedMirror]:
    if not places:
        return ()
    from cluster_forge.adapters.sources import mirror_registry
    from cluster_forge.adapters.sources.mirror import IndexedMirror, open_mirror
    from cluster_forge.oci.reference import SCHEME

    def opened(place: str) -> IndexedMirror:
        if place.startswith(SCHEME):
            reference = mirror_registry.reference(place)
            return IndexedMirror(mirror_registry.MirrorRegistry(partial(registry_at, place), reference))
        return open_mirror(Path(place))

    return gathered(partial(opened, place) for place in places)


def mirror_writer(settings: Settings, place: str, hosts: Sequence[RegistrySettings]) -> MirrorWriter:
    """A mirror in a directory, which need not exist yet, or in a registry, ``oci://HOST/REPOSITORY[:TAG]``.

    Raises:
        ImageError: if the address is not one.
        WorkspaceError: if it has another scheme.
        OfflineError, DescriptionError: as for `registries`.
    """
    from cluster_forge.oci.reference import SCHEME

    if not place.startswith(SCHEME):
        if "://" in place:
            raise WorkspaceError(
                f"{masked(place)} is neither a directory nor in a registry",
                fix="write a path, or oci://HOST/REPOSITORY[:TAG]",
            )
        from cluster_forge.adapters.sources.mirror_writer import FolderWriter

        return FolderWriter(Path(place))
    from cluster_forge.adapters.sources import mirror_registry

    reached = registries(settings, hosts)
    return mirror_registry.RegistryWriter(reached.registry, reached.uploads, mirror_registry.reference(place))


def _charts() -> Charts:
    from cluster_forge.adapters import charts

    return charts


def _downloads(settings: Settings) -> OfflineDownloads | HttpDownloads:
    if settings.network.offline:
        from cluster_forge.adapters.http.offline import OfflineDownloads

        return OfflineDownloads()
    return _network(settings, credentials)


def _network(settings: Settings, credentials: Callable[[], Credentials]) -> HttpDownloads:
    """The network with the user's options; ``credentials`` is called when a server asks for one."""
    from cluster_forge.adapters.http.downloads import HttpDownloads
    from cluster_forge.adapters.http.policy import Policy, Timeouts

    def authorization(client: HttpClient) -> Authorization:
        from cluster_forge.adapters.http.challenged_authorization import ChallengedAuthorization
        from cluster_forge.adapters.http.tokens import TokenService

        return ChallengedAuthorization(credentials(), TokenService(requests=client))

    def known_hosts() -> Mapping[str, HostSettings]:
        from cluster_forge.adapters.credentials import host_settings

        return host_settings.of_helm(_user_files())

    options = settings.network
    policy = Policy(retries=options.retries, timeouts=Timeouts(whole=options.timeout), ca_file=options.ca_file or "")
    return HttpDownloads(policy, authorization=authorization, transfers=settings.transfers, known_hosts=known_hosts)


def _use_registries(
    downloads: OfflineDownloads | HttpDownloads, workspace: Path, registries: Sequence[RegistrySettings]
) -> None:
    """Hand the settings of hosts to the client, with the paths of their files on this machine.

    Raises:
        DescriptionError, ExceptionGroup: for each file that is not there, or behind a link out of the workspace.
    """
    if not registries:
        return
    from cluster_forge.adapters.credentials import host_settings

    downloads.configure(host_settings.of_description(workspace, registries))


def credentials() -> Credentials:
    """The credentials that this user has."""
    from cluster_forge.adapters.credentials.lookup import UserCredentials

    return UserCredentials(_user_files())


def credential_keeper() -> CredentialKeeper:
    """Where `login` keeps passwords."""
    from cluster_forge.adapters.credentials.auth_file_keeper import AuthFileKeeper

    return AuthFileKeeper(_user_files())


def logins(settings: Settings, registries: Sequence[RegistrySettings] = ()) -> Logins:
    """Tries logins, with what the description says about hosts.

    Raises:
        DescriptionError, ExceptionGroup: for each file of ``registries`` that is not there.
    """
    from cluster_forge.adapters.credentials import host_settings
    from cluster_forge.adapters.credentials.login_trials import HttpLogins

    hosts = host_settings.of_description(settings.workspace, registries)

    def client_with(credentials: Credentials) -> HttpClient:
        network = _network(settings, lambda: credentials)
        network.configure(hosts)
        return network.client

    return HttpLogins(client_with, credentials())


def workers(settings: Settings) -> Workers:
    """Parallel calls, for a command that needs no other service."""
    return ThreadWorkers(settings.jobs)


def _user_files() -> UserFiles:
    from cluster_forge.adapters.credentials.user_files import UserFiles

    try:
        home = Path.home()
    except RuntimeError:  # many containers have none
        return UserFiles(os.environ, None)
    return UserFiles(os.environ, home)


def _registry(downloads: OfflineDownloads | HttpDownloads, address: str) -> Registry:
    """Registries, by the connections of the downloads; with the login of an address, if it has one."""
    from cluster_forge.adapters.http.downloads import HttpDownloads

    if isinstance(downloads, HttpDownloads):
        from cluster_forge.adapters.registry.reader import RegistryReader

        login, at, _ = urlsplit(address).netloc.rpartition("@")
        return RegistryReader(downloads.client, f"{login}{at}")
    from cluster_forge.adapters.registry.offline import OfflineRegistry

    return OfflineRegistry()


def _git_trees(settings: Settings, downloads: OfflineDownloads | HttpDownloads) -> OfflineTrees | RemoteTrees:
    """Git, with the options and the settings of hosts that hold for ``downloads``, too."""
    from cluster_forge.adapters.git.program import GitLimits, GitProgram
    from cluster_forge.adapters.git.remote_trees import RemoteTrees
    from cluster_forge.adapters.http.downloads import HttpDownloads

    program = GitProgram(GitLimits(whole=settings.network.timeout))
    if not isinstance(downloads, HttpDownloads):
        from cluster_forge.adapters.git.offline import OfflineTrees

        return OfflineTrees(local=RemoteTrees(program=program))
    return RemoteTrees(
        program=program,
        policy=downloads.policy,
        transfers=settings.transfers,
        credentials=_git_credentials,
        hosts=lambda: downloads.hosts,
    )


def _git_credentials() -> Credentials:
    """The credentials that this user has and Git does not know."""
    from cluster_forge.adapters.credentials.lookup import UserCredentials

    return UserCredentials(_user_files(), for_git=True)


def _repositories(toolbox: Toolbox) -> Repositories:
    from cluster_forge.adapters.git.bare_repositories import BareRepositories

    return BareRepositories(toolbox.workers, toolbox.cache)


def engine_version() -> str:
    """The engine that renders charts without ``--helm-engine``, and its version.

    Raises:
        MissingProgramError: if there is none.
    """
    return _engine("auto").version


def _engine(name: str) -> HelmEngine:
    if name != "helm":
        from cluster_forge.adapters.helm.sdk import HelmSdk

        try:
            return HelmSdk()
        except MissingProgramError:
            if name == "sdk":
                raise
    from cluster_forge.adapters.helm.program import HelmProgram

    return HelmProgram()


def _reader() -> YamlReader:
    """The fastest reader that is installed; text that it cannot read exactly goes to the next."""
    from cluster_forge.adapters.yaml.pure_python import PurePythonYaml

    reader: YamlReader = PurePythonYaml()
    if find_spec("helm_python"):
        from cluster_forge.adapters.yaml.go import GoYaml

        reader = GoYaml(reader)
    return _taking_apart(reader)


def _small_reader() -> YamlReader:
    """A reader of what `cast` wrote, of which all but some small documents need no exact reader: without Go's library, which
    takes 75 MB.
    """
    from cluster_forge.adapters.yaml.pure_python import PurePythonYaml

    return _taking_apart(PurePythonYaml())


def _taking_apart(exact: YamlReader) -> YamlReader:
    """A reader that is faster than the exact one, and leaves to it what it cannot read."""
    from cluster_forge.adapters.yaml.blocks import BlockYaml
    from cluster_forge.adapters.yaml.fast import FastYaml

    return BlockYaml(FastYaml(exact))
