from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.gitops import engine
from cluster_forge.gitops.engine import Delivery
from cluster_forge.gitops.parts import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, ImageSettings, RepositorySource, Stack

NONE, ARGOCD, FLUX = GitOpsEngine.NONE, GitOpsEngine.ARGOCD, GitOpsEngine.FLUX


def test_flux_comes_later() -> None:
    with pytest.raises(DescriptionError, match="flux comes later"):
        engine.check_engine(Stack(name="a", gitops=GitOps(engine=FLUX)))


@pytest.mark.parametrize("source", [RepositorySource.EXTERNAL, RepositorySource.OCI])
def test_a_source_outside_of_the_cluster_needs_an_address(source: RepositorySource) -> None:
    with pytest.raises(DescriptionError, match="needs an address") as caught:
        engine.check_engine(Stack(name="a", gitops=GitOps(source=source)))
    assert caught.value.fix
    engine.check_engine(Stack(name="a", gitops=GitOps(source=source, url="https://git.example.com/a.git")))
    engine.check_engine(Stack(name="a", gitops=GitOps(engine=NONE, source=source)))


def test_an_image_has_its_repository_as_address() -> None:
    image = ImageSettings(repository="registry.example.com/a")
    assert engine.address(Stack(name="a", image=image, gitops=GitOps(source=RepositorySource.OCI))) == image.repository


def test_delivery_follows_from_the_description_and_from_what_the_stack_holds(parts: tuple[Part, ...]) -> None:
    without = parts[:1]
    assert engine.delivery(Stack(name="a"), parts) is Delivery.INSTALL
    assert engine.delivery(Stack(name="a"), without) is Delivery.DIRECT
    assert engine.delivery(Stack(name="a", gitops=GitOps(engine=NONE)), parts) is Delivery.DIRECT
    assert engine.delivery(Stack(name="a", gitops=GitOps(install=False)), without) is Delivery.EXISTING
