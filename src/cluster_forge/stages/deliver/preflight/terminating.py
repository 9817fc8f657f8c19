"""No namespace and no object of the stack is being deleted: nothing can be created in a namespace that goes, and what is applied
to an object that goes is lost with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.gitops import git_server
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.cluster_records import claiming
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "what is being deleted"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "terminating-namespace": "A namespace of the stack is being deleted.",
    "terminating-object": "An object of the stack is being deleted.",
}
TERMINATING_OBJECT: Final = "terminating-object"


def problems(situation: Situation) -> Iterator[Problem]:
    yield from _namespaces(situation)
    claimed = claiming.listed(situation.plan)  # hooks come and go
    for item in situation.owner_facts.live:
        if item.is_going and item.id in claimed and item.id.kind != "Namespace":
            held = f": its finalizers have not ended ({', '.join(item.finalizers)})" if item.finalizers else ""
            yield Problem(
                code=TERMINATING_OBJECT,
                message=f"the object is being deleted{held}",
                where=str(item.id),
                fix="wait until it is gone: what is applied to it would go with it",
                option=f"--allow {TERMINATING_OBJECT}",
            )


def _namespaces(situation: Situation) -> Iterator[Problem]:
    claimed = situation.owner_facts.wanted
    wanted = {
        git_server.NAMESPACE,
        *(identity.name if identity.kind == "Namespace" else identity.namespace for identity in claimed),
    }
    for name in sorted(wanted & situation.namespaces.keys()):
        body = situation.namespaces[name]
        if body["metadata"].get("deletionTimestamp"):
            yield Problem(
                code="terminating-namespace",
                message=f"the namespace is being deleted{_reason(body)}",
                where=f"Namespace/{name}",
                fix=f"wait until it is gone; `kubectl get namespace {name} -o yaml` says in status.conditions what holds it",
            )


def _reason(body: Body) -> str:
    """What still holds it, as the namespace controller says: finalizers, or an API that does not answer."""
    conditions: Any = (body.get("status") or {}).get("conditions") or ()
    messages = [str(condition.get("message", "")) for condition in conditions if condition.get("status") == "True"]
    return f": {'; '.join(messages)}" if messages else ""
