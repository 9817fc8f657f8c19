"""remove: a stack, or one component of it, out of a cluster: what needs others goes before them (ADR 0039).

What is in the cluster says what goes: the claim of the stack, and the plan in its last release. Applications and Kustomizations
go first and leave their objects, so that the engine does not put back what is deleted here in its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from cluster_forge.foundation.errors import PreflightError, ReleaseError, UnknownNameError
from cluster_forge.foundation.names import ComponentName, counted, did_you_mean
from cluster_forge.gitops import engine, git_server, owners, ownership, removal, schedule
from cluster_forge.gitops.delivery_mode import TITLES, Delivery
from cluster_forge.gitops.flux import sources
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.gitops.steps import FIELD_MANAGER, Apply, ApplyHooks
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Patch, Query
from cluster_forge.stages.deliver.cluster_records import applied, audit_log, claims, lease, releases
from cluster_forge.stages.deliver.cluster_records.leased_cluster import LeasedCluster
from cluster_forge.stages.deliver.removal import deletion, emptied
from cluster_forge.stages.deliver.removal.bystanders import Bystanders, strangers
from cluster_forge.stages.deliver.removal.deletion import Deletion
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRequest:
    """What goes: the whole ``stack``, or one ``component``; ``data``: volumes, CRDs and Namespaces with what is in them, too.

    ``timeout``: seconds until one object must be gone. ``run`` names the process (HOST/PROCESS/TIME).
    """

    stack: str
    component: str = ""
    data: bool = False
    timeout: float = 300
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What would go: ``components`` in the order in which they go, ``objects`` of all of them."""

    components: tuple[ComponentName, ...]
    objects: int
    plan: DeployPlan | None = field(repr=False, default=None)


def planned(request: RemoveRequest, tools: DeliverTools) -> Removal:
    """What would be removed; nothing is changed.

    Raises:
        ReleaseError: if the stack is not in the cluster.
        UnknownNameError: if it has no such component.
        PreflightError: if others need the component, or Argo CD would put it back.
    """
    claim = tools.cluster.get(ownership.claim_id(request.stack))
    if claim is None:
        here = ", ".join(releases.stacks(tools.cluster)) or "none"
        raise ReleaseError(
            f"the stack {request.stack} is not in this cluster (stacks here: {here})",
            fix="name one that is, or choose another cluster: --context",
        )
    claimed = claims.of(claim)  # empty, if a removal was killed at its end
    plan = _last_plan(request.stack, tools)
    parts = plan.parts if plan else ()
    names = tuple(reversed(list(schedule.prerequisites(parts, plan.fixed if plan else ()))))
    if not request.component:
        return Removal(components=names, objects=len(claimed), plan=plan)
    chosen = _component(request, plan)
    return Removal(components=(chosen.name,), objects=len(chosen.objects), plan=plan)


def remove(request: RemoveRequest, tools: DeliverTools) -> Deletion:
    """Remove the stack or the component; what was deleted, and what stays with the reason.

    Raises:
        ReleaseError, UnknownNameError, PreflightError: as `planned`.
        BusyError: if a deployment of the stack is running, or has taken the lease over.
        DeploymentError, ExceptionGroup: for each object that does not go in time, with the finalizer that holds it.
    """
    removal_plan = planned(request, tools)
    with lease.held(request.stack, tools, run=request.run) as held:
        tools = replace(tools, cluster=LeasedCluster(tools.cluster, held))
        run = _Run(
            request,
            tools,
            removal_plan.plan,
            strangers=strangers(tools.cluster, request.stack),
            bystanders=Bystanders(claimed=claims.of_others(tools.cluster, request.stack), with_volumes=request.data),
        )
        done = run.run(removal_plan.components)
        if request.component:
            applied.write(tools.cluster, request.stack, ComponentName(request.component), None)
            audit_log.append(
                tools, request.stack, audit_log.removal(request.stack, request.component, request.run, tools)
            )
        else:
            done += _records(request, tools)
    return done


def _last_plan(stack: str, tools: DeliverTools) -> DeployPlan | None:
    """The plan of the newest release of the whole stack that has its files, with the components of those of narrowed stacks
    that came after it.
    """
    kept = [one for one in releases.listed(tools.cluster, stack) if one.folders]
    whole = max((number for number, one in enumerate(kept) if not one.narrowed), default=0)
    plans = [releases.deployment(one, tools).plan for one in kept[whole:]]
    if not plans:
        return None
    parts = {part.name: part for plan in plans for part in plan.parts}
    components = {component.name: component for plan in plans for component in plan.components}
    return replace(plans[0], parts=tuple(parts.values()), components=tuple(components.values()))


