from __future__ import annotations

from cluster_forge.gitops import delivery_mode
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, ImageSettings, RepositorySource, Stack

NONE, ARGOCD = GitOpsEngine.NONE, GitOpsEngine.ARGOCD


def test_the_address_of_an_image_is_its_repository() -> None:
    image = ImageSettings(repository="registry.example.com/a")
    assert (
        delivery_mode.address(Stack(name="a", image=image, gitops=GitOps(source=RepositorySource.OCI)))
        == image.repository
    )


def test_delivery_follows_from_the_description_and_the_parts(parts: tuple[Part, ...]) -> None:
    without = parts[:1]
    assert delivery_mode.delivery(Stack(name="a"), parts) is Delivery.INSTALL
    assert delivery_mode.delivery(Stack(name="a"), without) is Delivery.DIRECT
    assert delivery_mode.delivery(Stack(name="a", gitops=GitOps(engine=NONE)), parts) is Delivery.DIRECT
    assert delivery_mode.delivery(Stack(name="a", gitops=GitOps(install=False)), without) is Delivery.EXISTING
