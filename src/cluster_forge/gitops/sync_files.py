"""The folder of the repository with what a GitOps engine syncs by: Argo CD's Applications, or Flux's Kustomizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cluster_forge.gitops import revision as revisions
from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.flux import kustomizations
from cluster_forge.manifests import emitter
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOpsEngine, Stack

FOLDERS: Final = MappingProxyType({GitOpsEngine.ARGOCD: applications.FOLDER, GitOpsEngine.FLUX: kustomizations.FOLDER})
"""The folder of each engine; kubectl alone has none."""


def of(stack: Stack, parts: Sequence[Part]) -> tuple[Mapping[str, bytes], str]:
    """The files by their paths, and the revision (a tag) that the stack is pinned to."""
    if stack.gitops.engine is GitOpsEngine.FLUX:
        return _flux(stack, parts)
    unpinned = applications.applications(stack, parts, "")
    revision = revisions.of(parts, map(emitter.document, unpinned))
    files = {
        f"{applications.FOLDER}/{applications.file_name(application, stack, parts)}": emitter.document(
            applications.pinned(stack, application, revision)
        ).encode()
        for application in unpinned
    }
    return files, revision


def _flux(stack: Stack, parts: Sequence[Part]) -> tuple[Mapping[str, bytes], str]:
    unpinned = kustomizations.files(stack, parts, "")
    revision = revisions.of(parts, (content.decode() for _, content in sorted(unpinned.items())))
    return kustomizations.files(stack, parts, revision), revision
