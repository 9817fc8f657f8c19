"""Helm hooks: which objects an installation runs, which only later events do, and which are never shipped.

Source of the events: Helm, "Chart Hooks". Argo CD maps those of an installation itself (Argo CD, "Helm", "Helm Hooks").
"""

from __future__ import annotations

from enum import StrEnum

from cluster_forge.manifests.manifest import Manifest

_TEST = frozenset({"test", "test-success", "test-failure"})
_INSTALL = frozenset({"pre-install", "post-install", "crd-install"})


class HookUse(StrEnum):
    """When an object is applied."""

    NONE = "none"
    """No hook: with everything else."""
    INSTALL = "install"
    """At an installation, before or after the rest."""
    LATER = "later"
    """Only at an upgrade, a rollback or a deletion: kept as data, not applied."""
    TEST = "test"
    """Only by ``helm test``: never part of a stack."""


def events(manifest: Manifest) -> frozenset[str]:
    """The events that the object is a hook for; empty for an ordinary object."""
    return frozenset(manifest.facts.hook.split(",")) - {""}


def use_of(manifest: Manifest) -> HookUse:
    """When the object is applied."""
    found = events(manifest)
    if not found:
        return HookUse.NONE
    if found & _INSTALL:
        return HookUse.INSTALL
    return HookUse.TEST if found <= _TEST else HookUse.LATER
