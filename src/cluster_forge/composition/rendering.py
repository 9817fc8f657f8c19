"""Engines that render charts, the processes that they run in, and readers of YAML."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cluster_forge.composition.settings import Settings
from cluster_forge.foundation.errors import MissingProgramError
from cluster_forge.ports.rendering import HelmEngine, YamlReader

if TYPE_CHECKING:
    from cluster_forge.adapters.rendering.worker_pool import WorkerPoolRenderer

_FOR_WORKERS = {"GOGC": "800", "GOMEMLIMIT": "128MiB", "PYTHONUTF8": "1"}
"""For Helm's library: less CPU than with Go's default, for some memory; more than this limit saves no CPU (ADR 0012)."""

_START = "from cluster_forge.composition import serve; serve()"
"""The program of a process that renders."""


def worker_pool(settings: Settings, helm: HelmEngine) -> WorkerPoolRenderer:
    """Processes that render, none of which is started yet."""
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
    worker.serve(InProcessRenderer(helm_engine(engine), reader()), memory=int(memory))


def engine_version() -> str:
    """The engine that renders charts without ``--helm-engine``, and its version.

    Raises:
        MissingProgramError: if there is none.
    """
    return helm_engine("auto").version


def helm_engine(name: str) -> HelmEngine:
    """The engine of ``--helm-engine``: ``sdk``, ``helm``, or ``auto``.

    Raises:
        MissingProgramError: if it is not installed (for ``auto``: if none is).
    """
    if name != "helm":
        from cluster_forge.adapters.helm.sdk import HelmSdk

        try:
            return HelmSdk()
        except MissingProgramError:
            if name == "sdk":
                raise
    from cluster_forge.adapters.helm.program import HelmProgram

    return HelmProgram()


def reader() -> YamlReader:
    """The fastest reader that is installed; text that it cannot read exactly goes to the next."""
    from cluster_forge.adapters.yaml.pure_python import PurePythonYaml

    reader: YamlReader = PurePythonYaml()
    if find_spec("helm_python"):
        from cluster_forge.adapters.yaml.go import GoYaml

        reader = GoYaml(reader)
    return _taking_apart(reader)


def small_reader() -> YamlReader:
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
