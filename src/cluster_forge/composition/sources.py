"""Where charts, manifests and images come from, and mirrors of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cluster_forge.adapters.workspace import (
    WorkspaceFiles,
)
from cluster_forge.composition.network import downloads_for, git_credentials, registries, registry_of, use_registries
from cluster_forge.composition.plugins import plugin_downloads
from cluster_forge.composition.settings import Settings
from cluster_forge.foundation.addresses import masked
from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.ports.git import RemoteFiles
from cluster_forge.ports.rendering import HelmEngine
from cluster_forge.ports.sources import Charts
from cluster_forge.stack.registry_settings import RegistrySettings
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.adapters.git.offline import OfflineTrees
    from cluster_forge.adapters.git.remote_trees import RemoteTrees
    from cluster_forge.adapters.http.downloads import HttpDownloads
    from cluster_forge.adapters.http.offline import OfflineDownloads
    from cluster_forge.adapters.sources import StackSources
    from cluster_forge.adapters.sources.mirror import IndexedMirror
    from cluster_forge.ports.mirrors import MirrorWriter
    from cluster_forge.ports.registry import Registry

_GIT = ("git+https", "git+ssh", "git+file", "git+http")


def stack_sources(
    settings: Settings,
    toolbox: Toolbox,
    helm: HelmEngine,
    files: WorkspaceFiles,
    downloads: OfflineDownloads | HttpDownloads,
) -> StackSources:
    """Every kind of source, with the mirrors before them.

    Raises:
        FetchError, ExceptionGroup: for every mirror without an index.
    """
    from cluster_forge.adapters.sources import StackSources
    from cluster_forge.adapters.sources.git_repositories import GitRepositories
    from cluster_forge.adapters.sources.http_repositories import HttpRepositories
    from cluster_forge.adapters.sources.kept_indexes import KeptIndexes
    from cluster_forge.adapters.sources.local_charts import LocalCharts
    from cluster_forge.adapters.sources.local_kustomizations import LocalKustomizations
    from cluster_forge.adapters.sources.oci_repositories import OciRepositories
    from cluster_forge.adapters.sources.registry_artifacts import RegistryArtifacts
    from cluster_forge.adapters.sources.registry_images import RegistryImages

    registry_at = partial(registry_of, downloads)
    newest = helm.newest_in_range
    by_http = HttpRepositories(
        store=toolbox.store,
        downloads=downloads,
        indexes=KeptIndexes(downloads=downloads, cache=toolbox.cache),
        registry_at=registry_at,
        newest_in_range=newest,
    )
    plugins = plugin_downloads(settings)
    by_plugins = replace(by_http, downloads=plugins, indexes=plugins)
    by_oci = OciRepositories(registry_at=registry_at, newest_in_range=newest)
    git = GitRepositories(trees=cache(partial(_git_trees, settings, downloads)), charts=_charts, newest_in_range=newest)
    return StackSources(
        store=toolbox.store,
        mirrors=_mirrors(settings.mirrors.mirror, registry_at),
        repositories={"https": by_http, "http": by_http, "file": by_http, "oci": by_oci, **dict.fromkeys(_GIT, git)},
        of_plugins=by_plugins,
        git=git,
        local=LocalCharts(files=files, charts=_charts, newest_in_range=newest),
        kustomizations=LocalKustomizations(files=files),
        images=RegistryImages(registry_at),
        artifacts=RegistryArtifacts(registry_at),
        downloads=downloads,
        plugin_downloads=plugins,
        charts=_charts,
        newest_in_range=newest,
    )


def remote_files(settings: Settings, hosts: Sequence[RegistrySettings]) -> RemoteFiles:
    """What a command reads a stack from Git repositories with; ``hosts`` is what the description says about hosts.

    Raises:
        DescriptionError, ExceptionGroup: for each file that ``hosts`` name and that is not there.
    """
    downloads = downloads_for(settings)
    use_registries(downloads, settings.workspace, hosts)
    return _git_trees(settings, downloads)


def _charts() -> Charts:
    from cluster_forge.adapters import charts

    return charts


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
        credentials=git_credentials,
        hosts=lambda: downloads.hosts,
    )


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
