"""`StackSources` with every kind of source, for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from cluster_forge.adapters import charts
from cluster_forge.adapters.git.remote_trees import RemoteTrees
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.plugins.downloads import PluginDownloads
from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins
from cluster_forge.adapters.registry.offline import OfflineRegistry
from cluster_forge.adapters.sources import StackSources
from cluster_forge.adapters.sources.git_repositories import GitRepositories, GitTrees
from cluster_forge.adapters.sources.http_repositories import Downloads, HttpRepositories
from cluster_forge.adapters.sources.local_charts import LocalCharts
from cluster_forge.adapters.sources.local_kustomizations import LocalKustomizations
from cluster_forge.adapters.sources.oci_repositories import OciRepositories
from cluster_forge.adapters.sources.registry_artifacts import RegistryArtifacts
from cluster_forge.adapters.sources.registry_images import RegistryImages
from cluster_forge.adapters.sources.stack_sources import Mirror
from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.adapters.workspace import WorkspaceFiles
from cluster_forge.ports.registry import Registry


def stack_sources(
    store: Path,
    workspace: Path,
    downloads: Downloads,
    mirrors: Sequence[Mirror] = (),
    registry: Registry | None = None,
    *,
    trees: Callable[[], GitTrees] = RemoteTrees,
    plugins: Downloads | None = None,
) -> StackSources:
    """The sources as `composition` wires them, with ``downloads`` and ``registry`` in the place of the network, and
    ``plugins`` in that of source plug-ins.
    """
    newest_in_range = HelmSdk().newest_in_range
    kept = FolderStore(store)

    def registry_at(_address: str) -> Registry:
        return registry or OfflineRegistry()

    by_http = HttpRepositories(
        store=kept,
        downloads=downloads,
        indexes=downloads,
        registry_at=registry_at,
        newest_in_range=newest_in_range,
    )
    of_plugins = plugins or PluginDownloads(lambda: InstalledPlugins(path=()), is_offline=False)
    by_oci = OciRepositories(registry_at=registry_at, newest_in_range=newest_in_range)
    git = GitRepositories(trees=cache(trees), charts=lambda: charts, newest_in_range=newest_in_range)
    return StackSources(
        store=kept,
        mirrors=mirrors,
        repositories={
            "https": by_http,
            "http": by_http,
            "file": by_http,
            "oci": by_oci,
            **dict.fromkeys(("git+https", "git+ssh", "git+file", "git+http"), git),
        },
        of_plugins=replace(by_http, downloads=of_plugins, indexes=of_plugins),
        plugin_downloads=of_plugins,
        images=RegistryImages(registry_at),
        artifacts=RegistryArtifacts(registry_at),
        git=git,
        local=LocalCharts(files=WorkspaceFiles(workspace), charts=lambda: charts, newest_in_range=newest_in_range),
        kustomizations=LocalKustomizations(files=WorkspaceFiles(workspace)),
        downloads=downloads,
        charts=lambda: charts,
        newest_in_range=newest_in_range,
    )
