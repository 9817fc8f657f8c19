"""Removing a stack, or one component of it: what goes, in which order, and what stays.

Applications and Kustomizations go first and leave their objects, so that the engine does not put back what is deleted here
in its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import engine, git_server, owners, ownership, removal
from cluster_forge.gitops.argocd import central
from cluster_forge.gitops.flux import sources
from cluster_forge.gitops.parts import CLUSTER_LABEL, STACK_LABEL
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import FIELD_MANAGER, Apply, ApplyHooks
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Patch, Query
from cluster_forge.stages.deliver.cluster_records import applied, audit_log, claims, releases
from cluster_forge.stages.deliver.removal import deletion, emptied
from cluster_forge.stages.deliver.removal.bystanders import Bystanders, crds_of_applications, strangers
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.removal.request import RemoveRequest
from cluster_forge.stages.deliver.tools import DeliverTools

STAGE: Final = "remove"
_HOLDS_DATA: Final = "it holds data"
_ENGINES: Final[tuple[tuple[str, str, Body], ...]] = (
    (
        engine.GROUP,
        "Application",
        {"metadata": {"finalizers": None}, "operation": None, "spec": {"syncPolicy": {"automated": None}}},
    ),
    (engine.GROUP, "AppProject", {}),
    (engine.FLUX_GROUP, "Kustomization", {"spec": {"prune": False}}),
    (sources.GROUP, "OCIRepository", {}),
    (sources.GROUP, "GitRepository", {}),
)
"""What engines read, in the order in which it goes, and the change after which it can go without its objects (Argo CD, "App
Deletion"; Flux, "Kustomization", ``prune``). Argo CD looks after no Application whose project is gone.
"""


@dataclass(frozen=True, slots=True)
class StackRemoval:
    """One removal of a stack or a component. ``plan`` is that of its last release; without one the claim alone says what goes.

    ``strangers`` are the Applications and Kustomizations of others; ``bystanders`` what other stacks claim. ``defined`` are
    group and kind of what the CRDs define that go, too. ``crds_of_others`` are the CRDs of other Applications, each with its
    Application, where Argo CD delivers the stack: it marks no CRD as its own. None where something else delivers it.
    """

    request: RemoveRequest
    tools: DeliverTools
    plan: DeployPlan | None
    strangers: frozenset[str]
    bystanders: Bystanders
    defined: frozenset[tuple[str, str]] = frozenset()
    crds_of_others: Mapping[str, str] | None = None
    released: set[ObjectId] = field(default_factory=set)
    """What leaves the claim at the end: until then it says in which Namespaces the stack was, should this run be killed."""

    @classmethod
    def of(cls, request: RemoveRequest, plan: DeployPlan | None, tools: DeliverTools) -> StackRemoval:
        """A removal, after a look at what others have in the cluster.

        Raises:
            ClusterError, RefusedError: if the cluster does not say.
        """
        crds = claims.crds(tools.cluster, request.stack) if request.data else ()
        crds_of_others = None
        if plan and plan.argocd and request.data:
            crds_of_others = crds_of_applications(tools.cluster, request.stack)
            crds = tuple(name for name in crds if name not in crds_of_others)
        return cls(
            request,
            tools,
            plan,
            strangers=strangers(tools.cluster, request.stack),
            bystanders=Bystanders(claimed=claims.of_others(tools.cluster, request.stack), with_volumes=request.data),
            defined=frozenset((kind.group, kind.kind) for kind in emptied.kinds_of(crds, tools.cluster)),
            crds_of_others=crds_of_others,
        )

    def run(self, names: Sequence[ComponentName]) -> Deletion:
        """Delete the components of these names, in this order, and of a whole stack everything else.

        Raises:
            DeploymentError, ExceptionGroup: for each object that does not go in time.
            ClusterError, RefusedError: if the cluster does not say, or refuses.
        """
        self.tools.reporter.stage_started(STAGE, len(names))
        spaces = self._spaces()
        done = Deletion()
        if not self.request.component:
            done += self._end_delivery()
            if self.request.data:
                done += self._delete(self._custom_resources())
        parts = {part.name: part for part in (self.plan.parts if self.plan else ())}
        for name in names:
            self.tools.reporter.item_started(STAGE, name)
            one = self._delete([*(item.id for item in parts[name].objects), *self._hooks(name)])
            is_late = all(_is_space(item.id) for item in parts[name].objects)
            detail = "its Namespaces go last" if is_late and not self.request.component else one.summary
            self.tools.reporter.item_finished(STAGE, name, detail, objects=len(one.deleted), state="removed")
            done += one
        if not self.request.component:
            claimed = claims.entries(self.tools.cluster, self.request.stack)
            done += self._delete([*(one for one in claimed if one not in self.released), *self._own()])
            done += self._namespaces(spaces)
        claims.take_out(self.tools.cluster, self.request.stack, self.released)
        self.tools.reporter.stage_finished(STAGE, done.summary)
        return done

    def _delete(self, targets: Iterable[ObjectId]) -> Deletion:
        """Delete objects in phases; data stays unless it is asked for, Namespaces are seen to at the end."""
        wanted = dict.fromkeys(targets)
        doomed = [target for target in wanted if not target.holds_data or (self.request.data and not _is_space(target))]
        kept = [target for target in wanted if target.holds_data and not _is_space(target) and not self.request.data]
        there = self.tools.workers.map(self.tools.cluster.get, kept)
        done = Deletion(
            kept=tuple((target, _why_kept(body)) for target, body in zip(kept, there, strict=True) if body is not None)
        )
        minor = self.plan.kubernetes.minor if self.plan else self.tools.cluster.about().minor or 0
        left_over = frozenset(self._asked_at_run_time(doomed)) - wanted.keys()
        spared = partial(self._spared, left_over=left_over)
        for phase in removal.phases([*doomed, *left_over], minor):
            one = deletion.delete(
                phase, self.tools, spared=spared, timeout=self.request.timeout, bystanders=self.bystanders
            )
            self.released.update(one.released)
            done += one
        return done

    def _spared(self, body: Body, left_over: frozenset[ObjectId]) -> str:
        """Why an object stays: others apply it, or claim it. What operators of the stack made need not be managed by us."""
        stack, target = self.request.stack, ObjectId.of(body)
        if other := self.bystanders.claimed.get(target):
            return f"the stack {other} claims it"
        if (target.group, target.kind) in self.defined:
            return ""
        is_unmarked = self.crds_of_others is not None and (target.group, target.kind) == CRD
        if is_unmarked and (application := (self.crds_of_others or {}).get(target.name)):
            return f"the Application {application}"
        is_made_for_it = (
            is_unmarked or target in left_over or (body["metadata"].get("labels") or {}).get(STACK_LABEL) == stack
        )
        judge = removal.taker if is_made_for_it else removal.owner
        return judge(stack, body, strangers=self.strangers)

    def _custom_resources(self) -> list[ObjectId]:
        """All objects of the CRDs that go, also those of users: only now do operators run that end their finalizers."""
        custom: list[ObjectId] = []
        crds = claims.crds(self.tools.cluster, self.request.stack)
        own = tuple(name for name in crds if name not in (self.crds_of_others or ()))
        for kind in emptied.kinds_of(own, self.tools.cluster):
            custom += emptied.ids(kind, self.tools.cluster)
        return custom

    def _asked_at_run_time(self, doomed: Sequence[ObjectId]) -> list[ObjectId]:
        """Webhooks and APIServices of Services that go: an operator made them, and nothing answers them any more."""
        services = {
            (target.namespace, target.name) for target in doomed if (target.group, target.kind) == ("", "Service")
        }
        return emptied.asking(services, self.tools.cluster) if services else []

    def _hooks(self, name: ComponentName) -> Iterator[ObjectId]:
        """Objects of hooks, which are not claimed."""
        for component in self.plan.components if self.plan else ():
            if component.name == name:
                for step in component.steps:
                    if isinstance(step, ApplyHooks):
                        yield from self._ids(step.documents)

    def _own(self) -> Iterator[ObjectId]:
        """What the delivery by Argo CD added: the repository and its server."""
        argocd = self.plan.argocd if self.plan else None
        for step in argocd.repository if argocd else ():
            if isinstance(step, Apply):
                yield from (target for target in self._ids(step.documents) if not _is_space(target))

    def _ids(self, documents: Iterable[bytes]) -> Iterator[ObjectId]:
        return (ObjectId.of(self.tools.reader.read(document.decode())) for document in documents)

    def _end_delivery(self) -> Deletion:
        """The root first, which would put the others back; none of them takes its objects along. What delivers the stack to
        other clusters stays.
        """
        plan, done, own = self.plan, Deletion(), f"{STACK_LABEL}={self.request.stack}"
        roots = {plan.argocd.sync.name} if plan and plan.argocd else {plan.flux.root} if plan and plan.flux else set()
        sets = Query(group=engine.GROUP, kind=central.KIND, labels=own, metadata_only=True)
        is_central = bool(self.tools.cluster.list(sets).items)
        for group, kind, change in _ENGINES:
            if is_central and kind == "AppProject":
                continue
            ids = _read_by_engines(self.request.stack, group, kind, self.tools.cluster)
            for targets in ([one for one in ids if one.name in roots], [one for one in ids if one.name not in roots]):
                for target in targets if change else ():
                    self.tools.cluster.patch(target, change, Patch.MERGE, manager=FIELD_MANAGER)
                done += deletion.delete(targets, self.tools, spared=lambda _: "", timeout=self.request.timeout)
        return done

    def _spaces(self) -> list[str]:
        """The Namespaces that the stack has, or has objects in."""
        claimed = claims.entries(self.tools.cluster, self.request.stack)
        return sorted(
            {target.name if _is_space(target) else target.namespace for target in claimed} - {"", git_server.NAMESPACE}
        )

    def _namespaces(self, names: Sequence[str]) -> Deletion:
        """Delete those that hold nothing of others any more, and no volumes unless these go, too."""
        claim = self.tools.cluster.get(ownership.claim_id(self.request.stack))
        since = str(claim["metadata"].get("creationTimestamp") or "") if claim else ""
        judged = emptied.reasons_to_keep(names, self.tools, with_data=self.request.data, since=since)
        ids = {name: ObjectId(group="", kind="Namespace", namespace="", name=name) for name in judged}
        done = deletion.delete(
            [ids[name] for name in judged],
            self.tools,
            spared=lambda body: judged[body["metadata"]["name"]],
            timeout=self.request.timeout,
            bystanders=self.bystanders,
        )
        self.released.update(done.deleted, done.absent)
        return done


def of_delivery(stack: str, cluster: Cluster) -> Iterator[tuple[ObjectId, str]]:
    """What is changed and deleted of what engines read of a stack, each with the verb."""
    for group, kind, change in _ENGINES:
        for target in _read_by_engines(stack, group, kind, cluster):
            yield from ((target, verb) for verb in ("patch", "delete") if change or verb == "delete")


def _read_by_engines(stack: str, group: str, kind: str, cluster: Cluster) -> list[ObjectId]:
    """The objects of a kind by which an engine delivers the stack to its own cluster."""
    labels = f"{STACK_LABEL}={stack},!{CLUSTER_LABEL}"
    query = Query(group=group, kind=kind, labels=labels, metadata_only=True)
    return [query.id_of(body) for body in cluster.list(query).items]


def forget(request: RemoveRequest, tools: DeliverTools) -> Deletion:
    """Delete what the deployments of a whole stack noted; with the reason, what of it stays. The claim stays as long as the
    stack has data here, and else goes last: a removal that is killed before finds it. What the cluster keeps of the stack in
    others, to which its Argo CD delivers it, stays.
    """
    cluster, stack = tools.cluster, request.stack
    cluster.delete(applied.record_id(stack))
    entry = audit_log.removal(stack, "", request.run, tools)
    if releases.remove(stack, tools):
        audit_log.append(tools, stack, entry)
    else:
        audit_log.note(tools, entry)
        cluster.delete(audit_log.record_id(stack))
    left = claims.entries(cluster, stack)
    if left:
        claims.write(cluster, stack, dict.fromkeys(left, owners.STAYS_BEHIND))
        return Deletion()
    done = Deletion()
    is_last = all(other == stack for other, _ in claims.by_stack(cluster))
    if is_last and not releases.stacks(cluster, also_elsewhere=True):
        space = ObjectId(group="", kind="Namespace", namespace="", name=git_server.NAMESPACE)
        done = deletion.delete([space], tools, spared=partial(_spared_space, tools, stack), timeout=request.timeout)
    if not done.deleted:
        cluster.delete(ownership.claim_id(stack))
    return Deletion(kept=done.kept)  # the namespace of the notes is none of the stack's objects


def _spared_space(tools: DeliverTools, stack: str, body: Body) -> str:
    name, besides = body["metadata"]["name"], {ownership.claim_id(stack)}
    return emptied.reasons_to_keep([name], tools, with_data=False, since=None, besides=besides)[name]


def _why_kept(body: Body) -> str:
    """Data that stays. What converts the objects of a CRD goes (Kubernetes, "Versions in CustomResourceDefinitions")."""
    conversion = (body.get("spec") or {}).get("conversion") or {}
    if conversion.get("strategy") != "Webhook":
        return _HOLDS_DATA
    return (
        f"{_HOLDS_DATA}; its webhook goes: until the stack is deployed again, objects of older versions cannot be read"
    )


def _is_space(target: ObjectId) -> bool:
    return (target.group, target.kind) == ("", "Namespace")
