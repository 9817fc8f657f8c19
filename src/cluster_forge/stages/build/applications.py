"""The parts as GitOps takes them, and `working/` with the Applications that deliver it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from cluster_forge.record import PartRecord
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops.argocd import applications as argocd
from cluster_forge.gitops import engine
from cluster_forge.gitops.parts import Part, PartObject
from cluster_forge.manifests import emitter
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.model import Stack


def parts(
    records: Iterable[PartRecord], files: Mapping[str, bytes], body: Callable[[PartObject], Body]
) -> tuple[Part, ...]:
    """The parts with their objects' documents; ``body`` reads those of Argo CD's part, the only ones that are looked into."""
    found = tuple(
        Part(
            name=record.name,
            namespace=record.namespace,
            wave=record.wave,
            needs=record.needs,
            objects=tuple(
                PartObject(
                    id=each.id,
                    path=each.path,
                    content=files[each.path],
                    hook=each.hook,
                    hook_weight=each.weight,
                    known=each.digest,
                )
                for each in record.objects
            ),
        )
        for record in records
    )
    argo = engine.find(found)
    if argo is None:
        return found
    read = replace(argo, objects=tuple(replace(each, body=body(each)) for each in argo.objects))
    return tuple(read if part is argo else part for part in found)


def with_applications(stack: Stack, delivered: Sequence[Part], files: Mapping[str, bytes]) -> tuple[FileTree, str]:
    """The manifests with the Applications beside them, and the revision (a tag) that all of those are pinned to.

    The revision follows from the content and the settings: an Application cannot name the commit that it lies in.
    """
    unpinned = argocd.applications(stack, delivered, "")
    revision = argocd.revision(delivered, unpinned)
    manifests_of_applications = {
        f"{argocd.FOLDER}/{argocd.file_name(body['metadata']['name'])}": emitter.document(
            argocd.pinned(body, revision)
        ).encode()
        for body in unpinned
    }
    return FileTree({**files, **manifests_of_applications}), revision
