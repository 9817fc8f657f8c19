"""Objects that hold data and are hooks: a GitOps engine deletes hooks before it creates them again, and the data with them.

So they become ordinary objects, unless a hook of their component needs them before ordinary objects are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cluster_forge.checks import report
from cluster_forge.manifests import hooks
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.hooks import HookUse, Phase
from cluster_forge.manifests.manifest import Document, Manifest

_SYNC = frozenset({Phase.PRE_SYNC, Phase.SYNC, Phase.POST_SYNC})
_APPLIED = frozenset({HookUse.NONE, HookUse.INSTALL})


def settled(manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """The objects of a component, with those that hold data as ordinary objects wherever that is possible.

    Namespaces are not among them: what uses them decides (`stack_namespaces`).
    """
    manifests = tuple(manifests)
    deleted = {manifest.id for manifest in manifests if _is_deleted(manifest)}
    if not deleted:
        return manifests
    early = [manifest for manifest in manifests if Phase.PRE_SYNC in hooks.of(manifest.header).phases]
    return tuple(
        ordinary(manifest) if manifest.id in deleted and not _is_used(manifest, early) else manifest
        for manifest in manifests
    )


def findings(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    """A warning for each object that holds data and is still a hook."""
    for manifest in manifests:
        if _is_deleted(manifest):
            yield report.warning(
                manifest,
                "data-hook",
                "holds data and is a hook that other hooks use: Argo CD deletes hooks, by default before each sync, "
                "and the data with it",
                fix="bring it in a component of its own without the hook's annotations, and `exclude` it here",
            )


def ordinary(manifest: Manifest) -> Manifest:
    """The object without the annotations that make it a hook."""
    metadata = manifest.header["metadata"]
    annotations = metadata.get("annotations") or {}
    kept = {key: value for key, value in annotations.items() if not key.startswith(hooks.ANNOTATIONS)}
    if kept == annotations or Phase.SKIP in hooks.of(manifest.header).phases:
        return manifest
    others = {key: value for key, value in metadata.items() if key != "annotations"}
    changed = {**others, "annotations": kept} if kept else others
    return replace(manifest, document=Document(body={**manifest.body, "metadata": changed}))


def _is_deleted(manifest: Manifest) -> bool:
    """Whether the object is data that Argo CD deletes as a hook. It takes a CRD of ``crd-install`` for an ordinary object."""
    if not manifest.id.holds_data or (manifest.id.group, manifest.id.kind) == ("", "Namespace"):
        return False
    hook = hooks.of(manifest.header)
    return (
        bool(hook.phases & _SYNC) and hooks.use_of(manifest.facts.hook) in _APPLIED and hook.events != {"crd-install"}
    )


def _is_used(data: Manifest, early: Sequence[Manifest]) -> bool:
    """Whether hooks before the sync need the object: those of a CRD's group, or those that name the volume."""
    others = (manifest for manifest in early if manifest.id != data.id)
    if (data.id.group, data.id.kind) == CRD:
        return any(manifest.id.group == data.id.name.partition(".")[2] for manifest in others)
    return any(f'"{data.id.name}"'.encode() in manifest.document.json for manifest in others)
