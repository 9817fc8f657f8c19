"""What holds data keeps an annotation that no GitOps engine deletes it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import hooks, retention
from cluster_forge.manifests.manifest import Manifest, Provenance

FROM = Provenance(component=ComponentName("db"), origin="a.yaml:1")
CRDS = "apiextensions.k8s.io/v1"


def manifest(kind: str, api: str = "v1", **metadata: Any) -> Manifest:
    return Manifest.of({"apiVersion": api, "kind": kind, "metadata": {"name": "x", **metadata}}, FROM)


@pytest.mark.parametrize(
    ("kind", "api", "is_kept"),
    [
        ("Namespace", "v1", True),
        ("PersistentVolumeClaim", "v1", True),
        ("PersistentVolume", "v1", True),
        ("CustomResourceDefinition", CRDS, True),
        ("CustomResourceDefinition", "apiextensions.k8s.io/v1beta1", True),
        ("VolumeSnapshot", "snapshot.storage.k8s.io/v1", True),
        ("VolumeSnapshotContent", "snapshot.storage.k8s.io/v1", True),
        ("VolumeSnapshotClass", "snapshot.storage.k8s.io/v1", False),
        ("Namespace", "example.com/v1", False),
        ("Secret", "v1", False),
    ],
)
def test_what_holds_data_is_annotated(kind: str, api: str, is_kept: bool) -> None:
    retained = retention.retained(manifest(kind, api), retention.ARGOCD)
    annotations = retained.body["metadata"].get("annotations", {})
    kept = {retention.ARGOCD: "Prune=false,Delete=false", retention.COMPARISON: "IgnoreExtraneous"}
    assert annotations == (kept if is_kept else {})
    assert (b"Prune=false" in retained.text) == is_kept


@pytest.mark.parametrize(
    ("present", "merged"),
    [
        (None, "Prune=false,Delete=false"),
        ("", "Prune=false,Delete=false"),
        ("ServerSideApply=true, Replace=true", "ServerSideApply=true,Replace=true,Prune=false,Delete=false"),
        ("Prune=false", "Prune=false,Delete=false"),
        ("Prune=true,Delete=true", "Prune=false,Delete=false"),
        ("Prune=confirm", "Prune=confirm,Delete=false"),
        ("Force=true,Replace=true", "Replace=true,Prune=false,Delete=false"),
        ("Delete=confirm,,PruneLast=true", "Delete=confirm,PruneLast=true,Prune=false"),
    ],
)
def test_other_options_stay(present: Any, merged: str) -> None:
    retained = retention.retained(
        manifest("Namespace", annotations={retention.ARGOCD: present, "team": "a"}), retention.ARGOCD
    )
    annotations = {**retained.body["metadata"]["annotations"]}
    annotations.pop(retention.COMPARISON, None)
    assert annotations == {retention.ARGOCD: merged, "team": "a"}


@pytest.mark.parametrize(
    ("present", "merged"),
    [
        (None, "IgnoreExtraneous"),
        ("ServerSideDiff=true", "ServerSideDiff=true,IgnoreExtraneous"),
        ("IgnoreExtraneous, ServerSideDiff=true", "IgnoreExtraneous,ServerSideDiff=true"),
    ],
)
def test_what_stays_behind_does_not_count_as_a_difference(present: Any, merged: str) -> None:
    """On a real Argo CD the Application was OutOfSync for ever once a Namespace had left the stack."""
    given = manifest("Namespace", annotations={retention.COMPARISON: present})
    assert retention.retained(given, retention.ARGOCD).body["metadata"]["annotations"][retention.COMPARISON] == merged


def test_what_a_person_confirms_is_a_difference_until_then() -> None:
    given = manifest("Namespace", annotations={retention.ARGOCD: "Prune=confirm"})
    assert retention.COMPARISON not in retention.retained(given, retention.ARGOCD).body["metadata"]["annotations"]


def test_annotating_twice_changes_nothing() -> None:
    once = retention.retained(manifest("Namespace", annotations=None), retention.ARGOCD)
    assert retention.retained(once, retention.ARGOCD) is once


def test_a_hook_that_holds_data_has_no_delete_policy() -> None:
    notes = {"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "hook-succeeded"}
    assert hooks.of(manifest("PersistentVolumeClaim", annotations=notes).body).delete_policies == frozenset()
    assert hooks.of(manifest("Secret", annotations=notes).body).delete_policies
