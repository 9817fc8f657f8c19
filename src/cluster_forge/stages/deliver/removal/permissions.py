"""The user may do what a removal does, asked before its first change: delete the objects, and see what namespaces hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import PreflightError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import rights
from cluster_forge.stages.deliver.removal import emptied


def check(doomed: Iterable[ObjectId], cluster: Cluster, *, judges_namespaces: bool) -> None:
    """Check that the objects can be deleted; with ``judges_namespaces`` also that everything in a namespace can be listed: what others
    have in it keeps it.

    Raises:
        PreflightError, ExceptionGroup: for each kind that the user may not delete, and for all that they may not list.
        ClusterError, RefusedError: if the cluster does not say.
    """
    if cluster.can("*", rights.EVERYTHING):
        return
    raise_all(_problems(doomed, cluster, judges_namespaces=judges_namespaces))


def _problems(doomed: Iterable[ObjectId], cluster: Cluster, *, judges_namespaces: bool) -> Iterator[PreflightError]:
    served, places = cluster.served(), dict[tuple[str, str], set[str]]()
    for target in doomed:
        places.setdefault((target.group, target.kind), set()).add(target.namespace)
    for (group, name), namespaces in sorted(places.items()):
        kind = served.find(group, name)
        lacking = [place for place in sorted(namespaces) if kind and not cluster.can("delete", kind, place)]
        if kind and lacking:
            yield _error(cluster, *rights.lack(cluster, [kind], ["delete"], lacking))
    looked_at = emptied.kinds_in_namespaces(cluster) if judges_namespaces else ()
    if unseen := [kind for kind in looked_at if not cluster.can("list", kind)]:
        yield _error(cluster, *rights.lack(cluster, unseen, ["list"], [""]))


def _error(cluster: Cluster, message: str, fix: str) -> PreflightError:
    return PreflightError(message, where=str(cluster.about()), fix=fix)
