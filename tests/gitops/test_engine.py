from __future__ import annotations

from cluster_forge.gitops import engine
from cluster_forge.manifests.part import Part


def test_argo_cd_is_found_by_its_crd(parts: tuple[Part, ...], argo: Part) -> None:
    assert engine.find(parts) is argo
    assert engine.find(parts[:1]) is None


def test_its_namespace_is_that_of_its_part_or_the_default(parts: tuple[Part, ...]) -> None:
    assert engine.namespace(parts) == "argocd"
    assert engine.namespace(()) == "argocd"
