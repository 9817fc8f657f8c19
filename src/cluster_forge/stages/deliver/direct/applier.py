"""Applying objects: side by side, again while a refusal is temporary, and what an upgrade needs beside that.

- Fields of other managers are not taken over; certificates that controllers write, and our own settings, are.
- A structure that we applied before and no longer apply is taken out whole where another manager's field in it would make
  the object invalid (server-side apply leaves such a field: cert-manager#4838).
- A Job is replaced where it cannot change, as is any object with ``recreate``; a CRD only if it has no objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ClusterError, ForgeError, RefusedError
from cluster_forge.manifests import managed_fields
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.managed_fields import Path
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.clock import Clock
from cluster_forge.ports.cluster import Applied, ApplyOptions, Cluster, Deleted, Patch, Propagation
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.ports.workers import Queue
from cluster_forge.stages.deliver.direct import refusals, stored_versions, unchangeable
from cluster_forge.stages.deliver.direct.refusing_webhooks import RefusingWebhooks
from cluster_forge.stages.deliver.direct.step_documents import StepDocument
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.patience import is_passing
from cluster_forge.stages.deliver.removal.bystanders import Bystanders

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_LONGEST_HELD: Final = 30.0
"""Seconds after which an object asks for itself: a webhook may fail for another one alone."""
_MENDINGS: Final = 3
"""How often one object is mended: each way once, and a Job that is created between two requests."""
_JOB: Final = ("batch", "Job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt gave: the object's fingerprint (`managed_fields`) and ``uid``, or the error."""

    document: StepDocument
    fingerprint: str = ""
    uid: str = ""
    is_new: bool = False
    error: ForgeError | None = None


Attempt = Callable[[], Outcome]
"""Waits for an attempt that was begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Applies objects with the requests of ``queue``. ``observe`` gets each object as the API server has it then; ``own`` are
    other managers whose fields it takes over, ``webhooks`` says which one asks again of all that one webhook refuses.
    """

    cluster: Cluster
    clock: Clock
    reader: YamlReader
    queue: Queue
    options: DeployOptions
    observe: Callable[[Body], None] = field(default=lambda _body: None)
    own: frozenset[str] = frozenset()
    webhooks: RefusingWebhooks = field(default_factory=RefusingWebhooks)

    def start(self, documents: Iterable[StepDocument], weight: int = 0) -> Sequence[Attempt]:
        """Begin a first attempt for each; of all that wait, those of most weight come first."""
        return self.queue.add(self._attempt, documents, weight=lambda _: weight)

    def finish(self, started: Sequence[Attempt], say: Callable[[str], None], weight: int = 0) -> Iterator[Outcome]:
        """The outcomes of what was applied, as they come, after further attempts for what failed for a while.

        Raises:
            RefusedError, ClusterError, ExceptionGroup: for each object that is refused, or still is at the end.
        """
        began, pause = self.clock.monotonic(), _FIRST_PAUSE
        until, alone = began + self.options.timeout, began + _LONGEST_HELD
        with self.webhooks.refused() as refused:
            while True:
                outcomes = [attempt() for attempt in started]
                yield from (outcome for outcome in outcomes if outcome.error is None)
                refused.note({outcome.document: outcome.error for outcome in outcomes})
                raise_all(error for error in refused.errors.values() if not _is_temporary(error))
                if not refused.errors:
                    return
                say(next(f"{document.id}: {error.message}" for document, error in refused.errors.items()))
                if self.clock.monotonic() >= until:
                    raise_all(refused.errors.values())
                self.clock.sleep(pause)
                due = refused.due()
                if self.clock.monotonic() >= alone:
                    due, alone = list(refused.errors), self.clock.monotonic() + _LONGEST_HELD
                pause = min(pause * 2, _LONGEST_PAUSE) if due else _FIRST_PAUSE
                started = self.start(due, weight)

    def mend(self, document: StepDocument) -> bool:
        """Change what is in the cluster so that it takes the object from the client ``document.manager``, which applies it;
        False if it takes it already, or if that would not help.

        Raises:
            RefusedError: if the object has fields that cannot change, and may not be recreated.
            ClusterError: if the cluster does not answer.
        """
        body = document.body(self.reader)
        try:
            self.cluster.apply(body, ApplyOptions(manager=document.manager, force=True, is_trial=True))
        except RefusedError as error:
            return self._mend(document, body, error)
        return False

    def delete(self, target: ObjectId, propagation: Propagation = Propagation.BACKGROUND, uid: str = "") -> None:
        """Delete an object, and wait until it is gone. ``uid`` is what it had last, where that is known.

        Raises:
            ClusterError: if it is still there at the end of the time.
            RefusedError: if it may not be deleted.
        """
        until, pause = self.clock.monotonic() + self.options.timeout, _FIRST_PAUSE / 5
        deleted = self._deleted(target, propagation, uid) if uid else None
        if deleted is None:
            live = self.cluster.get(target)
            uid = live["metadata"].get("uid", "") if live else ""
            deleted = self.cluster.delete(target, propagation, uid) if live else Deleted.ABSENT
        if deleted is not Deleted.GOING:
            return
        while self._is_still_there(target, uid, is_late=self.clock.monotonic() >= until):
            self.clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _is_still_there(self, target: ObjectId, uid: str, *, is_late: bool) -> bool:
        """Whether the object with this ``uid`` is there, as far as is known: a cluster that does not say is asked again.

        Raises:
            ClusterError, RefusedError: if it is there and ``is_late``, and if the cluster does not say, now or then.
        """
        try:
            live = self.cluster.get(target)
        except (ClusterError, RefusedError) as error:
            if is_late or not is_passing(error):
                raise
            return True
        if live is None or live["metadata"].get("uid", "") != uid:
            return False
        if is_late:
            raise _not_gone(target, live, self.options.timeout)
        return True

    def _deleted(self, target: ObjectId, propagation: Propagation, uid: str) -> Deleted | None:
        """What became of the object with this ``uid``; None if another one has its name by now."""
        try:
            return self.cluster.delete(target, propagation, uid)
        except RefusedError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            return None

    def _attempt(self, document: StepDocument) -> Outcome:
        """One request, or a few where the object must be mended. It does not wait for other objects: they may need the
        thread.
        """
        try:
            applied = self._applied(document, document.body(self.reader))
        except ForgeError as error:
            return Outcome(document=document, error=error)
        self.observe(applied.body)
        fingerprint = managed_fields.fingerprint(applied.body, document.manager)
        uid = str(applied.body["metadata"].get("uid", ""))
        return Outcome(document=document, fingerprint=fingerprint, uid=uid, is_new=applied.is_new)

    def _applied(self, document: StepDocument, body: Body) -> Applied:
        force, mendings = self.options.force_conflicts, 0
        while True:
            try:
                is_crd = (document.id.group, document.id.kind) == CRD
                options = ApplyOptions(manager=document.manager, force=force, metadata_only=is_crd)
                return self.cluster.apply(body, options)
            except RefusedError as error:
                if refusals.conflicts(error) and not force:
                    _check_conflicts(document.id, error, self.own)
                    force = True
                elif mendings < _MENDINGS and self._mend(document, body, error):
                    mendings += 1
                else:
                    raise

    def _mend(self, document: StepDocument, body: Body, error: RefusedError) -> bool:
        """Change what is in the cluster so that it takes the object; False if that would not help.

        Raises:
            RefusedError: if the object has fields that cannot change, and may not be recreated.
        """
        invalid = refusals.invalid_fields(error)
        live = self.cluster.get(document.id) if invalid else None
        if live is None:
            return False
        if versions := stored_versions.lost(live, body, error):
            may_recreate = self.options.recreate
            stored_versions.check(document.id, live, versions, self.cluster, may_recreate=may_recreate)
            self.delete(document.id)
            return True
        left = leftovers(managed_fields.abandoned(live, document.manager, body), invalid)
        if left:
            self.cluster.patch(document.id, _without(left), Patch.MERGE, manager=document.manager)
            return True
        causes = refusals.unchangeable(error)
        if not causes:
            return False
        changed = unchangeable.fields(live, body, causes)
        is_job = (document.id.group, document.id.kind) == _JOB
        if document.id.holds_data or not (is_job or self.options.recreate):
            raise unchangeable.error(document.id, changed, error) from error
        propagation = Propagation.BACKGROUND if is_job else unchangeable.propagation(changed)
        if propagation is Propagation.BACKGROUND:
            self._check_dependents(document.id, live)
        self.delete(document.id, propagation)
        return True

    def _check_dependents(self, target: ObjectId, live: Body) -> None:
        """Delete nothing that volumes would go along with.

        Raises:
            RefusedError: with the volume.
        """
        for reason in Bystanders().reasons({target: str(live["metadata"].get("uid", ""))}, self.cluster).values():
            raise RefusedError(
                f"fields that cannot change are different, and it cannot be deleted for that: {reason}",
                where=str(target),
                fix="keep the old values in the stack, or take metadata.ownerReferences out of the volume first",
            )


