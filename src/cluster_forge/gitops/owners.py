"""Whose the objects of a stack are in a cluster: from what the cluster says of them to a verdict (ADR 0018).

`deploy.sh` judges by the same rules (``judge`` in ``scripts/ownership.sh``), and a test holds both against the same facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.identity import ObjectId

UNTRACKED: Final = "-"
"""The Application of an object that no Application applies, in a list of `ownership`."""
STAYS_BEHIND: Final = "stays-behind"
"""In its place for an object with data that has left the stack."""
LEAVES: Final = "leaves"
"""In its place for any other object that has left it, until it is pruned."""
TRACKING: Final = "argocd.argoproj.io/tracking-id"
"""An annotation: which Application has applied an object (Argo CD, "Resource Tracking")."""
HELM_RELEASE: Final = "meta.helm.sh/release-name"
"""An annotation: which release of Helm has an object (Helm, ``pkg/action/validate.go``)."""
_ROOT_FOLDER: Final = "argo-apps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An object that a stack claims; ``application`` is `STAYS_BEHIND` for data that has left that stack."""

    stack: str
    id: ObjectId
    application: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveObject:
    """An object in the cluster: the ``argocd.argoproj.io/tracking-id``, the Helm release and the field managers that it names.

    ``fingerprint`` is that of the fields that we have applied (`managed_fields`). ``is_going``: it is being deleted, once its
    ``finalizers`` have ended.
    """

    id: ObjectId
    tracking_id: str = ""
    release: str = ""
    managers: tuple[str, ...] = ()
    fingerprint: str = ""
    is_going: bool = False
    finalizers: tuple[str, ...] = ()

    @property
    def application(self) -> str:
        """The Application in the tracking id, ``[NAMESPACE_]APPLICATION:GROUP/KIND:NAMESPACE/NAME`` (Argo CD, "Resource Tracking")."""
        name = self.tracking_id.partition(":")[0]
        return name.partition("_")[2] if "_" in name else name


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveApplication:
    """An Application in the cluster: the stack that its label names, and the path that it reads."""

    name: str
    stack: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the verdict is made from.

    ``wanted`` are the objects of the ``stack``, each with its Application or `UNTRACKED`; ``root`` is its root Application,
    empty where no Argo CD applies it. ``live`` are those of the wanted objects that are in the cluster.
    """

    stack: str
    root: str
    wanted: Mapping[ObjectId, str]
    claims: Sequence[Claimed] = ()
    applications: Sequence[LiveApplication] = ()
    live: Sequence[LiveObject] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Foreign:
    """What belongs to others: an object as `ObjectId` shows it, or an Application. ``stack`` is the owner, where it is one.

    ``is_at_work``: its owner would undo every change, so that it can never be taken over.
    """

    subject: str
    owner: str
    is_at_work: bool = False
    stack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An object that another Application of the same stack applies from now on."""

    id: ObjectId
    former: str
    new: str
    tracking_id: str

    @property
    def new_tracking_id(self) -> str:
        return f"{self.new}:{self.tracking_id.partition(':')[2]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``older`` are Applications named before names had the stack, the root first; ``staying`` objects with data have left the
    stack, as have the others that are ``leaving`` it.
    """

    foreign: tuple[Foreign, ...] = ()
    moves: tuple[Move, ...] = ()
    older: tuple[str, ...] = ()
    staying: tuple[ObjectId, ...] = ()
    leaving: tuple[ObjectId, ...] = ()


def judge(facts: Facts) -> Verdict:
    """The verdict about all objects of a stack, sorted."""
    rules = _Rules(facts)
    judged = {**dict(rules.of_claims()), **dict(rules.of_objects())}
    gone = sorted(rules.own - facts.wanted.keys())
    return Verdict(
        foreign=tuple(sorted([*judged.values(), *rules.of_applications()])),
        moves=tuple(rules.moves()),
        older=tuple(rules.older()),
        staying=tuple(identity for identity in gone if identity.holds_data),
        leaving=tuple(identity for identity in gone if not identity.holds_data),
    )


class _Rules:
    """The facts, indexed."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.applications = {application.name: application for application in facts.applications}
        self.own = {claim.id for claim in facts.claims if claim.stack == facts.stack}
        others = [claim for claim in facts.claims if claim.stack != facts.stack]
        present = {item.id for item in facts.live}
        self.claimed = {claim.id: claim.stack for claim in others if claim.application != STAYS_BEHIND}
        self.claimed |= {
            claim.id: claim.stack for claim in others if claim.application == STAYS_BEHIND and claim.id in present
        }

    def of_objects(self) -> Iterator[tuple[ObjectId, Foreign]]:
        for item in self.facts.live:
            foreign = self._of_tracked(item) if self._is_tracked_elsewhere(item) else None
            foreign = foreign or (None if self._is_at_work(item) else self._of_untracked(item))
            if foreign:
                yield item.id, foreign

    def of_claims(self) -> Iterator[tuple[ObjectId, Foreign]]:
        """The objects that other stacks claim."""
        for identity, stack in self.claimed.items():
            if identity in self.facts.wanted:
                yield identity, Foreign(subject=str(identity), owner=f"the stack {stack}", stack=stack)

    def of_applications(self) -> Iterator[Foreign]:
        """Applications that others have under a name of this stack, and those of this stack where kubectl is to apply it."""
        facts = self.facts
        for name in sorted({*facts.wanted.values(), facts.root} & self.applications.keys()):
            stack = self.applications[name].stack
            if stack != facts.stack:
                owner = f"the stack {stack}" if stack else "no stack"
                yield Foreign(subject=f"Application/{name}", owner=owner, is_at_work=True, stack=stack)
        if not facts.root:
            for name, application in self.applications.items():
                if application.stack == facts.stack:
                    owner = "this stack as Argo CD delivers it"
                    yield Foreign(subject=f"Application/{name}", owner=owner, is_at_work=True, stack=facts.stack)

    def moves(self) -> Iterator[Move]:
        for item in sorted(self.facts.live, key=lambda live: live.id):
            wanted = self.facts.wanted.get(item.id, "")
            is_new_naming = "." in item.application
            if self._is_at_work(item) and self._is_mine(item) and is_new_naming and wanted != UNTRACKED:
                yield Move(id=item.id, former=item.application, new=wanted, tracking_id=item.tracking_id)

    def older(self) -> Iterator[str]:
        """Roots first: they would apply the others again."""
        older = [item for item in self.facts.applications if item.stack == self.facts.stack and "." not in item.name]
        yield from (item.name for item in sorted(older, key=lambda a: (not a.path.endswith(_ROOT_FOLDER), a.name)))

    def _is_tracked_elsewhere(self, item: LiveObject) -> bool:
        return bool(item.tracking_id) and item.application != self.facts.wanted.get(item.id, "")

    def _is_at_work(self, item: LiveObject) -> bool:
        """Whether a present Application, other than the wanted one, tracks it."""
        return self._is_tracked_elsewhere(item) and item.application in self.applications

    def _is_mine(self, item: LiveObject) -> bool:
        return self.applications[item.application].stack == self.facts.stack

    def _of_tracked(self, item: LiveObject) -> Foreign | None:
        """Of an object that another Application tracks, or did."""
        if self._is_at_work(item):
            if self._is_mine(item):
                return None
            stack = self.applications[item.application].stack
            owner = f"the Application {item.application}{_of_stack(stack)}"
            return Foreign(subject=str(item.id), owner=owner, is_at_work=True, stack=stack)
        if item.id in self.own or item.application.startswith(f"{self.facts.stack}."):
            return None
        stack = self.claimed.get(item.id, "")
        owner = f"the former Application {item.application}{_of_stack(stack)}"
        return Foreign(subject=str(item.id), owner=owner, stack=stack)

    def _of_untracked(self, item: LiveObject) -> Foreign | None:
        """Of an object that no other Application tracks: by claims, then by what it says itself."""
        subject, is_own = str(item.id), item.id in self.own
        if item.id in self.claimed and not is_own:
            stack = self.claimed[item.id]
            return Foreign(subject=subject, owner=f"the stack {stack}", stack=stack)
        if is_own or item.tracking_id or FIELD_MANAGER in item.managers:
            return None
        if item.release:
            return Foreign(subject=subject, owner=f"the Helm release {item.release}")
        if item.id.kind == "Namespace" or self._is_brought_over(item):
            return None
        managers = " ".join(dict.fromkeys(item.managers)) or "unknown managers"
        return Foreign(subject=subject, owner=f"no stack (its fields are those of {managers})")

    def _is_brought_over(self, item: LiveObject) -> bool:
        """Whether an Argo CD that tracked by label applied it for an Application of the older naming."""
        return any(manager.startswith("argocd") for manager in item.managers) and any(self.older())


def _of_stack(stack: str) -> str:
    return f" of the stack {stack}" if stack else ""
