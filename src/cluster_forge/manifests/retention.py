"""What holds data (`ObjectId.holds_data`) is never deleted by a GitOps engine: the annotation that says so.

Sources: Argo CD, "Sync Options" ("No Prune Resources", "No Resource Deletion"); Flux, "Kustomization"
(``kustomize.toolkit.fluxcd.io/prune``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from cluster_forge.manifests.manifest import Document, Manifest

ARGOCD: Final = "argocd.argoproj.io/sync-options"
FLUX: Final = "kustomize.toolkit.fluxcd.io/prune"

_OPTIONS: Final = ("Prune", "Delete")


def retained(manifest: Manifest, annotation: str) -> Manifest:
    """An object that holds data, with ``annotation`` (`ARGOCD` or `FLUX`) for its engine; any other is unchanged.

    Other options in Argo CD's annotation stay, and so does ``confirm``: that asks a person before it deletes. Not ``Force``: it
    deletes an object to create it again.
    """
    if not manifest.id.holds_data:
        return manifest
    metadata = manifest.body["metadata"]
    annotations = metadata.get("annotations") or {}
    if not isinstance(annotations, Mapping):
        return manifest
    value = _options(annotations.get(annotation)) if annotation == ARGOCD else "disabled"
    if annotations.get(annotation) == value:
        return manifest
    body = {**manifest.body, "metadata": {**metadata, "annotations": {**annotations, annotation: value}}}
    return replace(manifest, document=Document(body=body, facts=manifest.facts))


def _options(present: Any) -> str:
    """The sync options with one value for each of `_OPTIONS`, at the end if there was none to keep."""
    words = [word for text in str(present or "").split(",") if (word := text.strip())]
    kept = [word for word in words if word.partition("=")[0] not in (*_OPTIONS, "Force") or word.endswith("=confirm")]
    named = {word.partition("=")[0] for word in kept}
    return ",".join([*kept, *(f"{option}=false" for option in _OPTIONS if option not in named)])
