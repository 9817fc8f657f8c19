"""What a stack claims in a cluster: the list of its objects, by which a deployment sees what belongs to others (ADR 0018).

Where the deployment applies the objects itself, the claim is the parent of their ApplySet, too (`applyset`, ADR 0039): what
the list has no longer is pruned.

::

    objects         a line for each object: KIND.GROUP NAMESPACE NAME APPLICATION, ``-`` for what it does not have
    claim.yaml      a ConfigMap with the list, in the cluster from the first deployment on
    versions        a line for each CRD among them: NAME VERSION…
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import applyset, crd_versions, delivery_mode, git_server
from cluster_forge.gitops.argocd import applications, component
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests import emitter
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stack.model import GitOpsEngine, Stack

OBJECTS: Final = "objects"
"""The list, in the folder ``bootstrap/``, and the key of the ConfigMap that holds it."""
CLAIM: Final = "claim.yaml"
VERSIONS: Final = "versions"
FILES: Final = (OBJECTS, CLAIM, VERSIONS)
CLAIM_LABEL: Final = "cluster-forge/claim"
ENVIRONMENT_LABEL: Final = "cluster-forge/environment"
"""On the claim: the environment that the stack was cast for."""
_WORD = re.compile(r"[^\s\"\\]+\Z")
"""A name that can be a word of the list: that of a role may have spaces and quotes."""


def tree(stack: Stack, parts: Sequence[Part]) -> FileTree:
    """The files. Hooks are not in them, since they come and go, and neither are names that are not one word."""
    is_direct = delivery_mode.delivery(stack, parts) is Delivery.DIRECT
    by_argocd = stack.gitops.engine is GitOpsEngine.ARGOCD and not is_direct
    claimed = [
        (item, applications.name(stack.name, part.name) if by_argocd else "-")
        for part in component.delivered(stack, parts)
        for item in part.objects
        if _is_claimed(item)
    ]
    claimed.sort(key=lambda pair: pair[0].id)
    listed = "".join(line(item.id, application) for item, application in claimed)
    return FileTree(
        {
            OBJECTS: listed.encode(),
            CLAIM: emitter.document(_claim(stack, listed, is_set=is_direct)).encode(),
            VERSIONS: crd_versions.listed(item for item, _ in claimed).encode(),
        }
    )


def members(stack: Stack, parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts, with the label of the stack's ApplySet on each object that the stack claims."""
    own = applyset.identity(claim_id(stack.name))
    return tuple(
        replace(
            part,
            objects=tuple(item.labeled(applyset.PART_OF, own) if _is_claimed(item) else item for item in part.objects),
        )
        for part in parts
    )


def claim_id(stack: str) -> ObjectId:
    """The ConfigMap with the claim of the stack of this name."""
    return ObjectId(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, name=claim_name(stack))


def entries(listed: str) -> Iterator[tuple[ObjectId, str]]:
    """The objects in a list, each with its last word: its Application. Lines that are not of one are left out."""
    for line in listed.splitlines():
        words = line.split()
        if len(words) == 4:
            kind, _, group = words[0].partition(".")
            yield (
                ObjectId(group=group, kind=kind, namespace="" if words[1] == "-" else words[1], name=words[2]),
                words[3],
            )


def read(listed: str) -> Iterator[ObjectId]:
    """The objects in a list."""
    for identity, _ in entries(listed):
        yield identity


def line(identity: ObjectId, application: str) -> str:
    """The line of an object in a list."""
    kind = f"{identity.kind}.{identity.group}" if identity.group else identity.kind
    return f"{kind} {identity.namespace or '-'} {identity.name} {application}\n"


def claim_name(stack: str) -> str:
    """The ConfigMap, in the namespace of the Git server, that holds the list of a stack."""
    return f"claim-{stack}"


def _is_claimed(item: PartObject) -> bool:
    return not item.hook and _WORD.match(item.id.name) is not None


def _claim(stack: Stack, listed: str, *, is_set: bool) -> Body:
    parent = claim_id(stack.name)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": parent.name,
            "namespace": parent.namespace,
            **({"annotations": applyset.inventory(parent, read(listed))} if is_set else {}),
            "labels": {
                **({applyset.ID: applyset.identity(parent)} if is_set else {}),
                "app.kubernetes.io/managed-by": "cluster-forge",
                CLAIM_LABEL: "objects",
                STACK_LABEL: stack.name,
                **({ENVIRONMENT_LABEL: stack.environment} if stack.environment else {}),
            },
        },
        "data": {OBJECTS: listed},
    }
