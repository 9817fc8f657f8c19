"""Functions that run only where their user agreed to them: a wrapper around other `ports.Functions`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import PluginError
from cluster_forge.ports.plugins import Functions, Transformed, TransformTask
from cluster_forge.stack.plugin_uses import PluginUse


@dataclass(frozen=True, slots=True)
class AllowedFunctions:
    """Runs those of ``functions`` whose digest ``allowed`` has, whether their result is kept or not."""

    functions: Functions
    allowed: Callable[[], Collection[Digest]]

    def run(self, use: PluginUse, program: bytes, task: TransformTask) -> Transformed:
        digest = Digest.of(program)
        if digest not in self.allowed():
            raise PluginError(
                f"the {use} is a program, and you have not agreed to run it on this machine",
                where=use.where,
                fix=f"read it; if you trust it: cluster-forge plugins allow {digest}, or --allow-exec {digest} for this run",
            )
        return self.functions.run(use, program, task)
