"""An image reference: registry, repository, tag and digest, parsed as container runtimes do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError

DOCKER_HUB = "docker.io"
SCHEME = "oci://"
DOCKER_HUB_API = "registry-1.docker.io"
DOCKER_HUB_HOSTS = (DOCKER_HUB, "index.docker.io", DOCKER_HUB_API)
_OFFICIAL = "library/"
_ANY_REGISTRY = "registry.invalid"
_FORM = "[registry/]repository[:tag][@sha256:digest]"
_ADDRESS_FORM = f"{SCHEME}registry/repository[:tag][@sha256:digest]"
_LONGEST_NAME = 255

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class ImageReference:
    """An image's address, in the grammar of github.com/distribution/reference (Docker, containerd, CRI-O).

    ``tag`` is empty and ``digest`` None if the reference has none. If it has both, the digest decides.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: Digest | None = None

    def __post_init__(self) -> None:
        if not _REGISTRY.fullmatch(self.registry):
            raise _wrong(self.name, f"{self.registry!r} is not a registry's host")
        if not _REPOSITORY.fullmatch(self.repository):
            lower = " (it must be lower case)" if _REPOSITORY.fullmatch(self.repository.lower()) else ""
            raise _wrong(self.name, f"{self.repository!r} is not a repository{lower}")
        if len(self.name) > _LONGEST_NAME:
            raise _wrong(self.name, f"its name is longer than {_LONGEST_NAME} characters")
        if self.tag and not is_tag(self.tag):
            raise _wrong(self.name, f"{self.tag!r} is not a tag")

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Read ``nginx``, ``bitnami/redis:7``, ``host:5000/team/app:1.0@sha256:…``.

        The first part is the registry if it has a dot or a colon, is ``localhost`` or has a capital letter; otherwise
        the image is on Docker Hub, without a namespace in its ``library``.

        Raises:
            ImageError: if ``text`` is not a reference.
        """
        name, at, digest = text.partition("@")
        if _IDENTIFIER.fullmatch(name):
            raise _wrong(text, "64 hexadecimal digits are an image's identifier, not a name")
        path, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            path, colon, tag = name, "", ""
        if colon and not tag:
            raise _wrong(text, "the tag after ':' is missing")
        registry, repository = _split(path)
        try:
            pinned = Digest.parse(_algorithm(digest)) if at else None
            return cls(registry=registry, repository=repository, tag=tag, digest=pinned)
        except ValueError as error:
            raise _wrong(text, f"{digest!r} is not a sha256 digest") from error
        except ImageError as error:
            raise _wrong(text, error.message.partition(": ")[2]) from error

    @classmethod
    def from_address(cls, address: str) -> ImageReference:
        """Read ``oci://host/team/app:1.0@sha256:…``, as Helm and Flux do: the first part always is the registry.

        Raises:
            ImageError: if ``address`` is not such an address.
        """
        rest = address.removeprefix(SCHEME)
        registry, slash, repository = rest.partition("/")
        if rest == address or not slash:
            raise _wrong(without_credentials(address), f"it must begin with {SCHEME}HOST/", form=_ADDRESS_FORM)
        if "@" in registry:
            raise ImageError(
                f"{without_credentials(address)!r} comes with a user or a password",
                fix=f"leave it out of the address: cluster-forge login {registry.rpartition('@')[2]}",
            )
        try:
            known = cls.parse(f"{_ANY_REGISTRY}/{repository}")
            official = _OFFICIAL if registry in DOCKER_HUB_HOSTS and "/" not in known.repository else ""
            host = DOCKER_HUB if registry in DOCKER_HUB_HOSTS else registry
            return replace(known, registry=host, repository=official + known.repository)
        except ImageError as error:
            reason = error.message.partition(": ")[2]
            raise _wrong(without_credentials(address), reason, form=_ADDRESS_FORM) from error

    @classmethod
    def read(cls, text: str) -> ImageReference:
        """`from_address` for an ``oci://`` address, `parse` for anything else.

        Raises:
            ImageError: if ``text`` is neither.
        """
        return cls.from_address(text) if text.startswith(SCHEME) else cls.parse(text)

    @property
    def address(self) -> str:
        """The reference as `from_address` reads it; a tag or a digest only where it has one."""
        return f"{SCHEME}{self.name}{self._suffix(self.tag)}"

    @property
    def bare(self) -> ImageReference:
        """The repository: neither tag nor digest."""
        return replace(self, tag="", digest=None)

    @property
    def name(self) -> str:
        """Registry and repository: ``docker.io/library/nginx``."""
        return f"{self.registry}/{self.repository}"

    @property
    def effective_tag(self) -> str:
        """The tag that a runtime requests; empty if there is only a digest."""
        return self.tag or ("" if self.digest else "latest")

    def pinned(self, digest: Digest) -> ImageReference:
        """The same image at this digest."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        """The canonical form with all defaults filled in: ``docker.io/library/nginx:latest``."""
        return self.name + self._suffix(self.effective_tag)

    def _suffix(self, tag: str) -> str:
        return (f":{tag}" if tag else "") + (f"@{self.digest}" if self.digest else "")


def is_tag(text: str) -> bool:
    """Whether a text is a tag (OCI distribution spec, "Pulling manifests")."""
    return bool(_TAG.fullmatch(text))


def _split(path: str) -> tuple[str, str]:
    """Registry and repository, by the rule of ``splitDockerDomain`` in distribution/reference."""
    first, slash, rest = path.partition("/")
    if not slash or not (any(mark in first for mark in ".:") or first == "localhost" or first != first.lower()):
        first, rest = DOCKER_HUB, path
    if first == "index.docker.io":
        first = DOCKER_HUB
    if first == DOCKER_HUB and "/" not in rest:
        rest = _OFFICIAL + rest
    return first, rest


def _algorithm(digest: str) -> str:
    if not digest.startswith("sha256:"):
        raise ValueError(f"only sha256 digests are known: {digest!r}")
    return digest


def _wrong(text: str, reason: str, *, form: str = _FORM) -> ImageError:
    return ImageError(f"{text!r} is not an image reference: {reason}", fix=f"write it as {form}")
