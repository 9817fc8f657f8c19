"""What a plug-in gets beside objects: the context of the stack, and the files that the description names for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import PluginError
from cluster_forge.ports.plugins import PluginContext
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.toolbox import Toolbox


def files_of(use: PluginUse, toolbox: Toolbox) -> Mapping[str, bytes]:
    """The content of the files that the description names for a plug-in, by their paths in the workspace.

    Raises:
        PluginError, ExceptionGroup: for each that is not there.
    """

    def content(path: str) -> bytes:
        read = toolbox.files.read(path)
        if read is None:
            raise PluginError(
                f"{use}: {path} does not exist",
                where=use.where,
                fix="create it, or correct the path (relative to input/)",
            )
        return read

    return dict(zip(use.files, gathered(partial(content, path) for path in use.files), strict=True))


def context_of(stack: Stack, component: Component | None = None) -> PluginContext:
    """What the stack says to a plug-in."""
    return PluginContext(
        stack=stack.name,
        environment=stack.environment,
        kubernetes=str(stack.target.kubernetes).removeprefix("v"),
        size=str(stack.target.size),
        component=str(component.name) if component else "",
        namespace=(component.namespace or "default") if component else "",
    )
