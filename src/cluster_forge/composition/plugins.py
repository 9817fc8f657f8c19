"""Plug-ins, and functions that run only where their user agreed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from cluster_forge.composition.rendering import reader
from cluster_forge.composition.settings import Settings
from cluster_forge.foundation.digest import Digest
from cluster_forge.ports.storage import Cache
from cluster_forge.service_options import RenderOptions

if TYPE_CHECKING:
    from cluster_forge.adapters.plugins.allowed_functions import AllowedFunctions
    from cluster_forge.adapters.plugins.downloads import PluginDownloads
    from cluster_forge.adapters.plugins.process import Limits
    from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins


def installed_plugins(options: RenderOptions) -> InstalledPlugins:
    """The plug-ins that are installed beside this program."""
    from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins

    return InstalledPlugins(_limits(options))


def plugin_downloads(settings: Settings) -> PluginDownloads:
    """What source plug-ins have at their addresses, within the time limit of downloads."""
    from cluster_forge.adapters.plugins.downloads import PluginDownloads

    @cache
    def plugins() -> InstalledPlugins:
        from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins

        return InstalledPlugins(replace(_limits(settings.rendering), seconds=settings.network.timeout))

    return PluginDownloads(plugins, settings.network.offline)


def functions(options: RenderOptions, results: Cache) -> AllowedFunctions:
    """The functions that the user agreed to, on this machine or for this run; ``results`` keeps what they gave."""
    from cluster_forge.adapters.plugins import consent
    from cluster_forge.adapters.plugins.allowed_functions import AllowedFunctions
    from cluster_forge.adapters.plugins.caching import CachingFunctions
    from cluster_forge.adapters.plugins.functions import FunctionPrograms
    from cluster_forge.adapters.yaml.lazy import LazyYaml

    @cache
    def allowed() -> Collection[Digest]:
        return {*map(Digest.parse, options.allow_exec), *consent.allowed()}

    programs = FunctionPrograms(LazyYaml(reader), _limits(options))
    return AllowedFunctions(CachingFunctions(programs, results), allowed)


def allow_functions(digests: Collection[Digest]) -> None:
    """Remember that the user agreed to run these.

    Raises:
        WorkspaceError: if there is no place for that.
    """
    from cluster_forge.adapters.plugins import consent

    consent.allow(digests)


def forget_functions(digests: Collection[Digest]) -> None:
    """Remember it no longer.

    Raises:
        WorkspaceError: as for `allow_functions`.
    """
    from cluster_forge.adapters.plugins import consent

    consent.forget(digests)


def allowed_functions() -> Collection[Digest]:
    """The functions that the user agreed to on this machine."""
    from cluster_forge.adapters.plugins import consent

    return consent.allowed()


def _limits(options: RenderOptions) -> Limits:
    from cluster_forge.adapters.plugins.process import Limits

    return Limits(seconds=options.render_seconds, memory=options.render_memory)
