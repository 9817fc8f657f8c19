"""What holds data (`ObjectId.holds_data`) is never deleted by a GitOps engine: the annotation that says so.

Sources: Argo CD, "Sync Options" ("No Prune Resources", "No Resource Deletion") and "Compare Options" ("Ignoring Resources
That Are Extraneous"); Flux, "Kustomization" (``kustomize.toolkit.fluxcd.io/prune``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.manifest import Manifest

ARGOCD: Final = "argocd.argoproj.io/sync-options"
COMPARISON: Final = "argocd.argoproj.io/compare-options"
FLUX: Final = "kustomize.toolkit.fluxcd.io/prune"

_OPTIONS: Final = ("Prune", "Delete")
_CONFIRMED: Final = "Prune=confirm"
_IGNORED: Final = "IgnoreExtraneous"


def retained(manifest: Manifest, annotation: str) -> Manifest:
    """An object that holds data, with ``annotation`` (`ARGOCD` or `FLUX`) for its engine; any other is unchanged.

    Other options in Argo CD's annotation stay, and so does ``confirm``: that asks a person before it deletes. Not ``Force``: it
    deletes an object to create it again. What is not deleted must not count as a difference, or the Application is OutOfSync
    for ever once the object has left the stack.
    """
    missing = _missing(manifest, annotation)
    if not missing:
        return manifest
    annotated = {**manifest.header["metadata"], "annotations": {**_annotations(manifest), **missing}}
    return replace(manifest, document=manifest.document.with_metadata(annotated))


def is_restored(before: Manifest, after: Manifest, annotation: str) -> bool:
    """Whether `retained` takes back how a change of ``before``, which is retained, set or removed the annotations."""
    missing = _missing(after, annotation)
    former, changed = _annotations(before), _annotations(after)
    return any(
        former.get(key) != changed.get(key)
        and (former.get(key) == value or not {*_words(changed.get(key))} <= {*_words(value)})
        for key, value in missing.items()
    )


def _missing(manifest: Manifest, annotation: str) -> dict[str, str]:
    """The annotations that an object must have and has not, or has otherwise."""
    if not manifest.id.holds_data or not isinstance(manifest.header["metadata"].get("annotations") or {}, Mapping):
        return {}
    present = _annotations(manifest)
    wanted = _argocd(present) if annotation == ARGOCD else {annotation: "disabled"}
    return {} if wanted.items() <= present.items() else wanted


def _annotations(manifest: Manifest) -> Mapping[str, Any]:
    return mapping(manifest.header["metadata"].get("annotations"))


def _argocd(annotations: Mapping[str, Any]) -> dict[str, str]:
    options = _options(annotations.get(ARGOCD))
    wanted = {ARGOCD: options}
    if _CONFIRMED not in options.split(","):
        compared = _words(annotations.get(COMPARISON))
        wanted[COMPARISON] = ",".join(compared if _IGNORED in compared else (*compared, _IGNORED))
    return wanted


def _options(present: Any) -> str:
    """The sync options with one value for each of `_OPTIONS`, at the end if there was none to keep."""
    kept = [
        word
        for word in _words(present)
        if word.partition("=")[0] not in (*_OPTIONS, "Force") or word.endswith("=confirm")
    ]
    named = {word.partition("=")[0] for word in kept}
    return ",".join([*kept, *(f"{option}=false" for option in _OPTIONS if option not in named)])


def _words(present: Any) -> list[str]:
    """The options in an annotation, without empty ones."""
    return [word for text in str(present or "").split(",") if (word := text.strip())]
