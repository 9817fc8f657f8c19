"""Which objects a patch changes, and which one was meant where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.patches import patch_target
from cluster_forge.patches.patch_target import Named, Selected
from cluster_forge.stack.changes import PatchTarget


def manifest(kind: str, name: str, *, namespace: str = "shop", version: str = "apps/v1", **labels: str) -> Manifest:
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace, "labels": labels}}
    return Manifest.of(body, Provenance(component=ComponentName("shop"), origin="a.yaml"))


WEB = manifest("Deployment", "web", tier="front")
DATABASE = manifest("StatefulSet", "db", tier="back")
SERVICE = manifest("Service", "web", version="v1")
ALL = [WEB, DATABASE, SERVICE]


@pytest.mark.parametrize(
    ("target", "selected"),
    [
        ({"kind": "Deployment"}, [WEB]),
        ({"kind": ".*Set|Deployment"}, [WEB, DATABASE]),
        ({"name": "we"}, []),
        ({"group": "apps", "name": "w.*"}, [WEB]),
        ({"version": "v1", "namespace": "sho[p]"}, ALL),
        ({"label_selector": "tier in (front, back)"}, [WEB, DATABASE]),
        ({"kind": "Deployment", "label_selector": "tier=back"}, []),
        ({"annotation_selector": "!x", "name": "db"}, [DATABASE]),
    ],
)
def test_patterns_select_whole_texts(target: dict[str, str], selected: list[Manifest]) -> None:
    chosen = Selected(target=PatchTarget(**target))
    assert [one for one in ALL if chosen.matches(one)] == selected


def named(**changes: Any) -> Named:
    metadata = {
        "name": changes.pop("name", "web"),
        **({"namespace": changes.pop("namespace")} if "namespace" in changes else {}),
    }
    return Named.of({"apiVersion": "apps/v1", "kind": "Deployment", **changes, "metadata": metadata})


@pytest.mark.parametrize(
    ("target", "end"),
    [
        (named(name="wep"), ", did you mean Deployment.apps/shop/web?"),
        (named(namespace="shops"), ", did you mean Deployment.apps/shop/web?"),
        (
            named(apiVersion="apps/v1beta1"),
            ": Deployment.apps/shop/web is there as apps/v1, whose fields may be others",
        ),
        (named(name="x", kind="Ingress", apiVersion="networking.k8s.io/v1"), ""),
        (Selected(target=PatchTarget(kind="Deployment", name="wbe")), ", did you mean Deployment.apps/shop/web?"),
        (Selected(target=PatchTarget(kind="StatefulSet", name="x")), ", did you mean StatefulSet.apps/shop/db?"),
        (Selected(target=PatchTarget(kind="Nothing")), ""),
    ],
)
def test_the_object_that_was_meant_is_named(target: Named | Selected, end: str) -> None:
    assert not any(map(target.matches, ALL))
    assert patch_target.hint(target, ALL) == end
