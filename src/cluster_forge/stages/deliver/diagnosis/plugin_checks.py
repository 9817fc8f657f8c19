"""Whether the plug-ins that a stack names are installed on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.foundation.errors import PluginError
from cluster_forge.ports.plugins import PluginKind, Plugins
from cluster_forge.stack import source_schemes
from cluster_forge.stack.component import Component, Upstream
from cluster_forge.stack.model import Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.deliver.diagnosis.examination import Examined, State


def examine(stack: Stack, plugins: Plugins) -> Iterator[Examined]:
    """Each of them once, by kind and name."""
    named: dict[tuple[PluginKind, str], PluginUse] = {}
    for kind, use in _uses(stack):
        named.setdefault((kind, use.name), use)
    for kind, name in sorted(named):
        yield _examined(kind, named[kind, name], plugins)


def _uses(stack: Stack) -> Iterator[tuple[PluginKind, PluginUse]]:
    yield from ((PluginKind.TRANSFORMER, use) for use in stack.transforming if not use.is_function)
    yield from ((PluginKind.CHECK, use) for use in stack.checks)
    for component in stack.components:
        sources: tuple[Component | Upstream | None, ...] = (component, component.upstream)
        addresses = [address for source in sources if source for address in source.manifests]
        addresses += [source.helm.repository for source in sources if source and source.helm]
        for scheme in filter(None, map(source_schemes.of_plugin, addresses)):
            yield PluginKind.SOURCE, PluginUse(name=scheme, where=component.where)


def _examined(kind: PluginKind, use: PluginUse, plugins: Plugins) -> Examined:
    name = f"{kind.noun} {use.name}"
    try:
        package, version, _ = plugins.identity(kind, use).split(" ")
    except PluginError as error:
        return Examined(
            name=name, state=State.MISSING, detail=error.message, where=error.where or "", fix=error.fix or ""
        )
    return Examined(name=name, state=State.GOOD, detail=f"{package} {version}")
