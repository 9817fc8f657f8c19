"""What stays in a cluster: objects that hold data, of the stack that was cast before, and not of the present one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted
from cluster_forge.gitops import bootstrap, ownership
from cluster_forge.gitops.steps import resource
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.volume_claims import STATEFUL_SET, VolumeClaims
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stages.build.casting import stack_json

_OBJECTS = f"{bootstrap.FOLDER}/{ownership.OBJECTS}"


def findings(folder: str, present: FileTree, files: Workspace) -> Iterator[Finding]:
    """A warning for each kind of which objects stay, and for each StatefulSet whose claims do.

    ``folder`` has the earlier cast, ``present`` are the files that replace it.
    """
    before = files.read(f"{folder}/{_OBJECTS}") or b""
    after = set(ownership.read(present[_OBJECTS].decode()))
    gone: dict[str, list[ObjectId]] = {}
    for identity in ownership.read(before.decode(errors="replace")):
        if identity.holds_data and identity not in after:
            gone.setdefault(identity.kind, []).append(identity)
    yield from map(_of_objects, gone.values())
    claims = stack_json.claims(files.read(f"{folder}/{stack_json.STACK_JSON}") or b"")
    yield from _of_claims(claims - stack_json.claims(present[stack_json.STACK_JSON]))


def _of_objects(identities: Sequence[ObjectId]) -> Finding:
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


def _of_claims(claims: Iterable[VolumeClaims]) -> Iterator[Finding]:
    names: dict[ObjectId, list[str]] = {}
    group, kind = STATEFUL_SET
    for one in sorted(claims):
        stateful_set = ObjectId(group=group, kind=kind, namespace=one.namespace, name=one.stateful_set)
        names.setdefault(stateful_set, []).append(f"PersistentVolumeClaim/{one.namespace}/{one.name}-…")
    for stateful_set, shown in names.items():
        yield Finding(
            code="stays-behind",
            severity=Severity.WARNING,
            object=stateful_set,
            message=f"of the stack cast before, its claims will stay in the cluster with the data: {', '.join(shown)}",
            fix="delete what you no longer need yourself; to list them: "
            f"kubectl get persistentvolumeclaims -n {stateful_set.namespace}",
        )
