"""From kustomizations to the text of Kubernetes objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cluster_forge.manifests.remark import Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class KustomizeRequest:
    """The kustomization in ``folder`` of an archive (`foundation.tree_archives`); messages call the archive ``name``.

    ``fetched`` has the content of each remote resource by its text in the kustomization; of a base, its repository's archive.
    """

    archive: bytes
    folder: str
    name: str
    fetched: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltKustomization:
    """What ``kustomize build`` writes; ``remarks``: what it warns of."""

    text: bytes
    remarks: tuple[Remark, ...] = ()


class Kustomize(Protocol):
    """kustomize's own build. Safe to call from several threads."""

    @property
    def version(self) -> str:
        """The engine and its version: part of the fingerprint of every component with a kustomization.

        Raises:
            MissingProgramError: if there is no engine.
        """

    def build(self, request: KustomizeRequest) -> BuiltKustomization:
        """Build a kustomization; it reads only files of the archive, and runs and fetches nothing.

        Raises:
            RenderError: kustomize's own message, or that it exceeds the limit of time or memory.
            DescriptionError, ExceptionGroup: for everything that it refers to and that is not in the archive.
            ArchiveError: if the archive is damaged.
            MissingProgramError: if there is no engine.
            StoreError: if the files cannot be copied to where the engine reads them.
        """
