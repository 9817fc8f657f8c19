"""The user may do what the deployment does: with each kind that is applied, in each namespace where it is.

An engine applies the rest as itself. Kinds that the stack's own CRDs define cannot be asked about before they are served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cluster_forge.gitops import git_server
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import ServedKind
from cluster_forge.stages.deliver import rights
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "what the user may do"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "missing-permission": "The user may not do with a kind what a deployment does.",
}
CODE: Final = "missing-permission"
_VERBS: Final[tuple[str, ...]] = ("get", "list", "watch", "create", "patch", "delete")
_OWN: Final = (
    ObjectId(group="", kind="Namespace", namespace="", name=git_server.NAMESPACE),
    ObjectId(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, name="claim"),
    ObjectId(group="", kind="Secret", namespace=git_server.NAMESPACE, name="release"),
    ObjectId(group="coordination.k8s.io", kind="Lease", namespace=git_server.NAMESPACE, name="lease"),
)
"""What a deployment keeps for itself."""


def problems(situation: Situation) -> Iterator[Problem]:
    if situation.cluster.can("*", rights.EVERYTHING):
        return  # one question instead of one for each namespace
    lacking: dict[tuple[ServedKind, tuple[str, ...]], list[str]] = {}
    for kind, namespaces in sorted(_used(situation).items(), key=lambda used: (used[0].group, used[0].kind)):
        for namespace in sorted(namespaces):
            verbs = tuple(
                verb
                for verb in _VERBS
                if verb in kind.verbs and not situation.cluster.can(verb, kind, namespace if kind.is_namespaced else "")
            )
            if verbs:
                lacking.setdefault((kind, verbs), []).append(namespace)
    for (kind, verbs), places in lacking.items():
        yield _problem(situation, kind, verbs, places)


def _used(situation: Situation) -> dict[ServedKind, set[str]]:
    """The kinds that this user applies, and the namespaces of their objects."""
    used: dict[ServedKind, set[str]] = {}
    for identity in (*_applied(situation), *_OWN):
        kind = situation.served.find(identity.group, identity.kind)
        if kind:
            used.setdefault(kind, set()).add(identity.namespace)
    return used


def _applied(situation: Situation) -> Iterable[ObjectId]:
    if situation.plan.delivery is not Delivery.DIRECT:
        return (document.id for document in situation.documents)
    return (item.id for part in situation.plan.parts for item in part.objects)


def _problem(situation: Situation, kind: ServedKind, verbs: tuple[str, ...], namespaces: list[str]) -> Problem:
    message, fix = rights.lack(situation.cluster, [kind], verbs, namespaces)
    return Problem(code=CODE, message=message, where=str(situation.cluster.about()), fix=fix, option=f"--allow {CODE}")
