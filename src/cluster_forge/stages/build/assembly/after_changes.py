"""What smelt does to an object after the description has changed it: what a patch cannot undo."""

from __future__ import annotations

from typing import Final

from cluster_forge.manifests import hooks, retention
from cluster_forge.manifests.hooks import HookUse
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.model import GitOpsEngine, Stack
from cluster_forge.stages.build.assembly import data_hooks

_NOT_APPLIED: Final = frozenset({HookUse.LATER, HookUse.TEST})


def retention_annotation(stack: Stack) -> str:
    """The annotation by which the stack's GitOps engine never deletes what holds data."""
    return retention.FLUX if stack.gitops.engine is GitOpsEngine.FLUX else retention.ARGOCD


def undone(before: Manifest, after: Manifest, stack: Stack) -> str:
    """Why smelt would not make ``after`` of ``before``, whatever patch says so; empty if it would."""
    annotation = retention_annotation(stack)
    annotations = retention.retained(after, annotation).header["metadata"].get("annotations") or {}
    if annotations != (after.header["metadata"].get("annotations") or {}):
        key = annotation if annotations[annotation] != _annotation(after, annotation) else retention.COMPARISON
        return f"it holds data, so smelt writes `{key}: {annotations[key]}` again"
    if is_unhooked(before, after):
        return "it holds data, so smelt takes out the annotations that make it a hook"
    used, former = (hooks.use_of(one.facts.hook) for one in (after, before))
    if used in _NOT_APPLIED and used is not former:
        return f"smelt does not apply hooks for `{after.facts.hook}`, so it would leave the folder"
    return ""


def is_unhooked(before: Manifest, after: Manifest) -> bool:
    """Whether a change made a hook of an object that holds data, which smelt makes an ordinary object again, unless other
    hooks need it.
    """
    return _is_made_ordinary(after) and not _is_made_ordinary(before)


def _annotation(manifest: Manifest, key: str) -> object:
    return (manifest.header["metadata"].get("annotations") or {}).get(key)


def _is_made_ordinary(manifest: Manifest) -> bool:
    (settled,) = data_hooks.settled([manifest])
    return settled is not manifest
