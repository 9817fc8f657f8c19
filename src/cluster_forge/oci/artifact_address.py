"""Addresses of folders in artifacts of OCI registries: ``oci://host/team/repo:v1//catalog``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.git_addresses import inner_path
from cluster_forge.oci.reference import SCHEME, ImageReference

EXAMPLE: Final = "oci://registry.example.com/team/repo:v1//path"
_SHA256: Final = "sha256:"
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactAddress:
    """A folder of the files in an artifact; ``path`` is empty for all of them."""

    reference: ImageReference
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``oci://host/team/repo:TAG//path``, also ``@sha256:…``; ``//path`` may be left out.

        Raises:
            ValueError: for anything else; the text says what is wrong.
        """
        place, _, path = text.removeprefix(SCHEME).partition("//")
        if not text.startswith(SCHEME) or len(text) > _LONGEST:
            raise ValueError(f"it is not an address like {EXAMPLE}")
        try:
            reference = ImageReference.from_address(SCHEME + place)
        except ImageError as error:
            raise ValueError(error.message.partition(": ")[2] or error.fix) from error
        if not reference.tag and not reference.digest:
            raise ValueError("it has neither a tag nor a digest")
        return cls(reference=reference, path=inner_path(path))

    @classmethod
    def at(cls, key: str, ref: str) -> Self:
        """The address with this `key` and `ref`.

        Raises:
            ValueError: if there is none.
        """
        place, slashes, path = key.removeprefix(SCHEME).partition("//")
        mark = "@" if ref.startswith(_SHA256) else ":"
        return cls.parse(f"{SCHEME if key.startswith(SCHEME) else ''}{place}{mark}{ref}{slashes}{path}")

    @property
    def ref(self) -> str:
        """Its tag, its digest, or ``TAG@DIGEST``."""
        return self.reference.address.removeprefix(self.reference.bare.address)[1:]

    @property
    def key(self) -> str:
        """The address without `ref`, as the lock has it."""
        return self.reference.bare.address + self._path

    def __str__(self) -> str:
        return self.reference.address + self._path

    @property
    def _path(self) -> str:
        return f"//{self.path}" if self.path else ""
