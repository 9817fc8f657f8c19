"""Hooks: when an object is applied, in which order, and when it is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.manifests import hooks
from cluster_forge.manifests.hooks import DeletePolicy, Hook, HookUse, Phase

DEFAULT = frozenset({DeletePolicy.BEFORE_CREATION})


def hook(annotations: object) -> Hook:
    return hooks.of({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x", "annotations": annotations}})


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("", HookUse.NONE),
        ("pre-install", HookUse.INSTALL),
        ("crd-install", HookUse.INSTALL),
        ("post-install,post-upgrade", HookUse.INSTALL),
        ("pre-upgrade , pre-install", HookUse.INSTALL),
        ("pre-upgrade", HookUse.LATER),
        ("pre-delete,post-delete", HookUse.LATER),
        ("post-rollback", HookUse.LATER),
        ("test", HookUse.TEST),
        ("test-success", HookUse.TEST),
        ("test,pre-delete", HookUse.LATER),
    ],
)
def test_use_follows_from_the_events(text: str, use: HookUse) -> None:
    assert hooks.use_of(text) is use


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("pre-install, post-install", {"pre-install", "post-install"}),
        (" test ,, ", {"test"}),
        ("", set()),
        (None, set()),
        (["test"], set()),
    ],
)
def test_events_are_split_at_commas(text: object, events: set[str]) -> None:
    assert hooks.events(text) == events
    assert hook({"helm.sh/hook": text}).events == events


@pytest.mark.parametrize(
    ("weight", "number"), [("-5", -5), ("7", 7), ("many", 0), (None, 0), ("9" * 20, 0), ("-" + "9" * 5_000, 0)]
)
def test_weight_is_zero_unless_a_number_that_helm_reads(weight: str | None, number: int) -> None:
    assert hook({"helm.sh/hook-weight": weight}).weight == number


@pytest.mark.parametrize("annotations", [None, {}, ["helm.sh/hook"], "text", 5, True])
def test_annotations_that_are_not_a_mapping_are_ignored(annotations: object) -> None:
    assert hook(annotations) == Hook()


@pytest.mark.parametrize(
    ("annotations", "phases"),
    [
        ({"helm.sh/hook": "pre-install,pre-upgrade"}, {Phase.PRE_SYNC}),
        ({"helm.sh/hook": "post-install,post-delete"}, {Phase.POST_SYNC, Phase.POST_DELETE}),
        ({"helm.sh/hook": "test"}, set()),
        ({"argocd.argoproj.io/hook": "Sync,SyncFail"}, {Phase.SYNC, Phase.SYNC_FAIL}),
        ({"argocd.argoproj.io/hook": "Skip", "helm.sh/hook": "pre-install"}, {Phase.SKIP}),
        ({"argocd.argoproj.io/hook": "Never", "helm.sh/hook": "pre-install"}, {Phase.PRE_SYNC}),
    ],
)
def test_phases_are_argo_cds_own_or_follow_from_helms_events(annotations: Any, phases: set[Phase]) -> None:
    assert hook(annotations).phases == phases


def test_sync_wave_is_argo_cds_own_or_the_weight() -> None:
    assert hook({"helm.sh/hook-weight": "5"}).sync_wave == 5
    assert hook({"helm.sh/hook-weight": "5", "argocd.argoproj.io/sync-wave": "-1"}).sync_wave == -1
    assert hook({"helm.sh/hook-weight": "5", "argocd.argoproj.io/sync-wave": "first"}).sync_wave == 5


@pytest.mark.parametrize(
    ("annotations", "policies"),
    [
        ({}, frozenset()),
        ({"helm.sh/hook-delete-policy": "hook-succeeded"}, frozenset()),
        ({"helm.sh/hook": "pre-install"}, DEFAULT),
        ({"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "sometimes"}, DEFAULT),
        (
            {"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"},
            DEFAULT | {DeletePolicy.SUCCEEDED},
        ),
        (
            {
                "argocd.argoproj.io/hook": "PreSync",
                "argocd.argoproj.io/hook-delete-policy": "HookFailed",
                "helm.sh/hook-delete-policy": "hook-succeeded",
            },
            {DeletePolicy.FAILED},
        ),
    ],
)
def test_delete_policies_of_hooks(annotations: Any, policies: frozenset[DeletePolicy]) -> None:
    assert hook(annotations).delete_policies == policies
