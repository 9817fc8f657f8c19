"""How a layer is compressed."""

from __future__ import annotations

from enum import StrEnum


class Compression(StrEnum):
    GZIP = "gzip"
    ZSTD = "zstd"

    @property
    def media_type(self) -> str:
        return f"application/vnd.oci.image.layer.v1.tar+{self.value}"
