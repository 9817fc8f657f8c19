"""Registries under ``--offline``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import OfflineError
from cluster_forge.oci.image import Descriptor
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.registry import StoredManifest


class OfflineRegistry:
    """Takes the place of `reader.RegistryReader`; every method raises `OfflineError`."""

    def tags(self, repository: ImageReference) -> Sequence[str]:
        _refuse(repository)

    def digest(self, reference: ImageReference) -> Digest | None:
        _refuse(reference)

    def manifest(self, reference: ImageReference) -> StoredManifest:
        _refuse(reference)

    def blob(self, repository: ImageReference, blob: Descriptor, write: Callable[[bytes], object]) -> None:  # noqa: ARG002 - the port's
        _refuse(repository)

    def referrers(self, subject: ImageReference, artifact_type: str = "") -> Sequence[Descriptor]:  # noqa: ARG002 - the port's
        _refuse(subject)


def _refuse(reference: ImageReference) -> NoReturn:
    raise OfflineError(
        f"--offline: {reference.address} is not in the store and may not be downloaded",
        fix="run `cluster-forge mine` once without --offline, or use a mirror that has it: --mirror DIR",
    )
