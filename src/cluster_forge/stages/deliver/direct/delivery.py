"""Direct delivery: the components of a stack, each when those that it needs are ready (`gitops.schedule`).

An error in one component stops only what needs it. A component that was deployed before, and is in the cluster as it was
left, costs no request of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import DeploymentError, ForgeError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.gitops.owners import Facts
from cluster_forge.stages.deliver import trouble
from cluster_forge.stages.deliver.cluster_records import applied
from cluster_forge.stages.deliver.cluster_records.applied import AppliedComponent
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.direct import surroundings
from cluster_forge.stages.deliver.direct.component_run import ComponentRun
from cluster_forge.stages.deliver.direct.early_crds import EarlyCrds
from cluster_forge.stages.deliver.direct.gates import Gates
from cluster_forge.stages.deliver.direct.record_keeper import RecordKeeper
from cluster_forge.stages.deliver.direct.surroundings import Before, Surroundings
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult, State
from cluster_forge.stages.deliver.tools import DeliverTools
from cluster_forge.stages.deliver.trouble import Trouble


def deliver(
    deployment: Deployment, tools: DeliverTools, options: DeployOptions, seen: Facts | None = None
) -> tuple[ComponentResult, ...]:
    """Apply all components; the results in the order of the plan. ``seen`` is what the checks saw of the stack's objects.

    Raises:
        ClusterError, RefusedError: if the cluster does not say what was applied before.
    """
    known = applied.read(tools.cluster, deployment.name)
    applied.begin(tools.cluster, deployment.name)
    before = _before(known, seen, tools)
    with tools.workers.queue() as queue:
        around = surroundings.of(deployment.plan, tools, options, queue, before)
        keeper = RecordKeeper(partial(applied.write, tools.cluster, deployment.name), tools.clock)
        return _Delivery(deployment, tools, around, Gates(), known, keeper).run()


def _before(known: Mapping[ComponentName, AppliedComponent], seen: Facts | None, tools: DeliverTools) -> Before:
    """What the cluster has of what was applied before. What changed since the checks has another fingerprint, and is applied
    again.
    """
    objects = {target for component in known.values() for target in component.objects}
    if seen is None:
        return Before(live=applied.fingerprints(tools.cluster, tools.workers, objects))
    others = applied.fingerprints(tools.cluster, tools.workers, objects - seen.wanted.keys())
    live = {item.id: item.fingerprint for item in seen.live}
    return Before(live={**live, **others}, absent=frozenset(seen.wanted.keys() - live.keys()))


@dataclass(frozen=True, slots=True)
class _Delivery:
    deployment: Deployment
    tools: DeliverTools
    around: Surroundings
    gates: Gates
    known: Mapping[ComponentName, AppliedComponent]
    keeper: RecordKeeper

    def run(self) -> tuple[ComponentResult, ...]:
        plans = {plan.name: plan for plan in self.deployment.plan.components}
        needed = self.around.needed
        self.tools.reporter.stage_started(STAGE, len(needed))
        runs = {
            name: ComponentRun(
                plans[name],
                self.known.get(name, AppliedComponent()),
                self.around,
                partial(self.tools.reporter.item_waiting, STAGE, name),
            )
            for name in needed
        }
        early = EarlyCrds(self.around.applier, self.around.definitions, self.tools.clock, needed)
        # In the order of their needs: with fewer threads than components, the first that is not done can always go on.
        try:
            results = self.tools.waiters.map(lambda name: self._component(runs[name], needed[name], early), needed)
        finally:
            unkept = self.keeper.finish()
        self.tools.reporter.stage_finished(STAGE, _summary(results))
        by_name = {result.name: _noted(result, unkept.get(result.name, "")) for result in results}
        return tuple(by_name[name] for name in plans)

    def _component(self, run: ComponentRun, needed: frozenset[ComponentName], early: EarlyCrds) -> ComponentResult:
        """Wait for what the component needs, and deploy it."""
        is_good = False
        try:
            if run.apply_early(early):  # a run that is killed while it waits has them in the record
                self._keep(run)
            failed = self.gates.wait(needed)
            result = self._blocked(run, failed) if failed else self._deployed(run)
            if result.state.is_good and self.around.options.waits:
                result = self._settled(result, run.answer)
            is_good = result.state.is_good
        finally:  # also after a bug: others wait for it
            self.gates.open(run.plan.name, is_good=is_good)
        if is_good and self.around.options.waits:
            result = self._settled(result, run.settle)
        self.tools.reporter.item_finished(
            STAGE, run.plan.name, _detail(result), objects=result.objects, state=result.state, message=result.message
        )
        return result

    def _deployed(self, run: ComponentRun) -> ComponentResult:
        began = self.tools.clock.monotonic()
        self.tools.reporter.item_started(STAGE, run.plan.name)
        errors: tuple[ForgeError, ...] = ()
        cause = Trouble()
        try:
            run.run()
        except (ForgeError, ExceptionGroup) as error:
            errors = tuple(expected(error))
            cause = self._trouble(run, errors)
        self._keep(run)
        return ComponentResult(
            name=run.plan.name,
            version=self.deployment.plan.version_of(run.plan.name),
            state=State.FAILED if errors else self._state(run),
            seconds=round(self.tools.clock.monotonic() - began, 3),
            objects=run.plan.objects,
            changed=min(run.changed, run.plan.objects),  # namespaces of others are in its documents, too
            message="; ".join([*map(str, errors), *([cause.sentence] if cause.sentence else [])]),
            errors=errors,
            trouble=cause,
        )

    def _settled(self, result: ComponentResult, wait: Callable[[], str | None]) -> ComponentResult:
        """Wait for custom resources: for those that others wait for, and, when these may go on, for all."""
        began = self.tools.clock.monotonic()
        try:
            if unanswered := wait():
                result = replace(result, message="; ".join(filter(None, (result.message, unanswered))))
        except (ForgeError, ExceptionGroup) as error:
            errors = tuple(expected(error))
            result = replace(result, state=State.FAILED, errors=errors, message="; ".join(map(str, errors)))
        return replace(result, seconds=round(result.seconds + self.tools.clock.monotonic() - began, 3))

    def _trouble(self, run: ComponentRun, errors: Sequence[ForgeError]) -> Trouble:
        """What the cluster says of the first object that did not become ready."""
        places = {error.where for error in errors if isinstance(error, DeploymentError)}
        target = next((target for target in run.awaited if str(target) in places), None)
        return trouble.of(target, self.tools.cluster) if target else Trouble()

    def _keep(self, run: ComponentRun) -> None:
        if not run.is_unchanged:
            self.keeper.note(run.plan.name, run.applied)

    def _state(self, run: ComponentRun) -> State:
        if run.is_unchanged:
            return State.UNCHANGED
        return State.READY if self.around.options.waits else State.APPLIED

    def _blocked(self, run: ComponentRun, failed: Sequence[ComponentName]) -> ComponentResult:
        return ComponentResult(
            name=run.plan.name,
            version=self.deployment.plan.version_of(run.plan.name),
            state=State.BLOCKED,
            objects=run.plan.objects,
            message=f"needs {', '.join(failed)}",
        )


def _noted(result: ComponentResult, unkept: str) -> ComponentResult:
    """The result with the reason why what was applied could not be kept: the component is deployed all the same, and the next
    deployment takes longer.
    """
    if not unkept:
        return result
    reason = f"what was applied could not be kept: {unkept}"
    return replace(result, message=f"{result.message}; {reason}" if result.message else reason)


def _detail(result: ComponentResult) -> str:
    if not result.state.is_good:
        return f"{result.state}: {result.message}"
    return f"{result.state}, {counted(result.objects, 'object')}"


def _summary(results: list[ComponentResult]) -> str:
    good = sum(result.state.is_good for result in results)
    unchanged = sum(result.state is State.UNCHANGED for result in results)
    same = f", {unchanged} of them unchanged" if unchanged else ""
    return f"{good} of {counted(len(results), 'component')} deployed{same}"