def _component(request: RemoveRequest, plan: DeployPlan | None) -> Part:
    if plan is None:
        raise PreflightError(
            f"no release of {request.stack} in this cluster has its components: deploy.sh has deployed it",
            fix="deploy it with `cluster-forge deploy`, or remove the whole stack",
        )
    if plan.delivery is not Delivery.DIRECT:
        title = TITLES[plan.engine]
        raise PreflightError(
            f"{title} delivers {request.stack}: it would put {request.component} back",
            fix=f"take {request.component} out of the description, forge and deploy: {title} prunes it",
        )
    chosen = next((part for part in plan.parts if part.name == request.component), None)
    if chosen is None:
        names = [str(part.name) for part in plan.parts]
        raise UnknownNameError(
            f"{request.stack} has no component {request.component} in this cluster{did_you_mean(request.component, names)}",
            fix=f"its components: {', '.join(names)}",
        )
    if users := [str(part.name) for part in plan.parts if chosen.name in part.needs]:
        raise PreflightError(
            f"{chosen.name} is needed by {', '.join(users)}", fix="remove these first, or the whole stack"
        )
    return chosen


@dataclass(frozen=True, slots=True)
class _Run:
    """``strangers`` are the Applications and Kustomizations of others; ``bystanders`` what other stacks claim."""

    request: RemoveRequest
    tools: DeliverTools
    plan: DeployPlan | None
    strangers: frozenset[str]
    bystanders: Bystanders
    released: set[ObjectId] = field(default_factory=set)
    """What leaves the claim at the end: until then it says in which Namespaces the stack was, should this run be killed."""

    def run(self, names: Sequence[ComponentName]) -> Deletion:
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
            self.tools.reporter.item_finished(STAGE, name, f"{len(one.deleted)} deleted", objects=len(one.deleted))
            done += one
        if not self.request.component:
            done += self._delete([*claims.entries(self.tools.cluster, self.request.stack), *self._own()])
            done += self._namespaces(spaces)
        claims.take_out(self.tools.cluster, self.request.stack, self.released)
        self.tools.reporter.stage_finished(STAGE, f"{counted(len(done.deleted), 'object')} deleted")
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
        minor = self.plan.kubernetes.minor if self.plan else emptied.minor(self.tools.cluster)
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
        if (target.group, target.kind) in self._defined():
            return ""
        is_made_for_it = target in left_over or (body["metadata"].get("labels") or {}).get(STACK_LABEL) == stack
        judge = removal.taker if is_made_for_it else removal.owner
        return judge(stack, body, strangers=self.strangers)

    def _defined(self) -> frozenset[tuple[str, str]]:
        """Group and kind of what the CRDs define that go, too."""
        if not self.request.data:
            return frozenset()
        return frozenset((kind.group, kind.kind) for kind in emptied.kinds_of(self._crds(), self.tools.cluster))

    def _crds(self) -> list[str]:
        claimed = claims.entries(self.tools.cluster, self.request.stack)
        return [target.name for target in claimed if (target.group, target.kind) == CRD]

    def _custom_resources(self) -> list[ObjectId]:
        """All objects of the CRDs that go, also those of users: only now do operators run that end their finalizers."""
        custom: list[ObjectId] = []
        for kind in emptied.kinds_of(self._crds(), self.tools.cluster):
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
        """The root first, which would put the others back; none of them takes its objects along."""
        plan, done = self.plan, Deletion()
        roots = {plan.argocd.sync.name} if plan and plan.argocd else {plan.flux.root} if plan and plan.flux else set()
        for group, kind, change in _ENGINES:
            query = Query(group=group, kind=kind, labels=f"{STACK_LABEL}={self.request.stack}", metadata_only=True)
            ids = [query.id_of(body) for body in self.tools.cluster.list(query).items]
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


def _records(request: RemoveRequest, tools: DeliverTools) -> Deletion:
    """Delete what the deployments noted. The claim stays as long as the stack has data here, and else goes last: a removal
    that is killed before finds it.
    """
    cluster, stack = tools.cluster, request.stack
    releases.remove(stack, cluster)
    for name in (f"applied-{stack}", audit_log.name(stack)):
        cluster.delete(ObjectId(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, name=name))
    left = claims.entries(cluster, stack)
    if left:
        claims.write(cluster, stack, dict.fromkeys(left, owners.STAYS_BEHIND))
        return Deletion()
    done = Deletion()
    if all(other == stack for other, _ in claims.by_stack(cluster)):
        space = ObjectId(group="", kind="Namespace", namespace="", name=git_server.NAMESPACE)
        done = deletion.delete([space], tools, spared=partial(_spared_space, tools), timeout=request.timeout)
    if not done.deleted:
        cluster.delete(ownership.claim_id(stack))
    return done


def _spared_space(tools: DeliverTools, body: Body) -> str:
    name = body["metadata"]["name"]
    return emptied.reasons_to_keep([name], tools, with_data=False, since=None)[name]


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
