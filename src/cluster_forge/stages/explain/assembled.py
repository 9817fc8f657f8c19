"""The stack as smelt would put it together now, for what explains more than one object."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.progress import Reporter
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import transforming
from cluster_forge.stages.build.assembly.assemble import Assembly, assemble
from cluster_forge.stages.build.rendering.component_sources import ComponentSources
from cluster_forge.stages.build.rendering.render import render
from cluster_forge.stages.toolbox import Toolbox


def assembly(
    stack: Stack,
    sources: Mapping[ComponentName, ComponentSources],
    lock: Lock,
    toolbox: Toolbox,
    reporter: Reporter,
) -> Assembly:
    """The parts, their objects and their order.

    Raises:
        ForgeError, ExceptionGroup: whatever keeps the stack from being rendered and put together.
    """
    rendered = render(stack, sources, lock, toolbox, reporter)
    transform = partial(transforming.transformed, stack, toolbox=toolbox, reporter=reporter)
    return assemble(stack, rendered, sources, transform)
