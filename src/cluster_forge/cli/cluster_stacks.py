"""The stack in a cluster that a verb works on: STACK on the command line, or the only one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.ports.cluster import Cluster, ClusterFacts
    from cluster_forge.stages.deliver.argocd.central_stacks import CentralStack


def chosen(stack: str | None, there: Sequence[str], cluster: Cluster, verb: str) -> str:
    """The stack that ``verb`` works on; ``there`` are those in the cluster.

    Raises:
        UnknownNameError: if there is none, or several to choose from, or another one, or one that is delivered from here to
            other clusters.
    """
    from cluster_forge.foundation.errors import UnknownNameError

    wanted = named(stack)
    if wanted in there or (wanted is None and len(there) == 1):
        return wanted or there[0]
    if elsewhere := _delivered_elsewhere(wanted, there, cluster, verb):
        raise elsewhere
    facts = cluster.about()
    if not there:
        raise UnknownNameError(
            f"no stack is deployed to {facts}", fix="run `cluster-forge deploy`, or choose another cluster: --context"
        )
    if wanted is None:
        raise UnknownNameError(
            f"several stacks are deployed to {facts}: {', '.join(there)}",
            fix=f"name one: cluster-forge {verb} {there[0]}",
        )
    raise _unknown(wanted, there, facts)


def central(stack: str | None, cluster: Cluster, destination: str) -> CentralStack:
    """The stack that the Argo CD of ``cluster`` delivers to the cluster ``destination``.

    Raises:
        UnknownNameError: if there is none, or several to choose from, or another one.
    """
    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.stages.deliver.argocd import central_stacks

    known = {one.name: one for one in central_stacks.of(cluster)}
    wanted, facts = named(stack), cluster.about()
    if not known:
        raise UnknownNameError(
            f"the Argo CD of {facts} delivers no stack to {destination}, nor to any other cluster",
            fix="choose the cluster that has the central Argo CD: --context",
        )
    if wanted is None:
        own = [one.name for one in known.values() if destination in one.clusters] or list(known)
        if len(own) > 1:
            raise UnknownNameError(
                f"the Argo CD of {facts} delivers several stacks to {destination}: {', '.join(own)}",
                fix="name one of them",
            )
        return known[own[0]]
    if wanted not in known:
        raise _unknown(wanted, list(known), facts)
    return known[wanted]


def named(stack: str | None) -> str | None:
    """The stack that is meant: a folder's name stands for it (``a.production``, ``a+grafana``)."""
    return stack.partition(".")[0].partition("+")[0] if stack else None


def _unknown(wanted: str, there: Sequence[str], facts: ClusterFacts) -> UnknownNameError:
    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.foundation.names import did_you_mean

    return UnknownNameError(
        f"the stack {wanted} is not deployed to {facts}{did_you_mean(wanted, there)}",
        fix=f"stacks there: {', '.join(there)}; or choose another cluster: --context",
    )


def _delivered_elsewhere(
    wanted: str | None, there: Sequence[str], cluster: Cluster, verb: str
) -> UnknownNameError | None:
    """The error about a stack that the Argo CD of this cluster delivers to others."""
    from cluster_forge.stages.deliver.argocd import central_stacks

    known = {one.name: one for one in central_stacks.of(cluster)}
    if wanted is None and not there and len(known) == 1:
        [wanted] = known
    return _central(known[wanted], cluster.about(), verb) if wanted in known else None


def _central(stack: CentralStack, facts: ClusterFacts, verb: str) -> UnknownNameError:
    from cluster_forge.foundation.errors import UnknownNameError

    clusters = ", ".join(stack.clusters) or "no cluster any more"
    return UnknownNameError(
        f"the Argo CD of {facts} delivers the stack {stack.name} to {clusters}, and not to this cluster",
        where=str(stack.application_set),
        fix=f"name one of them: cluster-forge {verb} {stack.name} --cluster {(*stack.clusters, 'NAME')[0]}",
    )
