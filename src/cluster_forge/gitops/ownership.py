"""What a stack claims in a cluster: the list of its objects, by which `deploy.sh` sees what belongs to others (ADR 0018).

::

    objects         a line for each object: KIND.GROUP NAMESPACE NAME APPLICATION, ``-`` for what it does not have
    claim.yaml      a ConfigMap with the list, in the cluster from the first deployment on
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import delivery_mode, git_server
from cluster_forge.gitops.argocd import applications, component
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests import emitter
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack

OBJECTS: Final = "objects"
"""The list, in the folder ``bootstrap/``, and the key of the ConfigMap that holds it."""
CLAIM: Final = "claim.yaml"
FILES: Final = (OBJECTS, CLAIM)
CLAIM_LABEL: Final = "cluster-forge/claim"
ENVIRONMENT_LABEL: Final = "cluster-forge/environment"
"""On the claim: the environment that the stack was cast for."""
_WORD = re.compile(r"[^\s\"\\]+\Z")
"""A name that can be a word of the list: that of a role may have spaces and quotes."""


def tree(stack: Stack, parts: Sequence[Part]) -> FileTree:
    """The files. Hooks are not in them, since they come and go, and neither are names that are not one word."""
    is_direct = delivery_mode.delivery(stack, parts) is Delivery.DIRECT
    claimed = [
        (item, "-" if is_direct else applications.name(stack.name, part.name))
        for part in component.delivered(stack, parts)
        for item in part.objects
        if not item.hook and _WORD.match(item.id.name)
    ]
    claimed.sort(key=lambda pair: pair[0].id)
    listed = "".join(_line(item.id, application) for item, application in claimed)
    return FileTree(
        {
            OBJECTS: listed.encode(),
            CLAIM: emitter.document(_claim(stack, listed)).encode(),
        }
    )


def read(listed: str) -> Iterator[ObjectId]:
    """The objects in a list; lines that are not of one are left out."""
    for line in listed.splitlines():
        words = line.split()
        if len(words) == 4:
            kind, _, group = words[0].partition(".")
            yield ObjectId(group=group, kind=kind, namespace=words[1].removeprefix("-"), name=words[2])


def _line(identity: ObjectId, application: str) -> str:
    kind = f"{identity.kind}.{identity.group}" if identity.group else identity.kind
    return f"{kind} {identity.namespace or '-'} {identity.name} {application}\n"


def _claim(stack: Stack, listed: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"claim-{stack.name}",
            "namespace": git_server.NAMESPACE,
            "labels": {
                "app.kubernetes.io/managed-by": "cluster-forge",
                CLAIM_LABEL: "objects",
                STACK_LABEL: stack.name,
                **({ENVIRONMENT_LABEL: stack.environment} if stack.environment else {}),
            },
        },
        "data": {OBJECTS: listed},
    }
