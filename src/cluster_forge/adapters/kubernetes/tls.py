"""TLS with an API server: whom the kubeconfig trusts, what it shows, and why that fails."""

from __future__ import annotations

import http.client
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.adapters.http import certificates, proxies, tls_failures
from cluster_forge.adapters.http.certificates import Certificate
from cluster_forge.adapters.kubernetes import pem
from cluster_forge.adapters.kubernetes.access import Access
from cluster_forge.foundation.errors import ClusterError, KubeconfigError
from cluster_forge.foundation.stopping import if_stopped

_NOT_YET, _EXPIRED = 9, 10
_OTHER_HOST, _OTHER_ADDRESS = 62, 64
"""X.509's verification results (OpenSSL, ``x509_vfy.h``)."""
_SECONDS: Final = 5.0


def context(access: Access, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    """For connections to the API server. With ``certificate-authority`` only that one is trusted, as in kubectl.

    Raises:
        KubeconfigError: if a certificate or a key cannot be used.
    """
    cluster = access.cluster
    if cluster.is_insecure:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif cluster.authority:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with _explained(cluster.authority.where, "certificate authority"):
            made.load_verify_locations(cadata=pem.content(cluster.authority).decode("ascii"))
    else:
        made = ssl.create_default_context()
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as Go: authorities of many clusters would fail
    made.set_alpn_protocols(["http/1.1"])
    if certificate:
        with _explained(access.user.where, "client certificate"), _files(*certificate) as (shown, key):
            made.load_cert_chain(shown, key, password=_no_password)
    return made


def failure(access: Access, proxy: str, cause: ssl.SSLError) -> ClusterError:
    """Why a connection failed, with the certificates of both sides."""
    server, where = access.cluster.server, access.where
    if not isinstance(cause, ssl.SSLCertVerificationError):
        reason = cause.reason or cause.strerror or "the server ended it"
        return ClusterError(
            f"{server}: {'the server does not speak TLS' if reason in tls_failures.NOT_TLS else f'TLS failed: {reason}'}",
            where=where,
            fix="check `server` in the kubeconfig: it must be the address of the API server",
        )
    message, fix = _verification(access, cause, _shown(server, proxy))
    return ClusterError(f"{server}: {message}", where=where, fix=fix, is_lasting=True)


def _verification(access: Access, cause: ssl.SSLCertVerificationError, shown: Certificate | None) -> tuple[str, str]:
    host = access.cluster.server_name or str(urlsplit(access.cluster.server).hostname)
    now = datetime.now(UTC)
    if shown is None:
        return (
            f"its certificate is not trusted: {cause.verify_message}",
            "check `certificate-authority` in the kubeconfig",
        )
    match cause.verify_code:
        case code if code == _EXPIRED and shown.ends < now:
            return (
                f"its certificate, for {shown.for_hosts}, expired on {_day(shown.ends)}",
                "renew the certificates of the control plane, or correct this machine's clock",
            )
        case code if code == _NOT_YET and shown.begins > now:
            return (
                f"its certificate, for {shown.for_hosts}, is not valid before {_day(shown.begins)}",
                f"correct this machine's clock, which says {_day(now)}",
            )
        case code if code in (_OTHER_HOST, _OTHER_ADDRESS):
            return (
                f"its certificate is for {shown.for_hosts}, not for {host}",
                "check `server` in the kubeconfig; behind a tunnel, name a host of the certificate: `tls-server-name`",
            )
    trusted = ", ".join(_trusted(access)) or "the authorities of this system"
    return (
        f"its certificate was issued by {shown.issuer} on {_day(shown.begins)}, but the kubeconfig trusts {trusted}",
        "if the cluster was made again, get its kubeconfig again; if not, something else answers at this address",
    )


def _trusted(access: Access) -> Iterator[str]:
    authority = access.cluster.authority
    for certificate in pem.read(pem.content(authority)) if authority else ():
        yield f"{certificate.subject}, valid from {_day(certificate.begins)}"


def _shown(server: str, proxy: str) -> Certificate | None:
    """The certificate that the server shows. Nothing is sent over this connection."""
    parts, through = urlsplit(server), urlsplit(proxy)
    if through.scheme == "https":  # TLS within TLS: more than the message is worth
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    host, port = str(parts.hostname), parts.port or 443
    reached = (str(through.hostname), through.port or 80) if through.hostname else (host, port)
    connection = http.client.HTTPSConnection(*reached, timeout=_SECONDS, context=made)
    try:
        if through.hostname:
            connection.set_tunnel(host, port, proxies.login(proxy))
        connection.connect()
        encoded = connection.sock.getpeercert(binary_form=True)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return certificates.read(encoded) if encoded else None


@contextmanager
def _files(*contents: bytes) -> Iterator[list[str]]:
    """Contents as files that only this user can read, for OpenSSL, which reads no key from memory; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cluster-forge-") as folder, if_stopped(partial(shutil.rmtree, folder)):
        paths = [Path(folder) / str(number) for number in range(len(contents))]  # in a folder of mode 0700
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        yield [str(path) for path in paths]


@contextmanager
def _explained(where: str, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = str(error) if type(error) is ValueError else "it is not in PEM format, or certificate and key differ"
        raise KubeconfigError(
            f"the {what} cannot be used: {reason}",
            where=where,
            fix="write the entry again with your cluster's own program",
        ) from None


def _no_password() -> str:
    """Instead of OpenSSL's question on the terminal."""
    raise ValueError("its key has a password")


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
