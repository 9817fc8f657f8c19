"""The CRDs that are new to the cluster, applied before Argo CD gets the stack, as Argo CD itself would apply them.

Argo CD reads the whole discovery and the whole OpenAPI document again at each event of a CRD, with its view of the cluster
locked meanwhile (gitops-engine, ``watchEvents`` in ``pkg/cache/cluster.go``). A new CRD has three events, so its view is
minutes behind after a hundred of them, and it syncs again what is synced. Where it comes after the CRDs there are no events;
where it is there already it is asked to build its view again (`cluster_view.forget`), and skips them.

Argo CD does not mark CRDs as its own: with its field manager they are the same ones, and their Applications find them synced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.gitops import engine
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.ports.cluster import Query
from cluster_forge.ports.workers import Queue
from cluster_forge.stack.model import GitOpsEngine
from cluster_forge.stages.deliver.direct import surroundings
from cluster_forge.stages.deliver.direct.early_crds import EarlyCrds
from cluster_forge.stages.deliver.direct.step_documents import StepDocument
from cluster_forge.stages.deliver.direct.surroundings import Before
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.tools import DeliverTools

_NAME: Final = ComponentName("crds")
"""What the progress calls them."""


def apply(plan: DeployPlan, parts: Sequence[Part], tools: DeliverTools, options: DeployOptions, queue: Queue) -> int:
    """Apply them, and wait until they are established; their number. None where the user may not: Argo CD then does it.

    ``parts`` have the documents of their objects; without any nothing is applied.

    Raises:
        RefusedError, ClusterError, DeploymentError, ExceptionGroup: for each CRD that the API server does not take.
    """
    new = list(_new(parts, tools))
    if not new or not _is_allowed(tools):
        return 0
    say = partial(tools.reporter.item_waiting, STAGE, _NAME)
    say(f"{counted(len(new), 'new CRD')}: they come before everything else")
    around = surroundings.of(plan, tools, options, queue, Before())
    outcomes = EarlyCrds(around.applier, around.definitions, tools.clock, [_NAME]).apply(_NAME, map(_document, new))
    failed = [outcome.document for outcome in outcomes if outcome.error]
    for _ in around.applier.finish(around.applier.start(failed), say):
        pass
    around.definitions.wait((item.id.name for item in new), options.timeout, say)
    tools.reporter.item_finished(STAGE, _NAME, "established", again=True)  # they are counted with their components
    return len(new)


def _new(parts: Sequence[Part], tools: DeliverTools) -> Iterator[PartObject]:
    """Those of components that the cluster does not have. Argo CD's own come with it, those of hooks when these run."""
    argo = engine.find(parts)
    crds = [item for part in parts if part is not argo for item in part.objects if item.kind == CRD and not item.hook]
    if not crds:
        return
    query = Query(group=CRD[0], kind=CRD[1], metadata_only=True)
    there = {body["metadata"]["name"] for body in tools.cluster.list(query).items}
    yield from (item for item in crds if item.id.name not in there)


def _is_allowed(tools: DeliverTools) -> bool:
    kind = tools.cluster.served().find(*CRD)
    return kind is not None and all(tools.cluster.can(verb, kind) for verb in ("create", "patch"))


def _document(item: PartObject) -> StepDocument:
    manager = engine.FIELD_MANAGERS[GitOpsEngine.ARGOCD]
    return StepDocument(id=item.id, digest=item.digest.hex[:16], content=item.content, manager=manager)
