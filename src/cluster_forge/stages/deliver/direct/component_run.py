"""One component, step by step, as `gitops.component_steps` has them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property, partial
from typing import Final

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.gitops.plan import ComponentPlan
from cluster_forge.gitops.steps import (
    Apply,
    ApplyCrds,
    ApplyHooks,
    AwaitReady,
    AwaitWebhooks,
    DeletedHook,
    DeleteHooks,
    FileStep,
    HookDeletion,
    StepFile,
    content,
)
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver.cluster_records.applied import AppliedComponent, AppliedObject
from cluster_forge.stages.deliver.direct import step_documents
from cluster_forge.stages.deliver.direct.applier import Attempt, Outcome
from cluster_forge.stages.deliver.direct.callable_webhooks import CallableWebhooks
from cluster_forge.stages.deliver.direct.early_crds import EarlyCrds
from cluster_forge.stages.deliver.direct.readiness import PATIENCE, Readiness
from cluster_forge.stages.deliver.direct.step_documents import StepDocument
from cluster_forge.stages.deliver.direct.surroundings import Surroundings

_WEIGHT: Final = 1
"""Before CRDs of later components (`early_crds`)."""


class ComponentRun:
    """The steps of ``plan``; ``known`` is what was applied of it before, ``say`` gets what it waits for."""

    def __init__(
        self, plan: ComponentPlan, known: AppliedComponent, around: Surroundings, say: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.changed = 0
        """The objects that were applied; those of hooks are not counted."""
        self._known = known
        self._around = around
        self._say = say
        self.awaited: tuple[ObjectId, ...] = ()
        """What it waited for last."""
        self._applied: dict[ObjectId, AppliedObject] = {}
        self._early: dict[ObjectId, Outcome] = {}
        self._hooks: dict[ObjectId, str] = {}
        """Those that were applied, with their uids."""
        self._is_done = False

    @cached_property
    def documents(self) -> Mapping[str, tuple[StepDocument, ...]]:
        """The documents of the steps, by their files."""
        reader = self._around.applier.reader
        return {step.file: step_documents.of(step, reader) for step in self.plan.steps}

    @cached_property
    def is_unchanged(self) -> bool:
        """Whether all of it was deployed before, and is in the cluster as it was left."""
        plain = (step for step in self.plan.steps if isinstance(step, Apply | ApplyCrds))
        documents = (document for step in plain for document in self.documents[step.file])
        return self._known.digest == self._digest and all(map(self._is_there, documents))

    def apply_early(self, early: EarlyCrds) -> bool:
        """Apply the CRDs that are new to the cluster, when it is their turn; whether anything was applied."""
        self._early = {outcome.document.id: outcome for outcome in early.apply(self.plan.name, self._new_crds())}
        self._note(outcome for outcome in self._early.values() if outcome.error is None)
        return bool(self._applied)

    def _new_crds(self) -> Iterator[StepDocument]:
        if self.is_unchanged:
            return
        served = self._around.definitions.served()
        for step in self.plan.steps:
            if isinstance(step, ApplyCrds):
                for document in self.documents[step.file]:
                    if document.id.name not in served and not self._is_there(document):
                        yield document

    def run(self) -> None:
        """Do all steps. Of a component that is there unchanged only its readiness is looked at: its hooks have run.

        Raises:
            ForgeError, ExceptionGroup: for everything that has failed.
        """
        for step in self.plan.steps:
            if isinstance(step, AwaitReady) or not self.is_unchanged:
                self._do(step)
        self._is_done = True

    def answer(self) -> None:
        """Wait for the custom resources that what needs this component waits for: until they are ready, or no controller has
        answered them for a while.

        Raises:
            DeploymentError, RefusedError, ClusterError: as `Readiness.wait`.
        """
        if targets := self._around.answering.gating(self.plan.name, self._custom_resources):
            self._wait(targets, patience=PATIENCE)

    def settle(self) -> str:
        """Wait for all custom resources for which a controller is in the stack, and for a while for the others; those that no
        controller has answered, in words.

        The answers to their apply do not count: they are from before their controllers saw them.

        Raises:
            DeploymentError, RefusedError, ClusterError: as `Readiness.wait`.
        """
        answering = self._around.answering
        if targets := answering.awaited(self._custom_resources):
            self._wait(targets)
        others = answering.unanswered(self._custom_resources)
        left = self._wait(others, patience=PATIENCE) if others else ()
        return "; ".join(
            f"{target}: no controller has answered it (it would be {answering.by(target)})" for target in left
        )

    @property
    def _custom_resources(self) -> list[ObjectId]:
        return [document.id for document in self.documents.get(StepFile.CUSTOM_RESOURCES, ())]

    @property
    def applied(self) -> AppliedComponent:
        """What is in the cluster of it now, for the next deployment."""
        kept = {} if self._is_done else self._known.objects
        return AppliedComponent(objects={**kept, **self._applied}, digest=self._digest if self._is_done else "")

    @cached_property
    def _digest(self) -> str:
        state = hashlib.sha256()
        for step in self.plan.steps:
            documents = self.documents[step.file]
            written = " ".join(document.digest for document in documents).encode() if documents else content(step)
            state.update(f"{step.file} {len(written)}\n".encode() + written)
        return state.hexdigest()[:16]

    def _do(self, step: FileStep) -> None:
        match step:
            case Apply(file=StepFile.NAMESPACES) if self._around.is_narrowed:
                self._apply(document for document in self.documents[step.file] if not self._exists(document))
            case Apply():
                self._apply(self.documents[step.file])
            case ApplyCrds():
                self._apply_crds(self.documents[step.file])
            case ApplyHooks():
                self._run_hooks(step)
            case DeleteHooks(hooks=hooks):
                self._delete(hook.target for hook in hooks if hook.when is HookDeletion.SUCCEEDED)
            case AwaitReady(targets=targets) if self._around.options.waits:
                self._wait(targets)
            case AwaitWebhooks(targets=targets) if self._around.options.waits:
                self._wait_for_webhooks(targets)

    def _apply(self, documents: Iterable[StepDocument]) -> None:
        applier = self._around.applier
        self._keep(applier.finish(applier.start(self._changed(documents), _WEIGHT), self._say, _WEIGHT))

    def _apply_crds(self, documents: Sequence[StepDocument]) -> None:
        applier = self._around.applier
        late = [document for document in self._changed(documents) if document.id not in self._early]
        early: list[Attempt] = [partial(_known, outcome) for outcome in self._early.values()]
        started = [*early, *applier.start(late, _WEIGHT)]
        self._keep(applier.finish(started, self._say, _WEIGHT))
        names = [document.id.name for document in documents]
        self._around.definitions.wait(names, self._around.options.timeout, self._say)

    def _changed(self, documents: Iterable[StepDocument]) -> list[StepDocument]:
        """Those that must be applied; the others are noted as they are."""
        changed = []
        for document in documents:
            done = self._around.done.get(document.id)
            if done and done.document == document.digest:
                self._applied[document.id] = done
            elif self._is_there(document):
                self._applied[document.id] = self._known.objects[document.id]
            else:
                changed.append(document)
        return changed

    def _keep(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self.changed += 1
            self._note([outcome])

    def _note(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            document = outcome.document
            applied = AppliedObject(document=document.digest, fingerprint=outcome.fingerprint)
            self._applied[document.id] = self._around.done[document.id] = applied

    def _is_there(self, document: StepDocument) -> bool:
        known = self._known.objects.get(document.id)
        return (
            known is not None
            and known.document == document.digest
            and known.fingerprint == self._around.before.live.get(document.id)
        )

    def _exists(self, document: StepDocument) -> bool:
        return self._around.cluster.get(document.id) is not None

    def _wait(self, targets: Sequence[ObjectId], patience: float | None = None) -> Sequence[ObjectId]:
        around, self.awaited = self._around, tuple(targets)
        return Readiness(
            observations=around.observations,
            clock=around.clock,
            targets=targets,
            seconds=around.options.timeout,
            say=self._say,
            answers=around.answering.by,
            patience=patience,
        ).wait()

    def _wait_for_webhooks(self, targets: Sequence[ObjectId]) -> None:
        around, self.awaited = self._around, ()
        CallableWebhooks(
            cluster=around.cluster,
            observations=around.observations,
            clock=around.clock,
            targets=targets,
            seconds=around.options.timeout,
            say=self._say,
        ).wait()

    def _run_hooks(self, step: ApplyHooks) -> None:
        """The hooks of one weight; those that ask for it are deleted if one fails (Helm, ``pkg/action/hooks.go``)."""
        deletions = self._deletions(step)
        try:
            self._run(
                step, [hook.target for hook in deletions if (hook.when, hook.file) == (HookDeletion.BEFORE, step.file)]
            )
        except (ForgeError, ExceptionGroup) as error:
            expected(error)
            self._delete(
                hook.target
                for hook in deletions
                if (hook.when, hook.file) == (HookDeletion.FAILED, step.file)
                or (hook.when is HookDeletion.SUCCEEDED and hook.file < step.file)
            )
            raise

    def _run(self, step: ApplyHooks, former: Iterable[ObjectId]) -> None:
        """Delete what an earlier run has left, apply the hooks, and wait for those that run."""
        documents, applier = self.documents[step.file], self._around.applier
        ids = [document.id for document in documents]
        self._delete(ids if step.is_run else former)
        for outcome in applier.finish(applier.start(documents, _WEIGHT), self._say, _WEIGHT):
            self._hooks[outcome.document.id] = outcome.uid
        if step.is_run:
            self._wait(ids)

    def _deletions(self, step: ApplyHooks) -> Sequence[DeletedHook]:
        """What is deleted of the hooks of this phase, and when."""
        ends = (StepFile.HOOKS_BEFORE_DELETED, StepFile.HOOKS_AFTER_DELETED)
        end = ends[0] if fnmatchcase(step.file, StepFile.HOOKS_BEFORE) else ends[1]
        return [
            hook
            for other in self.plan.steps
            if isinstance(other, DeleteHooks) and other.file == end
            for hook in other.hooks
        ]

    def _delete(self, targets: Iterable[ObjectId]) -> None:
        """Delete hooks. What the checks did not find, and was not applied since, is not there."""
        for target in targets:
            if target in self._hooks or target not in self._around.before.absent:
                self._around.applier.delete(target, uid=self._hooks.pop(target, ""))


def _known(outcome: Outcome) -> Outcome:
    """The attempt that has given it."""
    return outcome
