"""SHA-256 digests as OCI writes them: ``sha256:<64 hex digits>``."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_HEX = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest (OCI image spec, ``descriptor.md``, "Digests")."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.match(self.hex):
            raise ValueError(f"not a sha256 digest: {self.hex!r}")

    @classmethod
    def of(cls, content: bytes) -> Digest:
        return cls(hashlib.sha256(content).hexdigest())

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``sha256:<hex>`` or the bare hex digits.

        Raises:
            ValueError: for anything else, including other algorithms.
        """
        return cls(text.removeprefix("sha256:").lower())

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    def to_plain(self) -> str:
        return str(self)

    @classmethod
    def from_plain(cls, value: object) -> Digest:
        """Read what `to_plain` gave, or the bare hex digits.

        Raises:
            ValueError: for anything else.
        """
        if not isinstance(value, str):
            raise ValueError(f"not a sha256 digest: {value!r}")  # noqa: TRY004 - one error for everything that is damaged
        return cls.parse(value)
