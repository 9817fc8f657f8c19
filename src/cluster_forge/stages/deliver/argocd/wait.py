"""Waiting until the Applications of a stack are Synced and Healthy, and asking Argo CD to look where it would wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

from cluster_forge.gitops.argocd import application_state
from cluster_forge.gitops.argocd.application_state import ApplicationState
from cluster_forge.gitops.plan import ArgoCdPlan, DeployPlan
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.argocd import causes
from cluster_forge.stages.deliver.argocd import operations as argocd_operations
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.patience import Patience, tolerated
from cluster_forge.stages.deliver.tools import DeliverTools

_FIRST_REFRESH, _LAST_REFRESH = 8.0, 64.0
"""Seconds after which an Application that is not ready is compared again, doubled each time while it says the same. After
CRDs Argo CD builds its view of the cluster again, and sees what changed meanwhile at the next comparison only (argo-cd#21079)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """What is done where Argo CD goes no further by itself.

    ``look_again`` has it build its view of the cluster again, where it may have CRDs as they were. ``mend`` gets an
    Application with objects that the API server has refused.
    """

    look_again: Callable[[], None] | None = None
    mend: Callable[[ApplicationState], None] = lambda _: None


class ApplicationWait:
    """One wait for all Applications of a plan."""

    def __init__(
        self,
        plan: DeployPlan,
        argocd: ArgoCdPlan,
        tools: DeliverTools,
        options: DeployOptions,
        remedies: Remedies = Remedies(),
    ) -> None:
        self._remedies = remedies
        self._plan = plan
        self._argocd = argocd
        self._tools = tools
        self._options = options
        self._said: dict[str, str] = {}
        self._finished: set[str] = set()
        self._refreshes: dict[str, tuple[float, float]] = {}
        """By Application: when to ask for the next comparison, and the pause after it."""

    def run(self) -> Mapping[str, ApplicationState]:
        """Wait until all are ready, or nothing has moved for the time of the options; their states by name."""
        patience = Patience(self._tools.clock, self._options.timeout)
        while True:
            states = self._look()
            ready = sum(state.is_ready for state in states.values())
            if ready == len(self._argocd.applications):
                return states
            root = states.get(self._argocd.sync.name)
            has_failed = any(state.has_failed for state in states.values()) or bool(root and root.is_unreadable)
            if patience.is_over(sum(state.progress for state in states.values()), has_failed=has_failed):
                return {name: self._explained(state) for name, state in states.items()}
            for state in states.values():
                if state.refused:
                    self._remedies.mend(state)
            with self._tolerated():
                self._refresh(states, self._tools.clock.monotonic())
            patience.pause()

    def _look(self) -> dict[str, ApplicationState]:
        """The states of the plan's Applications that are there."""
        revision, is_narrowed = self._argocd.sync.revision, bool(self._plan.narrowed)
        bodies: tuple[Body, ...] = ()
        with self._tolerated():
            bodies = argocd_operations.listed(self._argocd, self._tools.cluster)
        states = [application_state.of(body, revision, is_narrowed=is_narrowed) for body in bodies]
        wanted = set(self._argocd.applications)
        for state in states:
            if state.name in wanted:
                self._say(state.name, state.lack)
        return {state.name: state for state in states if state.name in wanted}

    def _tolerated(self) -> AbstractContextManager[None]:
        """Argo CD goes on while its cluster does not answer."""
        return tolerated(partial(self._say, self._argocd.sync.name))

    def _say(self, name: str, lack: str) -> None:
        """Tell of a change, by component where it is the Application of one."""
        if self._said.get(name, "") == lack:
            return
        self._said[name] = lack
        for changed in (name, self._argocd.sync.name):  # the root's next wave may wait for this
            self._refreshes.pop(changed, None)
        reporter = self._tools.reporter
        component = next((part.name for part in self._plan.components if self._name(part.name) == name), "")
        if lack:
            reporter.item_waiting(STAGE, component or name, f"its Application: {lack}")
            return
        is_counted = not component or component in self._finished
        self._finished.add(component)
        reporter.item_finished(STAGE, component or name, "Synced, Healthy", again=is_counted)

    def _name(self, component: str) -> str:
        return self._argocd.application(self._plan.stack, component)

    def _refresh(self, states: Mapping[str, ApplicationState], now: float) -> None:
        """Ask for a comparison of what has the revision and is not ready. After an operation Argo CD compares by itself; that
        of the root waits for its children.
        """
        for name, state in states.items():
            is_busy = state.is_operating and name != self._argocd.sync.name
            if state.is_ready or not state.is_current or is_busy:
                continue
            due, pause = self._refreshes.setdefault(name, (now + _FIRST_REFRESH, _FIRST_REFRESH))
            if now >= due:
                if self._remedies.look_again and pause > _FIRST_REFRESH and state.has_only_crds:
                    self._remedies.look_again()
                argocd_operations.refresh(name, self._argocd.namespace, self._tools.cluster)
                pause = min(2 * pause, _LAST_REFRESH)
                self._refreshes[name] = now + pause, pause

    def _explained(self, state: ApplicationState) -> ApplicationState:
        """The state, with what is wrong with its objects, if these are in the cluster of Argo CD, before what Argo CD says."""
        if self._argocd.cluster:
            return state
        return replace(state, messages=causes.of(state, self._tools.cluster))
