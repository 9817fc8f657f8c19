"""What the engine's objects are pinned to: a tag that is made from the content of a stack.

The tag is computed from files and settings: an object in a commit cannot name the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cluster_forge.foundation.digest import Digest
from cluster_forge.manifests.part import Part
from cluster_forge.oci import artifact, image_content
from cluster_forge.stack.model import RepositorySource, Stack


def of(parts: Sequence[Part], unpinned: Iterable[str]) -> str:
    """A tag for this content: every file of every part, and the texts of the engine's objects, which are not pinned yet."""
    lines = sorted(f"{item.digest} {item.path}\n" for part in parts for item in part.objects)
    return f"v-{Digest.of(''.join((*lines, *unpinned)).encode()).hex[:12]}"


def tag(stack: Stack, revision: str) -> str:
    """The tag that has a revision: of the Git repository, or of what `push` sends for GitOps engines (ADR 0031)."""
    return artifact.manifests_tag(revision) if stack.gitops.source is RepositorySource.OCI else revision


def folder(stack: Stack) -> str:
    """Where the files of the stack are in what the engine reads; empty for its root."""
    return image_content.MANIFESTS if stack.gitops.source is RepositorySource.OCI else stack.gitops.path