def _is_temporary(error: ForgeError) -> bool:
    """Whether another attempt may succeed. An API server that does not answer may be starting again."""
    if isinstance(error, ClusterError):
        return not error.is_lasting
    return isinstance(error, RefusedError) and refusals.is_temporary(error)


def _check_conflicts(target: ObjectId, error: RefusedError, own: frozenset[str]) -> None:
    """Leave the fields of others to the user.

    Raises:
        RefusedError: with each manager and field.
    """
    foreign = refusals.foreign(error, own)
    if not foreign:
        return
    fields = ", ".join(f"{path} of {manager}" for manager, path in foreign)
    raise RefusedError(
        f"other managers have set fields of it: {fields}",
        where=str(target),
        fix="keep the fields out of the stack, or take them over: --force-conflicts (--adopt takes objects, not fields)",
        status=error.status,
        reason=error.reason,
        causes=error.causes,
    ) from error


def leftovers(abandoned: Iterable[Path], invalid: Sequence[str]) -> list[Path]:
    """The abandoned structures in which the server finds the object invalid."""
    return [path for path in abandoned if any(f"{name}.".startswith(f"{'.'.join(path)}.") for name in invalid)]


def _without(paths: Iterable[Path]) -> dict[str, object]:
    """A merge patch that removes the fields (RFC 7396)."""
    patch: dict[str, object] = {}
    for *above, last in paths:
        inner: dict[str, object] = patch
        for key in above:
            inner = inner.setdefault(key, {})  # type: ignore[assignment]
        inner[last] = None
    return patch


def _not_gone(target: ObjectId, live: Body, seconds: float) -> ClusterError:
    finalizers = ", ".join(live["metadata"].get("finalizers") or ())
    waits = f": its finalizers have not ended ({finalizers})" if finalizers else ""
    return ClusterError(
        f"is still there {seconds:g} s after it was deleted{waits}",
        where=str(target),
        fix="see what its controller says, then run `cluster-forge deploy` again",
    )
