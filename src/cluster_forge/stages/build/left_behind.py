"""What stays in a cluster: objects that hold data, of the stack that was cast before, and not of the present one."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted
from cluster_forge.gitops import bootstrap, ownership
from cluster_forge.gitops.steps import resource
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.workspace import Workspace


def findings(folder: str, present: FileTree, files: Workspace) -> tuple[Finding, ...]:
    """A warning for each kind of which objects stay; ``folder`` has the earlier cast, ``present`` is the bootstrap."""
    path = f"{bootstrap.FOLDER}/{ownership.OBJECTS}"
    before = files.read(f"{folder}/{path}") or b""
    after = set(ownership.read(present[path].decode()))
    gone: dict[str, list[ObjectId]] = {}
    for identity in ownership.read(before.decode(errors="replace")):
        if identity.holds_data and identity not in after:
            gone.setdefault(identity.kind, []).append(identity)
    return tuple(map(_finding, gone.values()))


def _finding(identities: Sequence[ObjectId]) -> Finding:
    shown = ", ".join(map(str, identities))
    first = identities[0]
    namespace = f" -n {first.namespace}" if first.namespace else ""
    return Finding(
        code="stays-behind",
        severity=Severity.WARNING,
        object=first,
        message=f"of the stack cast before, {counted(len(identities), 'object')} will stay in the cluster with the data: {shown}",
        fix=f"delete what you no longer need yourself: kubectl delete {resource(first)}{namespace}",
    )
