"""Edited objects in the namespace that smelt gives them once they are saved, so that cast delivers the same before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from cluster_forge.manifests import kubernetes_apis, normalize, text_edits
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.manifest import Body, Manifest, Provenance
from cluster_forge.manifests.scope import Scopes
from cluster_forge.record import Record
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import collection

Place = Callable[[Manifest], Manifest]
"""An object in its namespace; the same one if it stays as it is."""


def of(stack: Callable[[], Stack], record: Record, read: Callable[[str], Body | None]) -> Place:
    """Places the objects of components that have no namespace, unless their kind is cluster-scoped or unknown.

    ``stack`` is asked for only if there is one, ``read`` gives the object in a file of `working/`.
    """
    known = cache(stack)

    def placed(manifest: Manifest) -> Manifest:
        if manifest.id.namespace or _is_cluster_scoped(manifest):
            return manifest
        name = manifest.provenance.component
        component = next((one for one in known().components if one.name == name), None)
        if component is None:
            return manifest
        scopes = Scopes.of(known().target.kubernetes.minor, _definitions(manifest.id.group, record, read))
        return normalize.placed(manifest, collection.namespace(component), scopes)

    return placed


def _is_cluster_scoped(manifest: Manifest) -> bool:
    """Whether the object stays as it is without a namespace, whatever the stack says: its kind is one of Kubernetes' own."""
    scoped = kubernetes_apis.is_namespaced(manifest.id.group, manifest.id.kind, kubernetes_apis.minors()[-1])
    return scoped is False and not normalize.accounts_without_namespace(manifest)


def text(content: bytes, before: Manifest, after: Manifest, read: Callable[[bytes], Body]) -> bytes:
    """A file with the object ``before`` as one with ``after``: as it was written, with its comments, where that is possible."""
    edited = text_edits.edited(content.decode(errors="replace"), before.body, after.body)
    return edited.encode() if edited is not None and read(edited.encode()) == after.body else after.text


def _definitions(group: str, record: Record, read: Callable[[str], Body | None]) -> Iterator[Manifest]:
    """The CRDs of a group: the name of one ends with its group."""
    for part in record.parts:
        for known in part.objects:
            if group and known.kind == CRD and known.id.name.partition(".")[2] == group and (body := read(known.path)):
                yield Manifest.of(body, Provenance(component=part.name, origin=known.path))
