"""What the user may do with the kinds of a cluster, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cluster_forge.ports.cluster import ClusterReader, ServedKind

EVERYTHING: Final = ServedKind(
    group="*", version="*", kind="*", plural="*", is_namespaced=False, is_preferred=True, verbs=frozenset("*")
)


def lack(
    cluster: ClusterReader, kinds: Sequence[ServedKind], verbs: Sequence[str], namespaces: Sequence[str]
) -> tuple[str, str]:
    """What the user may not do with kinds in namespaces (or everywhere: empty), and how to mend it. The kinds are all
    namespaced, or none of them is.
    """
    resources = [f"{kind.plural}.{kind.group}" if kind.group else kind.plural for kind in kinds]
    places, are_namespaced = [namespace for namespace in namespaces if namespace], kinds[0].is_namespaced
    where = f" in namespace {', '.join(places)}" if places else " in all namespaces" if are_namespaced else ""
    about = cluster.about()
    as_user = f" --as {about.user}" if about.user else ""
    in_place = f" -n {places[0]}" if places else " -A" if are_namespaced else ""
    question = f"kubectl auth can-i {verbs[0]} {resources[0]}{in_place}{as_user}"
    return (
        f"{about.user or 'the user'} may not {', '.join(verbs)} {', '.join(resources)}{where}",
        f"let an administrator bind a role with these verbs (`{question}` must say yes)",
    )
