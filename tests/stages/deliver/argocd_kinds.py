"""The kinds of Argo CD, as a cluster has them."""

from __future__ import annotations

from tests.gitops.conftest import crd

KINDS = [
    crd(
        f"{plural}.argoproj.io",
        group="argoproj.io",
        names={"kind": kind, "plural": plural},
        scope="Namespaced",
        versions=[{"name": "v1alpha1", "served": True, "storage": True}],
    )
    for kind, plural in (
        ("Application", "applications"),
        ("AppProject", "appprojects"),
        ("ApplicationSet", "applicationsets"),
    )
]
