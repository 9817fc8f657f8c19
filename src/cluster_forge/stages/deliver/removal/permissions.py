"""The user may do what a removal does, asked before its first change: delete the objects and what the cluster keeps of the stack,
change what engines read, and see what namespaces hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import PreflightError
from cluster_forge.gitops import git_server
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Cluster, ServedKind
from cluster_forge.stages.deliver import rights
from cluster_forge.stages.deliver.cluster_records import lease
from cluster_forge.stages.deliver.removal import emptied

Needed = tuple[ObjectId, str]
"""An object, and the verb (``delete``) that a removal needs for it."""
_NOTES: Final = (
    (
        ObjectId(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, name="claim"),
        ("get", "list", "patch", "delete"),
    ),
    (ObjectId(group="", kind="Secret", namespace=git_server.NAMESPACE, name="release"), ("list", "delete")),
    (lease.lease_id("stack"), ("get", "create", "update", "delete")),
)


def of_notes() -> Iterator[Needed]:
    """What the removal of any stack needs for what the cluster keeps of it: its claim, its releases, its lease."""
    return ((target, verb) for target, verbs in _NOTES for verb in verbs)


def of_deletions(doomed: Iterable[ObjectId]) -> Iterator[Needed]:
    """That objects can be deleted."""
    return ((target, "delete") for target in doomed)


def of_namespaces(targets: Iterable[ObjectId]) -> Iterator[Needed]:
    """That the Namespaces of these objects can be looked at, which go last if they are empty, and their own ones deleted."""
    for target in targets:
        is_space = (target.group, target.kind) == ("", "Namespace")
        if name := target.name if is_space else target.namespace:
            space = ObjectId(group="", kind="Namespace", namespace="", name=name)
            yield from ((space, verb) for verb in (("get", "delete") if is_space else ("get",)))


def of_custom_resources(crds: Iterable[str], cluster: Cluster) -> Iterator[Needed]:
    """That all objects of CRDs can be deleted, in every namespace."""
    for kind in emptied.kinds_of(crds, cluster):
        yield ObjectId(group=kind.group, kind=kind.kind, namespace="", name=""), "delete"


def check(needed: Iterable[Needed], cluster: Cluster, *, judges_namespaces: bool) -> None:
    """Check that the objects can be changed so; with ``judges_namespaces`` also that everything in a namespace can be listed: what others
    have in it keeps it.

    Raises:
        PreflightError, ExceptionGroup: for each kind with which the user may not do that, and for all that they may not list.
        ClusterError, RefusedError: if the cluster does not say.
    """
    if cluster.can("*", rights.EVERYTHING):
        return
    raise_all(_problems(needed, cluster, judges_namespaces=judges_namespaces))


def _problems(needed: Iterable[Needed], cluster: Cluster, *, judges_namespaces: bool) -> Iterator[PreflightError]:
    served, places = cluster.served(), dict[tuple[str, str, str], set[str]]()
    for target, verb in needed:
        places.setdefault((target.group, target.kind, verb), set()).add(target.namespace)
    lacking: dict[tuple[ServedKind, tuple[str, ...]], list[str]] = {}
    for (group, name, verb), namespaces in sorted(places.items()):
        kind = served.find(group, name)
        denied = tuple(place for place in sorted(namespaces) if kind and not cluster.can(verb, kind, place))
        if kind and denied:
            lacking.setdefault((kind, denied), []).append(verb)
    for (kind, denied), verbs in lacking.items():
        yield _error(cluster, *rights.lack(cluster, [kind], verbs, denied))
    looked_at = emptied.kinds_in_namespaces(cluster) if judges_namespaces else ()
    if unseen := [kind for kind in looked_at if not cluster.can("list", kind)]:
        yield _error(cluster, *rights.lack(cluster, unseen, ["list"], [""]))


def _error(cluster: Cluster, message: str, fix: str) -> PreflightError:
    return PreflightError(message, where=str(cluster.about()), fix=fix)
