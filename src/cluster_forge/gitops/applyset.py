"""The inventory of a stack in a cluster, as the ApplySet specification has it: its claim is the parent (`ownership`).

Sources: KEP-3659 ("ApplySet: kubectl apply --prune redesign and graduation strategy"); kubectl, ``pkg/cmd/apply/applyset.go``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

from cluster_forge import __version__
from cluster_forge.manifests.identity import ObjectId

PART_OF: Final = "applyset.kubernetes.io/part-of"
"""On each object: the id of its set."""
ID: Final = "applyset.kubernetes.io/id"
"""On the parent."""
TOOLING: Final = "applyset.kubernetes.io/tooling"
KINDS: Final = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES: Final = "applyset.kubernetes.io/additional-namespaces"
TOOLING_VALUE: Final = f"cluster-forge/v{__version__}"


def identity(parent: ObjectId) -> str:
    """The id of a set, from its parent: what has the parent's name finds the set, and no other parent can have it."""
    named = f"{parent.name}.{parent.namespace}.{parent.kind}.{parent.group}"
    encoded = base64.urlsafe_b64encode(hashlib.sha256(named.encode()).digest()).decode().rstrip("=")
    return f"applyset-{encoded}-v1"


def inventory(parent: ObjectId, members: Iterable[ObjectId]) -> dict[str, str]:
    """What the parent says about its members: who looks after them, of which kinds and in which namespaces they are."""
    listed = tuple(members)
    kinds = {f"{member.kind}.{member.group}" if member.group else member.kind for member in listed}
    namespaces = {member.namespace for member in listed} - {"", parent.namespace}
    return {
        TOOLING: TOOLING_VALUE,
        KINDS: ",".join(sorted(kinds)),
        NAMESPACES: ",".join(sorted(namespaces)),
    }
