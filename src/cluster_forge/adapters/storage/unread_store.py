"""A store that has nothing: everything is fetched again."""

from __future__ import annotations

from cluster_forge.foundation.digest import Digest


class UnreadStore:
    """`ports.Store` that has nothing, and keeps nothing."""

    def get(self, digest: Digest) -> bytes | None:  # noqa: ARG002 - the port's
        return None

    def put(self, content: bytes) -> Digest:
        return Digest.of(content)
