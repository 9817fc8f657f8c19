"""Stacks of a few objects, as checks see them."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.model import KubernetesVersion, Stack, Target


def checked_stack(manifests: Sequence[Manifest], *, minor: int = 33) -> CheckedStack:
    """A stack of these objects for Kubernetes 1.``minor``, all in one wave."""
    target = Target(kubernetes=KubernetesVersion(1, minor))
    return CheckedStack(Stack(name="shop", target=target), manifests, waves={})
