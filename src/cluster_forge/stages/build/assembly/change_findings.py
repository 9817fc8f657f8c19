"""The findings about changes of the description that change nothing, or whose objects are not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster_forge.foundation.names import ComponentName, counted, listed
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.patches.declared_change import DeclaredChange
from cluster_forge.stack.saved_folders import patches_folder

_INEFFECTIVE: Final = "ineffective-patch"
_SHOWN: Final = 3
_AUTOSCALER: Final = ("autoscaling", "HorizontalPodAutoscaler")
_RETAINED: Final = "what holds data keeps the annotations by which a GitOps engine does not delete it"
_NOT_A_HOOK: Final = "what holds data cannot be a hook: a GitOps engine deletes hooks, and the data with them"
_CONFIRM: Final = (
    "remove it; Argo CD's `Prune=confirm` and `Delete=confirm` are kept: a person is asked before anything is deleted"
)


@dataclass(slots=True, kw_only=True)
class Use:
    """A change of a component, or of the whole stack (None), and the objects that it concerned so far.

    ``refused`` are the places that stay as they are, ``restored`` the objects that hold data and are kept by what it changed,
    ``unhooked`` those of which it made hooks that are ordinary objects again.
    """

    change: DeclaredChange
    component: ComponentName | None
    concerned: list[ObjectId] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    unhooked: list[ObjectId] = field(default_factory=list)
    has_changed: bool = False


def of(use: Use, manifests: Sequence[Manifest], elsewhere: str) -> Iterator[Finding]:
    """What there is to say about a change after it was applied to ``manifests``.

    ``elsewhere`` is another component that has what the change is for; empty if none has.
    """
    change = use.change
    if not use.concerned:
        yield _missing(use, manifests, elsewhere)
    elif use.refused:
        message = f"`{change}` stays as it is in {counted(len(use.refused), 'place')}: {_reason(change)} ({listed(use.refused, _SHOWN)})"
        fix = "use another key" if change.key == "labels" else "change it by a value of the chart, or by a patch"
        yield _ineffective(use, message, fix)
    elif use.restored:
        yield _taken_back(use, use.restored, _RETAINED, _CONFIRM)
    elif use.unhooked:
        yield _taken_back(use, list(map(str, use.unhooked)), _NOT_A_HOOK, "remove the annotations that make it a hook")
    elif not use.has_changed:
        has = "has" if len(use.concerned) == 1 else "have"
        message = f"`{change}` changes nothing: {counted(len(use.concerned), 'object')} {has} it already"
        yield _ineffective(use, message, "remove it")
    yield from _names_beside_target(use)
    if change.key == "replicas":
        yield from _autoscaled(use, manifests)


def _taken_back(use: Use, objects: Sequence[str], reason: str, fix: str) -> Finding:
    places = f"{counted(len(objects), 'object')}: {reason} ({listed(objects, _SHOWN)})"
    return _ineffective(use, f"`{use.change}` is taken back in {places}", fix)


def _names_beside_target(use: Use) -> Iterator[Finding]:
    """A warning if a patch with a target names another object than those it changes: kustomize does not look at the names."""
    others = [
        f"`{key}: {name}`"
        for key, name in use.change.named.items()
        if any(getattr(identity, key.rpartition(".")[2]) != name for identity in use.concerned)
    ]
    if others:
        message = f"`{use.change}` has a target, so {' and '.join(others)} in the patch {'does' if len(others) == 1 else 'do'} not count"
        yield _ineffective(use, message, "remove it from the patch; to change that object alone, remove the target")


def _missing(use: Use, manifests: Sequence[Manifest], elsewhere: str) -> Finding:
    change = use.change
    if change.key == "patches":
        message = f"no object is selected by `{change}`"
    else:
        message = f"no object has what is named in `{change}`"
    fix = "correct it, or remove it"
    if elsewhere:
        message += f": it is one of the component {elsewhere}"
        is_saved = bool(use.component) and change.where.startswith(f"{patches_folder(str(use.component))}/")
        fix = (
            f"move the file to {patches_folder(elsewhere)}/"
            if is_saved
            else f"write it in the entry of {elsewhere}, or for the whole stack"
        )
    else:
        message += change.hint(manifests)
    if not change.is_required:
        return _ineffective(use, message, fix)
    return Finding(
        code="patch-target-missing",
        severity=Severity.ERROR,
        component=use.component,
        where=change.where,
        message=message,
        fix=fix,
    )


def _autoscaled(use: Use, manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """A warning if an autoscaler sets the number of replicas: the API server keeps that of the description until it does."""
    for manifest in manifests:
        if (manifest.id.group, manifest.id.kind) != _AUTOSCALER:
            continue
        target = mapping(mapping(manifest.body.get("spec")).get("scaleTargetRef"))
        for scaled in use.concerned:
            if (scaled.kind, scaled.name, scaled.namespace) == (
                target.get("kind"),
                target.get("name"),
                manifest.id.namespace,
            ):
                message = f"`{use.change}`: {manifest.id} sets the replicas of {scaled}"
                yield _ineffective(use, message, "patch its `minReplicas` and `maxReplicas` instead")


def _ineffective(use: Use, message: str, fix: str) -> Finding:
    return Finding(
        code=_INEFFECTIVE,
        severity=Severity.WARNING,
        component=use.component,
        where=use.change.where,
        message=message,
        fix=fix,
    )


def _reason(change: DeclaredChange) -> str:
    if change.key == "labels":
        return "selectors use the label, and nothing may be selected otherwise than before"
    return "the image is split over fields, and none of them is for a digest or a tag"
