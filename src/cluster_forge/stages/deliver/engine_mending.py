"""Objects of a new version that the API server refuses an engine: they are changed so that it takes them.

A direct delivery does the same for itself (`direct.applier`): a structure that was applied before, and is not any more, is
taken out whole; with ``--recreate`` an object with fields that cannot change is deleted, and created again by the engine.
Only once the engine has the new version: before, it would set the object back to the old one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable, Sequence

from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import engine
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.workers import Queue
from cluster_forge.stages.deliver.direct import surroundings
from cluster_forge.stages.deliver.direct.step_documents import StepDocument
from cluster_forge.stages.deliver.direct.surroundings import Before
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.tools import DeliverTools


class EngineMending:
    """Mends the objects of ``parts``, which have their documents, with the requests of ``queue``."""

    def __init__(
        self, plan: DeployPlan, parts: Sequence[Part], tools: DeliverTools, options: DeployOptions, queue: Queue
    ) -> None:
        self._queue = queue
        self._applier = surroundings.of(plan, tools, options, queue, Before()).applier
        self._components = {part.name: [item.id for item in part.objects if not item.hook] for part in parts}
        manager = engine.FIELD_MANAGERS[plan.engine]
        self._documents = {
            item.id: StepDocument(id=item.id, digest=item.digest.hex[:16], content=item.placed.content, manager=manager)
            for part in parts
            for item in part.objects
            if item.document
        }
        self._seen: dict[str, Hashable] = {}

    def mend(self, name: str, refusal: Hashable, targets: Iterable[ObjectId]) -> None:
        """Mend those of the objects that need it, once for each ``refusal`` that the engine reports by the name.

        What cannot be mended is the engine's to tell.
        """
        if self._seen.get(name) == refusal:
            return
        self._seen[name] = refusal
        documents = [self._documents[target] for target in targets if target in self._documents]
        for attempt in self._queue.add(self._applier.mend, documents):
            with contextlib.suppress(RefusedError, ClusterError):
                attempt()

    def mend_component(self, name: ComponentName, refusal: Hashable) -> None:
        """The same for all objects of a component but its hooks."""
        self.mend(name, refusal, self._components.get(name, ()))
