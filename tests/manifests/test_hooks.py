"""Helm hooks: when an object is applied."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import hooks
from cluster_forge.manifests.hooks import HookUse
from cluster_forge.manifests.manifest import Manifest, Provenance


def manifest(annotations: object) -> Manifest:
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x", "annotations": annotations}}
    return Manifest.of(body, Provenance(component=ComponentName("shop"), origin="job.yaml"))


@pytest.mark.parametrize(
    ("annotation", "use"),
    [
        (None, HookUse.NONE),
        ("", HookUse.NONE),
        ("pre-install", HookUse.INSTALL),
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
def test_use(annotation: str | None, use: HookUse) -> None:
    assert hooks.use_of(manifest({"helm.sh/hook": annotation} if annotation is not None else None)) is use


@pytest.mark.parametrize(
    ("weight", "number"), [("-5", -5), ("7", 7), ("many", 0), (None, 0), ("9" * 20, 0), ("-" + "9" * 5_000, 0)]
)
def test_weight(weight: str | None, number: int) -> None:
    assert manifest({"helm.sh/hook-weight": weight}).facts.weight == number


@pytest.mark.parametrize("annotations", [["helm.sh/hook"], "text", 5, True])
def test_annotations_that_are_no_mapping_are_none(annotations: object) -> None:
    assert hooks.use_of(manifest(annotations)) is HookUse.NONE
    assert manifest(annotations).facts.weight == 0
