"""Changes of the description on all objects of a real stack: each changes what it says, everywhere, and nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import emitter, facts, images
from cluster_forge.manifests.comparison import fields
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.changes import Changes, DeclaredPatch, ImageChange, PatchTarget, PodChanges
from cluster_forge.stages.build.assembly.declared_changes import DeclaredChanges

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

EXPECTED = re.compile(
    r"metadata\.(labels|annotations)\b.*|spec(\.jobTemplate\.spec)?\.template\.metadata(\.(labels|annotations)\b.*)?"
    r"|spec(\.jobTemplate\.spec)?(\.template\.spec)?\.(nodeSelector|tolerations|imagePullSecrets|priorityClassName)\b.*"
    r"|spec\.revisionHistoryLimit"
)
"""The paths that labels, annotations, changes of Pod templates and the patch of the test may change."""


def changed(forged: Forged, changes: Changes) -> tuple[DeclaredChanges, list[tuple[Manifest, Manifest]]]:
    """Every object before and after."""
    objects: dict[ComponentName, list[Manifest]] = defaultdict(list)
    known = {component.name for component in forged.stack.components}
    for manifest in forged.manifests:
        if manifest.provenance.component in known:
            objects[manifest.provenance.component].append(manifest)
    for name in known:
        objects.setdefault(name, [])
    applying = DeclaredChanges(replace(forged.stack, changes=changes), objects)
    applied = applying.applied()
    return applying, [
        pair for name, manifests in objects.items() for pair in zip(manifests, applied[name], strict=True)
    ]


def test_every_image_is_changed_wherever_it_is(everything: Forged) -> None:
    references = {
        use.reference.name: use.reference for manifest in everything.manifests for use in images.of(manifest.body)
    }
    assert len(references) > 100
    table = {name: ImageChange(name=f"mirror.example.com/{one.repository}") for name, one in references.items()}
    applying, pairs = changed(everything, Changes(images=table))
    assert list(applying.findings()) == []
    for before, after in pairs:
        expected = {
            (use.path, str(replace(use.reference, registry="mirror.example.com"))) for use in images.of(before.body)
        }
        assert {(use.path, str(use.reference)) for use in images.of(after.body)} == expected, before.id


def test_nothing_else_is_changed(everything: Forged) -> None:
    patch = DeclaredPatch(
        target=PatchTarget(kind="Deployment", group="apps"), body={"spec": {"revisionHistoryLimit": 2}}
    )
    pods = PodChanges(
        node_selector={"disk": "ssd"},
        tolerations=({"key": "spot", "operator": "Exists"},),
        priority_class_name="high",
        image_pull_secrets=("login",),
    )
    changes = Changes(labels={"team": "a"}, annotations={"example.com/owner": "b"}, pods=pods, patches=(patch,))
    _, pairs = changed(everything, changes)
    for before, after in pairs:
        differences = fields.changes(before.body, after.body)
        assert all(EXPECTED.fullmatch(one.path) for one in differences), (before.id, differences)
        assert after.body["metadata"]["labels"]["team"] == "a"
        assert after.text.decode() == emitter.document(after.body)
        assert after.facts == facts.of_changed(after.body, before.facts)


def test_labels_of_selectors_stay(everything: Forged) -> None:
    applying, pairs = changed(everything, Changes(labels={"app.kubernetes.io/name": "other"}))
    [finding] = applying.findings()
    assert "selectors use the label" in finding.message
    for before, after in pairs:
        labels = before.body["metadata"].get("labels") or {}
        name = labels.get("app.kubernetes.io/name", "other")
        assert after.body["metadata"]["labels"]["app.kubernetes.io/name"] == name
