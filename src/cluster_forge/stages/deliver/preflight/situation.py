"""What the checks look at: the stack, the cluster, and what the cluster was asked already."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Final

from cluster_forge.checks.fit import demand as demanding
from cluster_forge.checks.fit.demand import Demand
from cluster_forge.checks.fit.pod_class import Surroundings
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import owners
from cluster_forge.gitops.owners import Facts, Verdict
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import ApplyHooks, Step
from cluster_forge.manifests.by_kind import ByKind
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Document, Manifest, Provenance
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.pods import TEMPLATES
from cluster_forge.ports.cluster import Cluster, Query, ServedKinds
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.cluster_records import claiming
from cluster_forge.stages.deliver.direct import step_documents
from cluster_forge.stages.deliver.direct.step_documents import StepDocument
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import running_pods
from cluster_forge.stages.deliver.preflight.running_pods import PodReader, RunningPod
from cluster_forge.stages.deliver.secrets.given import NONE, GivenSecrets
from cluster_forge.stages.deliver.tools import DeliverTools

_WORKLOADS: Final = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})
_CLASSES: Final = (("scheduling.k8s.io", "PriorityClass"), ("node.k8s.io", "RuntimeClass"))
Labels = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Each property asks the cluster once, when the first check needs it.

    ``parts`` are the components of the plan with the documents of their objects, where these are at hand; without them only
    the objects of the plan's own steps are known. ``given`` Secrets are made before the first object. ``central`` are the
    clusters that the Argo CD of this one is to deliver to, in so many ``central_steps``.

    Raises:
        ClusterError, RefusedError: each property, if the cluster does not say.
    """

    plan: DeployPlan
    tools: DeliverTools
    options: DeployOptions
    parts: Sequence[Part] = ()
    given: GivenSecrets = NONE
    central: tuple[str, ...] = ()
    central_steps: int = 1

    @property
    def cluster(self) -> Cluster:
        return self.tools.cluster

    @cached_property
    def served(self) -> ServedKinds:
        return self.cluster.served()

    @cached_property
    def claimed(self) -> Mapping[ObjectId, str]:
        """The objects that the stack will claim, each with its last word."""
        return claiming.listed(self.plan)

    @cached_property
    def owner_facts(self) -> Facts:
        hooks = [step for component in self.plan.components for step in component.steps if isinstance(step, ApplyHooks)]
        ids = (document.id for step in hooks for document in step_documents.of(step, self.tools.reader))
        return claiming.facts(self.plan, self.tools, ids)

    @cached_property
    def verdict(self) -> Verdict:
        return owners.judge(self.owner_facts)

    @cached_property
    def namespaces(self) -> Mapping[str, Body]:
        return {name_of(body): body for body in self.listed("", "Namespace")}

    @cached_property
    def nodes(self) -> tuple[Body, ...]:
        return self.listed("", "Node")

    @cached_property
    def pods(self) -> tuple[RunningPod, ...]:
        """The Pods on nodes that have not ended, and that no workload of the stack has made or would adopt."""
        labels = {name: labels_of(body) for name, body in self.namespaces.items()}
        reader = PodReader(Surroundings(namespaces=labels))
        query = Query(group="", kind="Pod", fields=running_pods.ON_NODES)
        return tuple(pod for pod in self.cluster.each(query, reader.read) if not self._is_own(pod))

    @cached_property
    def documents(self) -> tuple[StepDocument, ...]:
        """What the user of the cluster applies, and no engine: the objects of the plan's own steps."""
        reader = self.tools.reader
        return tuple(document for step in _steps(self.plan, reader) for document in step_documents.of(step, reader))

    @cached_property
    def manifests(self) -> tuple[Manifest, ...]:
        """The objects whose documents are at hand. A tree is made of each when it is needed: CRDs are large."""
        if self.parts:
            return tuple(
                Manifest(id=item.id, document=item.document, provenance=self._provenance)
                for part in self.parts
                for item in part.objects
                if item.document
            )
        return self.own_manifests

    @cached_property
    def own_manifests(self) -> tuple[Manifest, ...]:
        """The objects of `documents`, in their order."""
        return tuple(map(self._manifest, self.documents))

    @cached_property
    def workloads(self) -> tuple[Manifest, ...]:
        """Those that create Pods."""
        return tuple(manifest for manifest in self.manifests if manifest.id.kind in _WORKLOADS)

    @cached_property
    def classes(self) -> ByKind:
        """The PriorityClasses and RuntimeClasses of the cluster, and after them those of the stack."""
        there = [self._of_cluster(body) for group, kind in _CLASSES for body in self.listed(group, kind)]
        return ByKind([*there, *(one for one in self.manifests if (one.id.group, one.id.kind) in _CLASSES)])

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """The Pods that the stack asks for. Those of a custom resource that is in the cluster are there already, and are not
        known from those of others.
        """
        of_cluster = map(self._of_cluster, self.namespaces.values())
        of_stack = (one for one in self.manifests if (one.id.group, one.id.kind) == ("", "Namespace"))
        around = demanding.surroundings(ByKind([*chain(*self.classes.values()), *of_cluster, *of_stack]))
        live = {item.id for item in self.owner_facts.live if "." in item.id.group}
        new = ByKind(one for one in self.manifests if one.id not in live or (one.id.group, one.id.kind) in TEMPLATES)
        waves = {part.name: part.wave for part in self.plan.parts}
        return tuple(demanding.of(new, waves, (), around))

    def listed(
        self, group: str, kind: str, *, namespace: str = "", labels: str = "", fields: str = ""
    ) -> tuple[Body, ...]:
        query = Query(group=group, kind=kind, namespace=namespace, labels=labels, fields=fields)
        return self.cluster.list(query).items

    def _manifest(self, document: StepDocument) -> Manifest:
        content = Document(text=document.content, read=lambda: document.body(self.tools.reader))
        return Manifest(id=document.id, document=content, provenance=self._provenance)

    def _of_cluster(self, body: Body) -> Manifest:
        return Manifest.of(body, self._provenance)

    @property
    def _provenance(self) -> Provenance:
        """Of all objects: no check asks which component it is."""
        return Provenance(component=ComponentName(self.plan.stack), origin="")

    def _is_own(self, pod: RunningPod) -> bool:
        if pod.controller or pod.id in self._own:
            return (pod.controller or pod.id) in self._own
        labels, namespace = pod.labels, pod.id.namespace
        candidates = chain.from_iterable(self._selectors.get((namespace, *label), ()) for label in labels.items())
        return any(wanted.items() <= labels.items() for wanted in candidates)

    @cached_property
    def _own(self) -> frozenset[ObjectId]:
        """The workloads of the stack, and those that leave it: their Pods go."""
        leaving = () if self.plan.narrowed else self.verdict.leaving
        return frozenset((*(workload.id for workload in self.workloads), *leaving))

    @cached_property
    def _selectors(self) -> Mapping[tuple[str, str, str], Sequence[Labels]]:
        """The labels by which controllers of the stack adopt Pods that have none (Kubernetes, "ReplicaSet"), by namespace and
        the rarest of the labels, so that a Pod is compared with few of many.
        """
        wanted = [(one.id.namespace, labels) for one in self.workloads if (labels := _selector(one.body))]
        places = [[(namespace, key, str(value)) for key, value in labels.items()] for namespace, labels in wanted]
        counts = Counter(chain.from_iterable(places))
        selectors: defaultdict[tuple[str, str, str], list[Labels]] = defaultdict(list)
        for (_, labels), keys in zip(wanted, places, strict=True):
            selectors[min(keys, key=counts.__getitem__)].append(labels)
        return selectors


def name_of(body: Body) -> str:
    return str(body["metadata"]["name"])


def labels_of(body: Body) -> Labels:
    return body["metadata"].get("labels") or {}


def annotations_of(body: Body) -> Labels:
    return body["metadata"].get("annotations") or {}


def _selector(workload: Body) -> Labels:
    selector = (workload.get("spec") or {}).get("selector") or {}
    return selector.get("matchLabels") or {} if isinstance(selector, Mapping) else {}


def _steps(plan: DeployPlan, reader: YamlReader) -> Iterator[Step]:
    for component in plan.components:
        yield from component.steps
    if plan.argocd:
        yield from (*plan.argocd.install, *plan.argocd.repository)
        yield from argocd_place.project_step(plan.argocd, reader)
        yield argocd_place.root_step(plan, plan.argocd, reader)
    if plan.flux:
        yield from (*plan.flux.install, plan.flux.sync)
