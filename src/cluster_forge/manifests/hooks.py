"""Hooks: objects that are applied at certain events only, in Helm's annotations and in Argo CD's.

Sources: Helm, "Chart Hooks"; Argo CD, "Sync Phases and Waves" and "Helm" ("Helm Hooks"); gitops-engine, ``pkg/sync/hook``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.manifests.identity import ObjectId

BEFORE_INSTALL: Final = frozenset({"pre-install", "crd-install"})
AFTER_INSTALL: Final = frozenset({"post-install"})
_TEST: Final = frozenset({"test", "test-success", "test-failure"})

_HELM, _ARGOCD = "helm.sh/", "argocd.argoproj.io/"
ANNOTATIONS: Final = (f"{_HELM}hook", f"{_ARGOCD}hook")
"""The annotations that make an object a hook, and the beginnings of the others about hooks."""

_LARGEST: Final = 2**63
"""Weights from here on are not numbers to Helm, nor to the JSON of the record."""


class HookUse(StrEnum):
    """When an object is applied."""

    NONE = "none"
    """Not a hook: with everything else."""
    INSTALL = "install"
    """At an installation, before or after the rest."""
    LATER = "later"
    """Only at an upgrade, a rollback or a deletion: kept as data, not applied."""
    TEST = "test"
    """Only by ``helm test``: never part of a stack."""


class Phase(StrEnum):
    """The phases of a sync by Argo CD."""

    PRE_SYNC = "PreSync"
    SYNC = "Sync"
    SKIP = "Skip"
    POST_SYNC = "PostSync"
    SYNC_FAIL = "SyncFail"
    PRE_DELETE = "PreDelete"
    POST_DELETE = "PostDelete"


class DeletePolicy(StrEnum):
    """When a hook's object is deleted."""

    BEFORE_CREATION = "before-hook-creation"
    """Before the hook runs again: the default of Helm and of Argo CD."""
    SUCCEEDED = "hook-succeeded"
    FAILED = "hook-failed"


_PHASES: Final = MappingProxyType(
    {
        "crd-install": Phase.PRE_SYNC,
        "pre-install": Phase.PRE_SYNC,
        "pre-upgrade": Phase.PRE_SYNC,
        "post-install": Phase.POST_SYNC,
        "post-upgrade": Phase.POST_SYNC,
        "pre-delete": Phase.PRE_DELETE,
        "post-delete": Phase.POST_DELETE,
    }
)
"""What Argo CD makes of Helm's events; it ignores the others."""

_POLICIES: Final = MappingProxyType(
    {
        "BeforeHookCreation": DeletePolicy.BEFORE_CREATION,
        "HookSucceeded": DeletePolicy.SUCCEEDED,
        "HookFailed": DeletePolicy.FAILED,
        **{policy.value: policy for policy in DeletePolicy},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What an object's annotations say about hooks; without any, the object is not a hook.

    ``events`` are Helm's. ``phases`` are Argo CD's: its own annotation, or what it makes of Helm's. Hooks of lower
    ``weight`` run first; ``sync_wave`` is what Argo CD goes by. ``delete_policies`` are empty for an ordinary object, and for
    one that holds data: it must never be deleted. ``has_delete_policy`` is false where they are the default.
    """

    events: frozenset[str] = frozenset()
    phases: frozenset[Phase] = frozenset()
    weight: int = 0
    sync_wave: int = 0
    delete_policies: frozenset[DeletePolicy] = frozenset()
    has_delete_policy: bool = False


_NO_HOOK: Final = Hook()
_DEFAULT: Final = frozenset({DeletePolicy.BEFORE_CREATION})


def of(body: Mapping[str, Any]) -> Hook:
    """The hook that an object is. Annotations that are not a mapping, and values that are not text, say nothing."""
    annotations = body["metadata"].get("annotations")
    if not isinstance(annotations, dict) or not annotations:
        return _NO_HOOK
    helm = events(annotations.get(f"{_HELM}hook"))
    phases = {phase for phase in Phase if phase.value in events(annotations.get(f"{_ARGOCD}hook"))}
    weight = _number(annotations.get(f"{_HELM}hook-weight"))
    is_deletable = bool(helm or phases) and not ObjectId.of(body).holds_data
    policies = _policies(annotations) if is_deletable else frozenset()
    return Hook(
        events=helm,
        phases=frozenset(phases or {_PHASES[event] for event in helm if event in _PHASES}),
        weight=weight,
        sync_wave=_number(annotations.get(f"{_ARGOCD}sync-wave"), weight),
        delete_policies=policies or (_DEFAULT if is_deletable else frozenset()),
        has_delete_policy=bool(policies),
    )


def events(text: object) -> frozenset[str]:
    """The words of an annotation such as ``pre-install,pre-upgrade``; none for a value that is not text."""
    return frozenset(word.strip() for word in text.split(",")) - {""} if isinstance(text, str) else frozenset()


def use_of(hook: str) -> HookUse:
    """When an object is applied that is a hook for these events of Helm, comma-separated."""
    known = events(hook)
    if not known:
        return HookUse.NONE
    if known & (BEFORE_INSTALL | AFTER_INSTALL):
        return HookUse.INSTALL
    return HookUse.TEST if known <= _TEST else HookUse.LATER


def _policies(annotations: Mapping[str, Any]) -> frozenset[DeletePolicy]:
    """Argo CD's annotation, else Helm's; none where neither says anything."""
    for key in (f"{_ARGOCD}hook-delete-policy", f"{_HELM}hook-delete-policy"):
        policies = frozenset(_POLICIES[word] for word in events(annotations.get(key)) if word in _POLICIES)
        if policies:
            return policies
    return frozenset()


def _number(value: Any, default: int = 0) -> int:
    """The number, or ``default`` where there is none that Helm could read."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if -_LARGEST <= number < _LARGEST else default
