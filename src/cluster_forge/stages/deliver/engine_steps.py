"""The steps that an engine cannot do itself: its own installation, and what it syncs by."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.plan import ComponentPlan, DeployPlan
from cluster_forge.gitops.steps import AwaitReady, FileStep
from cluster_forge.ports.workers import Queue
from cluster_forge.stages.deliver.cluster_records.applied import AppliedComponent
from cluster_forge.stages.deliver.direct import surroundings
from cluster_forge.stages.deliver.direct.component_run import ComponentRun
from cluster_forge.stages.deliver.direct.surroundings import Before
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.tools import DeliverTools


class EngineSteps:
    """Runs steps with the requests of ``queue``, and waits until what they apply is ready: what comes next needs it."""

    def __init__(self, plan: DeployPlan, tools: DeliverTools, options: DeployOptions, queue: Queue) -> None:
        self._reporter = tools.reporter
        self._around = surroundings.of(plan, tools, replace(options, waits=True), queue, Before())

    def run(self, name: ComponentName, steps: tuple[FileStep, ...]) -> None:
        """Apply the steps of what is called ``name``.

        Raises:
            ForgeError, ExceptionGroup: for everything that has failed.
        """
        if not steps:
            return
        plan = ComponentPlan(name=name, wave=0, objects=0, folder="", steps=steps)
        run = ComponentRun(plan, AppliedComponent(), self._around, partial(self._reporter.item_waiting, STAGE, name))
        run.run()
        done = "ready" if any(isinstance(step, AwaitReady) for step in steps) else "applied"
        self._reporter.item_finished(STAGE, name, done, again=True)  # no component of the stack: it is not counted
