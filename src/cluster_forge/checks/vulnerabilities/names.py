"""The names of one image, and whether another name is one of them."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_forge.foundation.errors import ImageError
from cluster_forge.oci.reference import ImageReference


class ImageNames:
    """References to one image, of which some may have a tag and some a digest."""

    def __init__(self, names: Iterable[str]) -> None:
        references = list(filter(None, map(parsed, names)))
        self.tagged = {
            (one.registry, one.repository, one.tag or "latest") for one in references if not one.digest or one.tag
        }
        self.digests = {(one.registry, one.repository, str(one.digest)) for one in references if one.digest}

    def __contains__(self, name: object) -> bool:
        """Whether a reference is one to this image. Where it has a digest, and digests are known here, they decide, in whatever
        registry: a mirror has the same content. Else a tag of a mirror counts whose path names the registry that it copies.
        """
        other = parsed(name) if isinstance(name, str) else None
        if other is None:
            return False
        if other.digest and self.digests:
            return self.has_digest(str(other.digest))
        tag = other.tag or "latest"
        here = (other.registry, other.repository)
        return any(tag == known and _are_same((registry, name), here) for registry, name, known in self.tagged)

    def has_digest(self, digest: str) -> bool:
        return any(known == digest for _, _, known in self.digests)

    def is_of(self, name: str) -> bool:
        """Whether the image is of a repository; one without a registry is compared by the end of its path."""
        other = parsed(name)
        if other is None:
            return False
        repositories = {(registry, repository) for registry, repository, _ in self.tagged | self.digests}
        if "/" in name:
            return any(_are_same(known, (other.registry, other.repository)) for known in repositories)
        return any(repository.rpartition("/")[2] == name for _, repository in repositories)


def _are_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two repositories, each with its registry, are the same, or one mirrors the other: its path ends with the
    registry and the path of the other, as in ``mirror.example.com/quay.io/shop/web``.
    """
    return one == other or _is_mirror(one, other) or _is_mirror(other, one)


def _is_mirror(copy: tuple[str, str], original: tuple[str, str]) -> bool:
    return f"/{copy[1]}".endswith(f"/{original[0]}/{original[1]}")


def parsed(name: str) -> ImageReference | None:
    """A reference; None if it is not one."""
    try:
        return ImageReference.parse(name)
    except ImageError:
        return None
