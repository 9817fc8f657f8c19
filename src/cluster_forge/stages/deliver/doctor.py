"""doctor: what is missing on this machine, and in a cluster, with the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.part import Part
from cluster_forge.ports.machine import Machine
from cluster_forge.ports.plugins import Plugins
from cluster_forge.stack.model import Stack
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.diagnosis import cluster_checks, machine_checks, plugin_checks
from cluster_forge.stages.deliver.diagnosis.examination import Examined, State
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import registry as preflight
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorRequest:
    """``stack`` is described in the workspace, ``plan`` is that of a cast one, with its ``parts`` where an engine applies them."""

    stack: Stack | None = None
    folders: tuple[str, ...] = ()
    plan: DeployPlan | None = None
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was looked at on the machine and in the cluster (empty: no cluster was asked for)."""

    machine: tuple[Examined, ...]
    cluster: tuple[Examined, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing that is needed is missing."""
        return all(item.state is not State.MISSING for item in (*self.machine, *self.cluster))


def doctor(request: DoctorRequest, machine: Machine, plugins: Plugins, tools: DeliverTools | None) -> Diagnosis:
    """Look at the machine, at the cluster of ``tools``, and at whether it can run the plan. Nothing is changed."""
    of_machine = list(machine_checks.examine(machine, request.stack, request.folders))
    of_machine += plugin_checks.examine(request.stack, plugins) if request.stack else ()
    return Diagnosis(machine=tuple(of_machine), cluster=tuple(_of_cluster(request, tools)) if tools else ())


def _of_cluster(request: DoctorRequest, tools: DeliverTools) -> list[Examined]:
    examined = list(cluster_checks.examine(tools.cluster, tools.clock))
    is_reached = examined[0].state is State.GOOD
    if request.plan and is_reached:
        options = DeployOptions(tries_all=True)
        plan = argocd_place.found_if_any(request.plan, tools.cluster)
        situation = Situation(plan=plan, tools=tools, options=options, parts=request.parts)
        problems = preflight.check(situation)
        examined += map(cluster_checks.of_problem, problems)
        if not problems:
            detail = f"the cluster can run {request.plan.stack} {request.plan.version}"
            examined.append(Examined(name="stack", state=State.GOOD, detail=detail))
    return examined


def unusable(error: ForgeError) -> Examined:
    """A cluster that is not even asked: the kubeconfig cannot be used."""
    return Examined(
        name="kubeconfig", state=State.MISSING, detail=error.message, where=error.where or "", fix=error.fix or ""
    )
