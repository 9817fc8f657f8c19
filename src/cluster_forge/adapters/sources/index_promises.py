"""Whether a repository delivers what its index promises: the address of an archive, its digest, its chart and version."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.ports.sources import ChartIdentity
from cluster_forge.stack.component import HelmSource

if TYPE_CHECKING:
    from cluster_forge.adapters.sources import repository_index


def check_digest(archive: bytes, address: str, release: repository_index.Release) -> None:
    """Compare an archive with the digest in the index, if that has one.

    Raises:
        FetchError: if they differ.
    """
    digest = Digest.of(archive)
    if release.digest and digest != release.digest:
        raise FetchError(
            f"{address} does not match the repository's index: the index has {release.digest}, the file has {digest}",
            fix="try again later; if that does not help, tell the chart's maintainers, or use another version",
        )


def check_identity(identity: ChartIdentity, source: HelmSource, version: str) -> None:
    """Compare an archive with what was asked for; an empty ``version`` is any.

    Raises:
        FetchError: if it is another chart, or another version.
    """
    name = source.chart.rstrip("/").rpartition("/")[2]
    is_promised = not version or plain_version(identity.version) == plain_version(version)
    if identity.name == name and is_promised:
        return
    raise FetchError(
        f"{without_credentials(source.repository)} offers {f'{name} {version}'.rstrip()}, "
        f"but the archive has {identity.name} {identity.version}",
        fix="tell the repository's maintainers; until it is corrected use another version, or a mirror: --mirror DIR",
    )


def plain_version(version: str) -> str:
    """A version as different indexes write it: with or without ``v``, in OCI tags with ``_`` for ``+``."""
    return version.strip().removeprefix("v").replace("_", "+")


def archive_address(repository: str, url: str, release: repository_index.Release) -> str:
    """Where the index has an archive. The rule of redirects holds for it: a server may not lead to a file or pipe of this
    machine, nor to a plug-in, and not from HTTPS to HTTP, unless a digest shows that the content is what the index means.

    Raises:
        FetchError: if it is not an address, or one that is not followed.
    """
    address = join(repository, url)
    try:
        base, scheme = urlsplit(repository).scheme, urlsplit(address).scheme
    except ValueError:
        base = scheme = ""
    is_by_http = base in ("http", "https")
    if base == "file" or scheme in (base, "oci") or (is_by_http and scheme == "https"):
        return address
    if is_by_http and scheme == "http" and release.digest:
        return address
    followed = "http:// and https:// are" if is_by_http else f"{base}:// is"
    problem = "it leaves HTTPS, and has no digest" if is_by_http and scheme == "http" else f"only {followed}"
    raise FetchError(
        f"the index of {without_credentials(repository)} has {without_credentials(address)} "
        f"for {release.version}, which is not followed: {problem}",
        fix="use another version, or a mirror that has it: --mirror DIR",
    )


def join(repository: str, url: str) -> str:
    """An address in the index, which may be relative to the repository's (Helm: ``ResolveReferenceURL``). A login in the
    repository's address holds for all of its host.

    Raises:
        FetchError: if it is not an address.
    """
    try:
        base, parts = urlsplit(repository), urlsplit(url)
        if parts.scheme:
            is_bare_host = (parts.scheme, parts.netloc) == (base.scheme, base.netloc.rpartition("@")[2])
            return parts._replace(netloc=base.netloc).geturl() if is_bare_host else url
        # Python joins addresses of the schemes that it knows only.
        folder = base._replace(scheme="https", path=f"{base.path.rstrip('/')}/", query="").geturl()
        joined = urlsplit(urljoin(folder, url))
        return joined._replace(scheme=base.scheme, query=base.query).geturl()
    except ValueError as error:
        raise FetchError(
            f"{without_credentials(url)} of {without_credentials(repository)} is not an address: {error}",
            fix="correct `repository`, or use a mirror that has it: --mirror DIR",
        ) from error
