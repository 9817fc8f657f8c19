"""Waiting until the Kustomizations of a stack are ready, and asking Flux to look where it would wait."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import engine
from cluster_forge.gitops.flux import kustomization_state
from cluster_forge.gitops.flux.kustomization_state import KustomizationState
from cluster_forge.gitops.plan import FluxPlan
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Patch, Query
from cluster_forge.stages.deliver.engine_mending import EngineMending
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.patience import Patience, tolerated
from cluster_forge.stages.deliver.tools import DeliverTools

REQUEST: Final = "reconcile.fluxcd.io/requestedAt"
"""An annotation: Flux looks at the object when its value changes (Flux, "Trigger a reconcile")."""
_BETWEEN: Final = 6.0
"""Seconds until Flux is asked again; it looks at what waits for a dependency every 30 s by itself."""


def reconcile(target: ObjectId, tools: DeliverTools) -> None:
    """Ask Flux to look at an object now, and not at the next interval."""
    change = {"metadata": {"annotations": {REQUEST: f"{tools.clock.time():.3f}"}}}
    tools.cluster.patch(target, change, Patch.MERGE, manager=FIELD_MANAGER)


class KustomizationWait:
    """One wait for all Kustomizations of a plan."""

    def __init__(self, flux: FluxPlan, tools: DeliverTools, options: DeployOptions, mending: EngineMending) -> None:
        self._flux = flux
        self._mending = mending
        self._tools = tools
        self._options = options
        self._said: dict[str, str] = {}
        self._finished: set[ComponentName] = set()
        self._due: dict[str, float] = {}
        self._source = ""

    @property
    def source_message(self) -> str:
        """What Flux said of the source when it could not read it; empty where it could."""
        return self._source

    def run(self) -> Mapping[str, KustomizationState]:
        """Wait until all are ready, or nothing has moved for the time of the options; their states by name."""
        names = {*self._flux.kustomizations, self._flux.root}
        patience = Patience(self._tools.clock, self._options.timeout)
        while True:
            states = self._look()
            ready = sum(state.is_ready for state in states.values())
            if ready == len(names):
                return states
            has_failed = bool(self._source) or any(state.has_failed for state in states.values())
            if patience.is_over(ready, has_failed=has_failed):
                return states
            for state in states.values():
                if state.is_refused and state.name in self._flux.kustomizations:
                    self._mending.mend_component(self._flux.kustomizations[state.name], state.message)
            with self._tolerated():
                self._ask_again(states, self._tools.clock.monotonic())
            patience.pause()

    def _look(self) -> dict[str, KustomizationState]:
        """The states of the plan's Kustomizations that are there."""
        query = Query(group=engine.FLUX_GROUP, kind="Kustomization", namespace=self._flux.namespace)
        bodies: tuple[Body, ...] = ()
        with self._tolerated():
            bodies = self._tools.cluster.list(query).items
            self._look_at_source()
        states = [kustomization_state.of(body, self._flux.revision) for body in bodies]
        known = {state.name: state for state in states if state.name in {*self._flux.kustomizations, self._flux.root}}
        for state in known.values():
            self._say(state, known)
        return known

    def _tolerated(self) -> AbstractContextManager[None]:
        """Flux goes on while its cluster does not answer."""
        return tolerated(partial(self._tools.reporter.item_waiting, STAGE, self._flux.root))

    def _look_at_source(self) -> None:
        """Whether Flux can read the source; it is asked again only if that may have changed."""
        body = self._tools.cluster.get(self._flux.source)
        state = kustomization_state.of(body, self._flux.revision) if body else None
        message = state.message if state and state.is_idle else ""
        if message and message != self._source:
            self._tools.reporter.item_waiting(STAGE, self._flux.root, f"{self._flux.source}: {message}")
        self._source = message

    def _say(self, state: KustomizationState, states: Mapping[str, KustomizationState]) -> None:
        """Tell of a change, by component where it is the Kustomization of one; a component may have several (hooks)."""
        if self._said.get(state.name, "") == state.lack:
            return
        self._said[state.name] = state.lack
        component = self._flux.kustomizations.get(state.name)
        if state.lack:
            reason = f"its Kustomization: {state.message or state.lack}"
            self._tools.reporter.item_waiting(STAGE, component or state.name, reason)
        elif component is None:
            self._tools.reporter.item_finished(STAGE, state.name, "Ready", again=True)  # the root, which is not counted
        elif all(name in states and states[name].is_ready for name in self._names(component)):
            self._tools.reporter.item_finished(STAGE, component, "Ready", again=component in self._finished)
            self._finished.add(component)

    def _names(self, component: ComponentName) -> list[str]:
        """The Kustomizations of a component."""
        return [name for name, owner in self._flux.kustomizations.items() if owner == component]

    def _ask_again(self, states: Mapping[str, KustomizationState], now: float) -> None:
        """Ask Flux to look at what it would look at later only."""
        for name, state in states.items():
            if not state.is_idle:
                self._due.pop(name, None)
            elif now >= self._due.setdefault(name, now + _BETWEEN):
                reconcile(engine.kustomization_id(name, self._flux.namespace), self._tools)
                self._due[name] = now + _BETWEEN
